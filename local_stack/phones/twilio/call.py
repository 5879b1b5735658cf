"""One call from the first ring to the last callback, done as the carrier does it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import aiohttp

from local_stack.phones import tones
from local_stack.phones.answering_machine import plan_of, said_by
from local_stack.phones.call_files import CallFiles, LineTracks, known_words
from local_stack.phones.call_result import CallResult
from local_stack.phones.conversation import Conversation
from local_stack.phones.events import CallEvent, EventLog, Listener
from local_stack.phones.floor import UNKNOWN
from local_stack.phones.frame_clock import Clock, SystemClock
from local_stack.phones.measures import Turn
from local_stack.phones.phone_line import LineCut, LineOver, PhoneLine
from local_stack.phones.twilio.account import new_sid
from local_stack.phones.twilio.call_state import AskedRequest, CallState
from local_stack.phones.twilio.context import CallContext, Carrier
from local_stack.phones.twilio.dialling import start_recording
from local_stack.phones.twilio.faults import CarrierFault, ErrorCode
from local_stack.phones.twilio.machine_detection import detect
from local_stack.phones.twilio.misbehaviour import Misbehaviour, behaviour_of
from local_stack.phones.twilio.notices import Notices
from local_stack.phones.twilio.options import NOT_ANSWERED, CallOptions, Direction, MachineDetection, RecordingWish
from local_stack.phones.twilio.performing import perform_one
from local_stack.phones.twilio.recordings import Recording
from local_stack.phones.twilio.signature import Signer
from local_stack.phones.twilio.stage import CallEnded, Stage
from local_stack.phones.twilio.verbs import Reject, Verb
from local_stack.phones.twilio.voice_webhook import Source, VoiceWebhook
from local_stack.phones.twilio.webhooks import WebhookSender
from local_stack.phones.utterance import Utterance

_MAX_DOCUMENTS: Final = 50
"""More of them without anything heard between are a circle."""
_TICK_S: Final = 0.02
_COMPLAINTS: Final = frozenset({"carrier_error", "callback_failed", "send_failed"})


@dataclass(frozen=True)
class Command:
    """What is wanted of a call from outside: an end with this final status, or new TwiML."""

    final_status: str | None = None
    source: Source | None = None


class TwilioCall:
    """A simulated call. `run` places it and returns when all of it is over."""

    def __init__(
        self,
        options: CallOptions,
        listener: Listener | None = None,
        clock: Clock | None = None,
        carrier: Carrier | None = None,
    ) -> None:
        clock = clock or SystemClock()
        self.options = options
        self.log = EventLog(clock.wall_ms, self._overhear)
        self._listener = listener
        self.state = CallState(clock.wall_ms())
        self.ready = asyncio.Event()
        said = said_by(options.callee, options.utterances)
        plan, said = behaviour_of(plan_of(options.callee, options.plan), said, options.misbehaviours)
        self._conversation = Conversation(plan, said, self._tell, options.murmur)
        self._tracks = LineTracks()
        self.line = PhoneLine(
            clock, self.log, self._conversation, self._tracks,
            max_call_ms=options.max_call_ms, is_cut=lambda: self._command is not None,
        )  # fmt: skip
        self._context = CallContext(
            new_sid("CA"), options, self.state, clock, self.log, self.line, carrier or lone_carrier(clock)
        )
        self._command: Command | None = None
        self._detecting: asyncio.Task[None] | None = None

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

    def end(self, status: str) -> None:
        self.command(Command(final_status=status))

    def hang_up(self) -> None:
        """The simulated person puts the phone down."""
        self.log.add("caller_hangs_up")
        if self.state.answered_ms is None:
            self.command(Command(final_status="completed"))
        else:
            self._conversation.hang_up()

    def say(self, utterance: Utterance) -> bool:
        """What the simulated person says next; false if it has no such plan, or the call is over."""
        if self.state.over or not self.options.plan.improvises:
            return False
        self._conversation.say(utterance)
        return True

    def record(self, wish: RecordingWish) -> Recording:
        """Records from now on."""
        self.line.start()
        return start_recording(self._stage, wish)

    async def run(self) -> CallResult:
        """Places the call. Whatever the app does wrong stands in the result and is never raised."""
        options = self.options
        numbers = {"from": options.from_number, "to": options.to_number}
        self.log.add("call_started", None, call_sid=self.sid, direction=options.direction.value,
                     voice_url=options.voice_url, **numbers)  # fmt: skip
        async with aiohttp.ClientSession() as session:
            signer = Signer.of(options.account, by_shared_key=Misbehaviour.SHARED_KEY in options.misbehaviours)
            sender = WebhookSender(session, signer, self.log)
            self._webhook = VoiceWebhook(self._context, sender)
            notices = Notices(self._context, sender)
            self._stage = Stage(self._context, sender, notices)
            try:
                await self._live()
                await notices.drain()
            finally:
                await notices.stop()
                self._write_files()
        return self.result()

    async def _live(self) -> None:
        now_ms, options = self._context.now_ms, self.options
        try:
            await self._ring()
            await self._follow(Source(options.voice_url, options.voice_method, options.twiml))
        except CallEnded as ended:
            self.state.end(now_ms(), ended.status, ended.reason)
        except LineOver as over:
            self.state.end(now_ms(), "completed", str(over))
        except CarrierFault as fault:
            self._stage.note(fault)
            status = "failed" if self.state.answered_ms is None else "completed"
            self.state.end(now_ms(), status, fault.message)
        finally:
            self.state.end(now_ms(), "failed", "the simulator was stopped")
            await self._leave_line()
            if Misbehaviour.VANISHES not in options.misbehaviours:
                for farewell in self._stage.farewells:
                    self._stage.notices.asked(farewell.method, farewell.url or "", farewell.extra)
                self._stage.notices.progress("completed", self.state.status)
            self.log.add("call_ended", status=self.state.status, reason=self.state.end_reason,
                         duration_s=self.state.duration_s)  # fmt: skip

    async def _leave_line(self) -> None:
        if self._detecting is not None:
            self._detecting.cancel()
            await asyncio.gather(self._detecting, return_exceptions=True)
        await self.line.stop()
        self.line.note_keys()
        self._context.carrier.recordings.stop_all(self.sid, self._context.now_ms())

    async def _ring(self) -> None:
        self.state.status = "ringing"
        options, notices = self.options, self._stage.notices
        if options.direction is Direction.INBOUND:
            return
        notices.progress("initiated", "initiated")
        notices.progress("ringing", "ringing")
        await self._wait(min(options.ring_ms, options.ring_timeout_ms) / 1000)
        if not options.callee.picks_up:
            raise CallEnded(NOT_ANSWERED[options.callee], "the called side did not answer")
        if options.ring_ms > options.ring_timeout_ms:
            raise CallEnded("no-answer", "nobody picked up in time")
        self._answer()
        if options.send_digits:
            self.log.add("keys_sent", digits=options.send_digits)
            self.line.play(tones.keys(options.send_digits))
        if options.machine_detection is not None:
            await self._find_out_who(options.machine_detection)

    def _answer(self) -> None:
        if self.state.answered_ms is None:
            self.state.answer(self._context.now_ms())
            self.log.add("call_answered")
            self._stage.notices.progress("answered", "in-progress")
            if self.options.record is not None:
                start_recording(self._stage, self.options.record)

    async def _find_out_who(self, settings: MachineDetection) -> None:
        """Before the TwiML is asked for, or beside the call."""
        self.line.start()

        async def find_out() -> None:
            try:
                found = await detect(self.line, self.options.callee, settings)
            except (LineOver, LineCut):
                return
            self.state.answered_by = found.who
            self.log.add("answered_by", who=found.who, took_ms=found.took_ms)
            if settings.is_async and settings.callback_url is not None:
                self._stage.notices.answered_by(
                    found.who, found.took_ms, settings.callback_url, settings.callback_method
                )

        if settings.is_async:
            self._detecting = asyncio.create_task(find_out())
        else:
            await find_out()

    async def _follow(self, source: Source) -> None:
        """Does what the TwiML says, document after document, until the call ends."""
        if self.options.direction is Direction.DIALLED:
            await self._be_dialled(source)
        read, known_ms = 0, 0
        while read < _MAX_DOCUMENTS:
            verbs = await self._webhook.fetch(source)
            following = self._commanded_source() or await self._perform(verbs)
            if following is None:
                raise CallEnded("completed", "the TwiML came to its end")
            source = following
            passed_ms = self._tracks.duration_ms
            read, known_ms = (read + 1 if passed_ms == known_ms else 0), passed_ms
        message = f"more than {_MAX_DOCUMENTS} TwiML documents on end"
        raise CarrierFault(ErrorCode.HTTP_RETRIEVAL_FAILURE, message)

    async def _be_dialled(self, source: Source) -> None:
        """What is for the called person alone is heard, then others may join; ends with a redirect only."""
        if source.url is not None:
            verbs = await self._webhook.fetch(source)
            following = self._commanded_source() or await self._perform(verbs)
            if following is not None:
                await self._follow_redirected(following)
        self.ready.set()
        self.line.floor = UNKNOWN
        self.line.start()
        try:
            await self.line.until(lambda: False)
        except LineCut:
            following = self._commanded_source()
            if following is not None:
                await self._follow_redirected(following)

    async def _follow_redirected(self, source: Source) -> None:
        """The leg leaves its `<Dial>` and has TwiML of its own from now on. Raises: CallEnded."""
        following: Source | None = source
        while following is not None:
            verbs = await self._webhook.fetch(following)
            following = self._commanded_source() or await self._perform(verbs)
        raise CallEnded("completed", "the TwiML came to its end")

    async def _perform(self, verbs: list[Verb]) -> Source | None:
        """Performs the verbs in order until something leads on; None at the end of the document."""
        for verb in verbs:
            if isinstance(verb, Reject) and self.state.answered_ms is None:
                raise CallEnded("busy", f"the app rejected the call: {verb.reason}")
            self._answer()
            try:
                following = await perform_one(self._stage, verb, lambda: self._command is not None)
            except LineCut:
                following = None
            following = self._commanded_source() or following
            if following is not None:
                return following
        return None

    def _commanded_source(self) -> Source | None:
        command, self._command = self._command, None
        if command is None:
            return None
        if command.final_status is not None:
            raise CallEnded(command.final_status, "ended from outside")
        return command.source

    async def _wait(self, seconds: float) -> None:
        """Lets time pass while it rings; an end from outside is carried out at once."""
        clock = self._context.clock
        until = clock.monotonic() + seconds
        while (left_s := until - clock.monotonic()) > 0 and self._command is None:
            await clock.sleep(min(_TICK_S, left_s))
        if self._command is not None and self._command.final_status is not None:
            self._commanded_source()

    def _overhear(self, event: CallEvent) -> None:
        """What was asked of the app is remembered with the call."""
        if event.name in ("webhook_answered", "webhook_failed"):
            facts = event.facts
            asked = AskedRequest(event.at_ms, facts["method"], facts["url"], facts.get("status"))
            self.state.requests.append(asked)
        if self._listener is not None:
            self._listener(event)

    def _tell(self, name: str, at_ms: float, facts: dict[str, Any]) -> None:
        self.log.add(name, at_ms, **facts)

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
            media_opened=state.taken_up,
            turns=tuple(self.turns),
            errors=tuple(_complaint(event) for event in self.log.events if event.name in _COMPLAINTS),
            duration_s=state.duration_s or 0,
            lag_p99_ms=self.line.lag_p99_ms,
            most_waiting_ms=self.line.most_waiting_ms,
            folder=None if state_dir is None else state_dir / "calls" / self.sid,
            events=tuple(self.log.events),
        )


def _complaint(event: CallEvent) -> str:
    code = event.facts.get("code")
    return f"{code}: {event.facts['message']}" if code is not None else str(event.facts["message"])


def lone_carrier(clock: Clock) -> Carrier:
    """The carrier of a call that is placed by itself, without an exchange."""

    def place(options: CallOptions) -> tuple[TwilioCall, asyncio.Task[CallResult]]:
        leg = TwilioCall(options, None, clock, carrier)
        return leg, asyncio.create_task(leg.run(), name=leg.sid)

    carrier = Carrier(place)
    return carrier
