"""One call from the first ring to the last callback, done as the carrier does it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import aiohttp

from local_stack.phones.call_files import CallFiles, LineTracks, known_words
from local_stack.phones.conversation import Conversation
from local_stack.phones.events import CallEvent, EventLog, Listener
from local_stack.phones.frame_clock import Clock, SystemClock
from local_stack.phones.measures import Turn
from local_stack.phones.twilio import twiml
from local_stack.phones.twilio.account import new_sid
from local_stack.phones.twilio.call_state import CallResult, CallState
from local_stack.phones.twilio.context import CallContext
from local_stack.phones.twilio.faults import CarrierFault, ErrorCode
from local_stack.phones.twilio.media_stream import MediaStream, StreamEnd
from local_stack.phones.twilio.misbehaviour import Misbehaviour, behaviour_of
from local_stack.phones.twilio.notices import Notices
from local_stack.phones.twilio.options import Callee, CallOptions, Direction
from local_stack.phones.twilio.voice_webhook import Source, VoiceWebhook
from local_stack.phones.twilio.webhooks import WebhookSender

_MAX_DOCUMENTS: Final = 50
_TICK_S: Final = 0.02
_COMPLAINTS: Final = frozenset({"carrier_error", "callback_failed", "send_failed"})


@dataclass(frozen=True)
class Command:
    """What is wanted of a call from outside: an end with this final status, or new TwiML."""

    final_status: str | None = None
    source: Source | None = None


class CallEnded(Exception):
    """Unwinds the call; not an error."""

    def __init__(self, status: str, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class TwilioCall:
    """A simulated call. `run` places it and returns when all of it is over."""

    def __init__(self, options: CallOptions, listener: Listener | None = None, clock: Clock | None = None) -> None:
        clock = clock or SystemClock()
        self.options = options
        self.log = EventLog(clock.wall_ms, listener)
        self.state = CallState(clock.wall_ms())
        self._context = CallContext(new_sid("CA"), options, self.state, clock, self.log)
        plan, said = behaviour_of(options.plan, options.utterances, options.misbehaviours)
        self._conversation = Conversation(plan, said, self._tell, options.murmur)
        self._tracks = LineTracks()
        self._streams: list[MediaStream] = []
        self._media_opened = False
        self._command: Command | None = None

    @property
    def sid(self) -> str:
        return self._context.sid

    @property
    def turns(self) -> Sequence[Turn]:
        """What the caller has noticed so far; turn 0 is the greeting."""
        return self._conversation.turns

    def command(self, command: Command) -> None:
        """Carried out within 20 ms, between two frames."""
        self._command = command

    def hang_up(self) -> None:
        """The simulated person puts the phone down."""
        self.log.add("caller_hangs_up")
        self.command(Command(final_status="completed"))

    async def run(self) -> CallResult:
        """Places the call. Whatever the app does wrong stands in the result and is never raised."""
        options = self.options
        numbers = {"from": options.from_number, "to": options.to_number}
        self.log.add("call_started", None, call_sid=self.sid, direction=options.direction.value,
                     voice_url=options.voice_url, **numbers)  # fmt: skip
        async with aiohttp.ClientSession() as session:
            sender = WebhookSender(session, options.account.auth_token, self.log)
            self._webhook = VoiceWebhook(self._context, sender)
            self._notices = Notices(self._context, sender)
            try:
                await self._live()
                await self._notices.drain()
            finally:
                await self._notices.stop()
                self._write_files()
        return self.result()

    async def _live(self) -> None:
        now_ms, options = self._context.now_ms, self.options
        try:
            await self._ring()
            await self._follow(Source(options.voice_url, options.voice_method, options.twiml))
        except CallEnded as ended:
            self.state.end(now_ms(), ended.status, ended.reason)
        except CarrierFault as fault:
            self._note_fault(fault)
            status = "failed" if self.state.answered_ms is None else "completed"
            self.state.end(now_ms(), status, fault.message)
        finally:
            self.state.end(now_ms(), "failed", "the simulator was stopped")
            if Misbehaviour.VANISHES not in options.misbehaviours:
                self._notices.progress("completed", self.state.status)
            self.log.add("call_ended", status=self.state.status, reason=self.state.end_reason,
                         duration_s=self.state.duration_s)  # fmt: skip

    async def _ring(self) -> None:
        self.state.status = "ringing"
        if self.options.direction is Direction.INBOUND:
            return
        self._notices.progress("initiated", "initiated")
        self._notices.progress("ringing", "ringing")
        await self._wait(self.options.ring_ms / 1000)
        if self.options.callee is not Callee.ANSWERS:
            raise CallEnded(self.options.callee.value, "the called side did not answer")
        self._answer()

    def _answer(self) -> None:
        if self.state.answered_ms is None:
            self.state.answer(self._context.now_ms())
            self.log.add("call_answered")
            self._notices.progress("answered", "in-progress")

    async def _follow(self, source: Source) -> None:
        """Does what the TwiML says, document after document, until the call ends."""
        for _ in range(_MAX_DOCUMENTS):
            verbs = await self._webhook.fetch(source)
            following = self._commanded_source() or await self._perform(verbs)
            if following is None:
                raise CallEnded("completed", "the TwiML came to its end")
            source = following
        message = f"more than {_MAX_DOCUMENTS} TwiML documents in one call"
        raise CarrierFault(ErrorCode.HTTP_RETRIEVAL_FAILURE, message)

    async def _perform(self, verbs: list[twiml.Verb]) -> Source | None:
        """Performs the verbs in order until something leads on; None at the end of the document."""
        for verb in verbs:
            following = await self._perform_one(verb) or self._commanded_source()
            if following is not None:
                return following
        return None

    async def _perform_one(self, verb: twiml.Verb) -> Source | None:
        if isinstance(verb, twiml.Reject) and self.state.answered_ms is None:
            raise CallEnded("busy", f"the app rejected the call: {verb.reason}")
        self._answer()
        match verb:
            case twiml.Stream():
                return await self._stream(verb)
            case twiml.Redirect(url, method):
                return Source(url, method)
            case twiml.Hangup() | twiml.Reject():
                raise CallEnded("completed", "the app hung up")
            case twiml.Say(text):
                self.log.add("carrier_said", text=text)
            case twiml.Pause(seconds):
                await self._wait(seconds)
        return None

    async def _stream(self, verb: twiml.Stream) -> Source | None:
        stream = MediaStream(self._context, verb, self._conversation, self._tracks)
        self._streams.append(stream)
        end = None
        try:
            socket = await stream.open()
            self._media_opened = True
            self._notices.stream(verb, stream.sid, "stream-started")
            end = await stream.run(socket, lambda: self._command is not None)
        except CarrierFault as fault:
            self._note_fault(fault)
            self._notices.stream(verb, stream.sid, "stream-error", fault.message)
        if end is StreamEnd.VANISHED:
            raise CallEnded("completed", end.value)
        self._notices.stream(verb, stream.sid, "stream-stopped")
        if end in (StreamEnd.CALLER_HUNG_UP, StreamEnd.TIME_LIMIT):
            raise CallEnded("completed", end.value)
        if self._command is None and verb.action is not None:
            return Source(verb.action, verb.action_method, None, [("StreamSid", stream.sid)])
        return None

    def _commanded_source(self) -> Source | None:
        command, self._command = self._command, None
        if command is None:
            return None
        if command.final_status is not None:
            raise CallEnded(command.final_status, "ended from outside")
        return command.source

    async def _wait(self, seconds: float) -> None:
        """Lets time pass; a command cuts it short, and an end is carried out at once."""
        clock = self._context.clock
        until = clock.monotonic() + seconds
        while (left_s := until - clock.monotonic()) > 0 and self._command is None:
            await clock.sleep(min(_TICK_S, left_s))
        if self._command is not None and self._command.final_status is not None:
            self._commanded_source()

    def _tell(self, name: str, at_ms: float, facts: dict[str, Any]) -> None:
        self.log.add(name, at_ms, **facts)

    def _note_fault(self, fault: CarrierFault) -> None:
        self.log.add("carrier_error", code=int(fault.code), message=fault.message)

    def _write_files(self) -> None:
        if self.options.state_dir is not None:
            files = CallFiles(self.options.state_dir / "calls" / self.sid)
            files.write(self._tracks, self.log.events, self.result().to_json(), known_words(self.turns))

    def result(self) -> CallResult:
        """What the call has come to so far."""
        state, state_dir = self.state, self.options.state_dir
        return CallResult(
            call_sid=self.sid,
            status=state.status,
            end_reason=state.end_reason,
            media_opened=self._media_opened,
            turns=tuple(self.turns),
            errors=tuple(_complaint(event) for event in self.log.events if event.name in _COMPLAINTS),
            duration_s=state.duration_s or 0,
            lag_p99_ms=max((stream.lag_p99_ms for stream in self._streams), default=0.0),
            most_waiting_ms=max((stream.most_waiting_ms for stream in self._streams), default=0.0),
            folder=None if state_dir is None else state_dir / "calls" / self.sid,
            events=tuple(self.log.events),
        )


def _complaint(event: CallEvent) -> str:
    code = event.facts.get("code")
    return f"{code}: {event.facts['message']}" if code is not None else str(event.facts["message"])
