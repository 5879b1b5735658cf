"""One bidirectional media stream: 50 frames a second out, the agent's voice in, marks and clears between."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import StrEnum
from typing import Final

import aiohttp

from local_stack.phones import g711
from local_stack.phones.conversation import Phase
from local_stack.phones.frame_clock import FrameClock
from local_stack.phones.twilio import messages
from local_stack.phones.twilio.account import new_sid
from local_stack.phones.twilio.context import CallContext
from local_stack.phones.twilio.faults import CarrierFault, ErrorCode
from local_stack.phones.twilio.intruder import reuse_ticket
from local_stack.phones.twilio.media_socket import MediaSocket
from local_stack.phones.twilio.misbehaviour import (
    INJECTED_AT_FRAME,
    Misbehaviour,
    closing_messages,
    injected_messages,
    opening_messages,
    socket_signing,
)
from local_stack.phones.twilio.signature import Signer
from local_stack.phones.twilio.verbs import Stream

_FLUSH_TIMEOUT_S: Final = 2.0
_VANISHES_AFTER_SPEECH_MS: Final = 500
_DROPS_AFTER_HEARD_MS: Final = 400
_NORMAL_CLOSE: Final = 1000


class StreamEnd(StrEnum):
    """Why a stream ended."""

    CALLER_HUNG_UP = "the caller hung up"
    APP_CLOSED = "the app closed the media socket"
    COMMANDED = "the app ended the stream by the REST API"
    TIME_LIMIT = "the call reached its time limit"
    VANISHED = "the line broke"
    BROKE = "the connection to the app broke"


class MediaStream:
    """Runs one stream of a call. The line belongs to the call and outlives it; while it runs, it keeps the time."""

    def __init__(self, context: CallContext, verb: Stream) -> None:
        self.sid = new_sid("MZ")
        self._context = context
        self._account = context.options.account
        self._verb = verb
        self._line = context.line
        self._conversation = context.line.conversation
        self._log = context.log
        self._ways = context.options.misbehaviours
        self._writer = messages.StreamWriter(self._account.sid, context.sid, self.sid)
        self._playback = context.line.playback
        self._outbox: asyncio.Queue[str | None] = asyncio.Queue()
        self._app_closed = False
        self._vanished = False
        self._warned: set[ErrorCode] = set()
        self._intruder: asyncio.Task[None] | None = None

    async def open(self) -> MediaSocket:
        """Raises: CarrierFault."""
        started_ms = self._context.now_ms()
        signer, signing = Signer.of(self._account), socket_signing(self._ways)
        socket = await MediaSocket.open(self._verb.url, signer, signing)
        took_ms = round(self._context.now_ms() - started_ms, 1)
        self._log.add("media_opened", stream_sid=self.sid, url=self._verb.url, took_ms=took_ms)
        return socket

    async def run(self, socket: MediaSocket, ended_by_command: Callable[[], bool]) -> StreamEnd:
        """Streams until one side ends it; closes the socket. Raises: CarrierFault 31921 for an odd close."""
        sending = asyncio.create_task(self._send(socket))
        receiving = asyncio.create_task(self._receive(socket))
        try:
            for text in opening_messages(self._writer, self._verb.parameters, self._ways):
                self._outbox.put_nowait(text)
            async with self._line.handed_over():
                end = await self._keep_time(ended_by_command)
            await self._say_goodbye(end, sending)
        finally:
            self._playback.clear()
            if self._intruder is not None:
                await self._intruder
            await (socket.vanish() if self._vanished else socket.close())
            sending.cancel()
            receiving.cancel()
            results = await asyncio.gather(sending, receiving, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result
        self._note_close(end, socket.close_code)
        return end

    async def _keep_time(self, ended_by_command: Callable[[], bool]) -> StreamEnd:
        clock = FrameClock(self._context.clock)
        try:
            while True:
                frame = await clock.tick()
                if self._app_closed:
                    return StreamEnd.APP_CLOSED
                if ended_by_command():
                    return StreamEnd.COMMANDED
                if self._is_to_vanish():
                    self._vanished = True
                    return StreamEnd.VANISHED
                if self._is_to_drop():
                    self._context.state.has_dropped_socket = self._vanished = True
                    return StreamEnd.BROKE
                if frame * g711.FRAME_MS >= self._context.options.max_call_ms:
                    return StreamEnd.TIME_LIMIT
                self._pass_frame(frame)
                if self._conversation.phase is Phase.DONE:
                    return StreamEnd.CALLER_HUNG_UP
        finally:
            self._line.lag_p99_ms = max(self._line.lag_p99_ms, clock.lag_p99_ms)

    def _pass_frame(self, frame: int) -> None:
        """One tick: marks that were reached, 20 ms heard, 20 ms said."""
        self._echo_marks(self._playback.reached_marks(), cleared=False)
        passed = self._line.pass_frame()
        self._outbox.put_nowait(self._writer.media(passed.said))
        if passed.digit is not None:
            self._outbox.put_nowait(self._writer.dtmf(passed.digit))
        for text in injected_messages(self._writer, frame, self._ways):
            self._log.add("misbehaved", chars=len(text))
            self._outbox.put_nowait(text)
        if frame == INJECTED_AT_FRAME and Misbehaviour.USED_TICKET in self._ways:
            self._intruder = asyncio.create_task(reuse_ticket(self._context, self._verb))

    def _is_to_vanish(self) -> bool:
        started_ms = self._conversation.turn.speech_started_ms
        if Misbehaviour.VANISHES not in self._ways or started_ms is None:
            return False
        return self._context.now_ms() >= started_ms + _VANISHES_AFTER_SPEECH_MS

    def _is_to_drop(self) -> bool:
        if Misbehaviour.SOCKET_DROPS not in self._ways or self._context.state.has_dropped_socket:
            return False
        turn = self._conversation.turn
        return turn.number > 0 and turn.heard_ms >= _DROPS_AFTER_HEARD_MS

    def _echo_marks(self, names: list[str], cleared: bool) -> None:
        for name in names:
            self._outbox.put_nowait(self._writer.mark(name))
            self._log.add("mark_echoed", mark=name, cleared=cleared)

    async def _send(self, socket: MediaSocket) -> None:
        try:
            while (text := await self._outbox.get()) is not None:
                await socket.send(text)
        except (aiohttp.ClientError, OSError) as error:
            self._log.add("send_failed", message=str(error) or type(error).__name__)
            self._app_closed = True

    async def _receive(self, socket: MediaSocket) -> None:
        async for message in socket.messages():
            try:
                if message.type is not aiohttp.WSMsgType.TEXT:
                    raise _not_text(message)
                self._take(messages.read_app_message(message.data, self.sid))
            except CarrierFault as fault:
                self._warn(fault)
        self._app_closed = True

    def _take(self, message: messages.AppMessage) -> None:
        match message:
            case messages.Media(payload):
                self._line.play(payload)
            case messages.Mark(name):
                self._playback.mark(name)
                self._log.add("mark_received", mark=name)
            case messages.Clear():
                self._echo_marks(self._line.clear(), cleared=True)

    def _warn(self, fault: CarrierFault) -> None:
        """The message is dropped; the carrier tells each kind of fault once a stream."""
        if fault.code not in self._warned:
            self._warned.add(fault.code)
            self._log.add("carrier_error", code=int(fault.code), message=fault.message)

    async def _say_goodbye(self, end: StreamEnd, sending: asyncio.Task[None]) -> None:
        if end in (StreamEnd.APP_CLOSED, StreamEnd.VANISHED, StreamEnd.BROKE):
            return
        for text in closing_messages(self._writer, self._ways):
            self._outbox.put_nowait(text)
        self._outbox.put_nowait(None)
        try:
            async with asyncio.timeout(_FLUSH_TIMEOUT_S):
                await sending
        except TimeoutError:
            self._log.add("send_failed", message="the app did not take what was sent before the end")

    def _note_close(self, end: StreamEnd, code: int | None) -> None:
        self._log.add("media_closed", stream_sid=self.sid, reason=end.value, code=code)
        if end is StreamEnd.APP_CLOSED and code != _NORMAL_CLOSE:
            raise CarrierFault(ErrorCode.STREAM_CLOSED, f"the app closed the media socket with {code}")


def _not_text(message: aiohttp.WSMessage) -> CarrierFault:
    if message.type is aiohttp.WSMsgType.BINARY:
        return CarrierFault(ErrorCode.STREAM_MALFORMED_MESSAGE, "the app sent a binary message")
    return CarrierFault(ErrorCode.STREAM_WEBSOCKET_PROTOCOL, f"WebSocket protocol error: {message.data}")
