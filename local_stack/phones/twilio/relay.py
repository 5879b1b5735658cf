"""`<Connect><ConversationRelay>`: the carrier hears and speaks, and passes words to and fro over a socket.

Source: https://www.twilio.com/docs/voice/twiml/connect/conversationrelay
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

import aiohttp

from local_stack.phones.phone_line import LineOver
from local_stack.phones.twilio import relay_messages
from local_stack.phones.twilio.account import new_sid
from local_stack.phones.twilio.faults import CarrierFault, ErrorCode
from local_stack.phones.twilio.forms import Fields
from local_stack.phones.twilio.intruder import intrude
from local_stack.phones.twilio.media_socket import MediaSocket
from local_stack.phones.twilio.misbehaviour import INJECTED_AT_FRAME, Misbehaviour, socket_signing
from local_stack.phones.twilio.relay_dialogue import RelayDialogue
from local_stack.phones.twilio.signature import Signer
from local_stack.phones.twilio.stage import Stage, asked
from local_stack.phones.twilio.typed_dialogue import TypedDialogue
from local_stack.phones.twilio.verbs import Relay
from local_stack.phones.twilio.voice_webhook import Source

_NORMAL_CLOSE: Final = 1000
_FLUSH_S: Final = 2.0
_SHOWN_CHARS: Final = 500


@dataclass
class _Outcome:
    """How a session ended."""

    status: str = "ended"
    handoff_data: str | None = None
    fault: CarrierFault | None = None


async def relay(stage: Stage, verb: Relay) -> Source | None:
    """Runs a session; what the app wants next. Raises: LineOver, LineCut."""
    session = RelaySession(stage, verb)
    try:
        outcome = await session.run()
    except LineOver:
        if (farewell := asked(verb.action, session.fields(_Outcome("completed")))) is not None:
            stage.farewells.append(farewell)
        raise
    if outcome.fault is not None:
        stage.note(outcome.fault)
    return asked(verb.action, session.fields(outcome))


class RelaySession:
    """One socket from `setup` to its end."""

    def __init__(self, stage: Stage, verb: Relay) -> None:
        self.sid = new_sid("VX")
        self._stage = stage
        self._verb = verb
        self._log = stage.log
        self._ways = stage.context.options.misbehaviours
        self._outbox: asyncio.Queue[str | None] = asyncio.Queue()
        dialogue = TypedDialogue if stage.context.options.is_typed else RelayDialogue
        self._dialogue = dialogue(stage, verb, self._outbox.put_nowait)
        self._outcome: _Outcome | None = None
        self._intruder: asyncio.Task[None] | None = None
        self._started_ms = stage.context.now_ms()

    def fields(self, outcome: _Outcome) -> Fields:
        """What the request to the action's address says of the session."""
        seconds = max(0, round((self._stage.context.now_ms() - self._started_ms) / 1000))
        fields: Fields = [
            ("SessionId", self.sid),
            ("SessionStatus", outcome.status),
            ("SessionDuration", str(seconds)),
        ]
        if outcome.handoff_data is not None:
            fields.append(("HandoffData", outcome.handoff_data))
        if outcome.fault is not None:
            fields += [("ErrorCode", str(int(outcome.fault.code))), ("ErrorMessage", outcome.fault.message)]
        return fields

    async def run(self) -> _Outcome:
        try:
            socket = await self._open()
        except CarrierFault as fault:
            unreachable = CarrierFault(ErrorCode.RELAY_UNREACHABLE, fault.message)
            return _Outcome("failed", fault=unreachable)
        sending = asyncio.create_task(self._send(socket))
        receiving = asyncio.create_task(self._receive(socket))
        dropped = False
        try:
            self._greet()
            dropped = await self._converse()
        finally:
            reason = "ended from outside" if self._outcome is None else self._outcome.status
            await self._dialogue.close()
            if self._intruder is not None:
                await self._intruder
            self._outbox.put_nowait(None)
            await asyncio.wait({sending}, timeout=_FLUSH_S)
            await (socket.vanish() if dropped else socket.close())
            sending.cancel()
            receiving.cancel()
            await asyncio.gather(sending, receiving, return_exceptions=True)
            self._log.add("media_closed", stream_sid=self.sid, reason=reason, code=socket.close_code)
        if dropped:
            return _Outcome("failed", fault=CarrierFault(ErrorCode.RELAY_ENDED, "the connection to the app broke"))
        return self._outcome or _Outcome("failed")

    async def _open(self) -> MediaSocket:
        context = self._stage.context
        signer = Signer.of(context.options.account)
        socket = await MediaSocket.open(self._verb.url, signer, socket_signing(self._ways))
        took_ms = round(context.now_ms() - self._started_ms, 1)
        self._log.add("media_opened", stream_sid=self.sid, url=self._verb.url, took_ms=took_ms)
        context.state.taken_up = True
        return socket

    def _greet(self) -> None:
        context, parameters = self._stage.context, self._verb.parameters
        if Misbehaviour.NO_TICKET in self._ways:
            parameters = {}
        self._outbox.put_nowait(
            relay_messages.setup(self.sid, context.sid, context.options, context.state, parameters)
        )
        if Misbehaviour.NOT_JSON in self._ways:
            self._outbox.put_nowait("this is not JSON {")
        self._dialogue.greet()

    async def _converse(self) -> bool:
        """Until one side ends it; true if the connection is to break now. Raises: LineOver, LineCut."""
        line, ticks = self._stage.line, 0
        try:
            while self._outcome is None:
                await line.tick()
                ticks += 1
                if ticks == INJECTED_AT_FRAME and Misbehaviour.USED_TICKET in self._ways:
                    self._intruder = asyncio.create_task(self._intrude())
                if self._is_to_drop():
                    return True
                await self._dialogue.take_tick()
        except LineOver:
            self._outcome = _Outcome("completed")
            raise
        return False

    def _is_to_drop(self) -> bool:
        state = self._stage.context.state
        if Misbehaviour.SOCKET_DROPS not in self._ways or state.has_dropped_socket:
            return False
        state.has_dropped_socket = self._dialogue.is_amid_first_reply
        return state.has_dropped_socket

    async def _intrude(self) -> None:
        """Somebody uses the ticket of this session for another."""
        context = self._stage.context
        setup = relay_messages.setup(
            new_sid("VX"), context.sid, context.options, context.state, self._verb.parameters
        )
        await intrude(context, self._verb.url, [setup])

    async def _send(self, socket: MediaSocket) -> None:
        try:
            while (text := await self._outbox.get()) is not None:
                await socket.send(text)
        except (aiohttp.ClientError, OSError) as error:
            self._log.add("send_failed", message=str(error) or type(error).__name__)

    async def _receive(self, socket: MediaSocket) -> None:
        async for message in socket.messages():
            try:
                if message.type is not aiohttp.WSMsgType.TEXT:
                    raise CarrierFault(ErrorCode.RELAY_INVALID_MESSAGE, "the app sent no text message")
                self._take(relay_messages.read(message.data))
            except CarrierFault as fault:
                self._stage.note(fault)
                self._outbox.put_nowait(_complaint(message))
        if self._outcome is None:
            self._outcome = self._closed(socket.close_code)

    def _take(self, message: relay_messages.RelayMessage) -> None:
        if isinstance(message, relay_messages.End):
            self._outcome = _Outcome("ended", message.handoff_data)
        else:
            self._dialogue.take(message)

    def _closed(self, code: int | None) -> _Outcome:
        """The app has closed the socket: the call goes on where the action leads."""
        if code == _NORMAL_CLOSE:
            return _Outcome("ended")
        return _Outcome("failed", fault=CarrierFault(ErrorCode.RELAY_ENDED, f"the app closed the socket with {code}"))


def _complaint(message: aiohttp.WSMessage) -> str:
    shown = message.data if message.type is aiohttp.WSMsgType.TEXT else message.type.name
    return relay_messages.written(type="error", description=f"Invalid message received: {shown[:_SHOWN_CHARS]}")
