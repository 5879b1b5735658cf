"""One call from the first ring to the last event, done as Vonage does it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import aiohttp

from local_stack.phones.answering_machine import plan_of, said_by
from local_stack.phones.call_files import CallFiles, LineTracks, known_words
from local_stack.phones.call_result import CallResult
from local_stack.phones.conversation import Conversation
from local_stack.phones.events import CallEvent, EventLog, Listener
from local_stack.phones.frame_clock import Clock, SystemClock
from local_stack.phones.measures import Turn
from local_stack.phones.people import Callee
from local_stack.phones.phone_line import LineCut, LineOver, PhoneLine
from local_stack.phones.vonage import ncco
from local_stack.phones.vonage.answering import Answering
from local_stack.phones.vonage.faults import VonageFault
from local_stack.phones.vonage.misbehaviour import Misbehaviour
from local_stack.phones.vonage.ncco import Action
from local_stack.phones.vonage.notices import Notices
from local_stack.phones.vonage.options import CallOptions, Direction
from local_stack.phones.vonage.performing import Performing
from local_stack.phones.vonage.recordings import Recordings
from local_stack.phones.vonage.state import CallEnded, Command, LegState
from local_stack.phones.vonage.webhooks import WebhookSender

_MOST_NCCOS: Final = 200
_COMPLAINTS: Final = frozenset({"carrier_error", "callback_failed", "send_failed", "provider_trouble"})


class VonageCall:
    """A simulated call. `run` places it and returns when all of it is over."""

    def __init__(
        self,
        options: CallOptions,
        listener: Listener | None = None,
        clock: Clock | None = None,
        recordings: Recordings | None = None,
    ) -> None:
        clock = clock or SystemClock()
        self.options = options
        self.log = EventLog(clock.wall_ms, listener)
        self.state = LegState(options, clock.wall_ms())
        callee = options.person.callee if options.direction is Direction.OUTBOUND else Callee.ANSWERS
        plan, said = plan_of(callee, options.plan), said_by(callee, options.utterances)
        self._conversation = Conversation(plan, said, self._tell, options.murmur)
        self._tracks = LineTracks()
        self.line = PhoneLine(
            clock,
            self.log,
            self._conversation,
            self._tracks,
            max_call_ms=options.max_call_ms,
            is_cut=lambda: self._command is not None,
        )
        self.performing: Performing | None = None
        """There once the call is up."""
        self._recordings = recordings or Recordings()
        self._command: Command | None = None

    @property
    def turns(self) -> Sequence[Turn]:
        return self._conversation.turns

    def command(self, command: Command) -> None:
        """Carried out within 20 ms, between two frames."""
        self._command = command

    def hang_up(self) -> None:
        """The simulated person puts the phone down."""
        self.log.add("caller_hangs_up")
        self.command(Command(ends=True))

    async def run(self) -> CallResult:
        """Whatever the app does wrong stands in the result and is never raised."""
        options = self.options
        self.log.add("call_started", None, call_sid=self.state.leg, direction=options.direction.value,
                     **{"from": options.from_number, "to": options.to_number})  # fmt: skip
        async with aiohttp.ClientSession() as session:
            sender = WebhookSender(session, options.account, self.log)
            notices = Notices(sender, self.log, options.misbehaviours)
            try:
                await self._live(sender, notices)
                await notices.drain()
            finally:
                await notices.stop()
                await self.line.stop()
                self._write_files()
        return self.result()

    async def _live(self, sender: WebhookSender, notices: Notices) -> None:
        try:
            answering = Answering(
                self.options, self.state, self.line, sender, notices, self._end_if_wanted, self._end_for_machine
            )
            first = await answering.answered()
            self.log.add("call_answered")
            self.performing = Performing(
                self.options, self.state, self.line, sender, notices, recordings=self._recordings
            )
            await self._follow(first, sender)
        except (CallEnded, LineOver) as ended:
            status = ended.status if isinstance(ended, CallEnded) else "completed"
            self.state.end(self.line.now_ms(), status, str(ended))
        except VonageFault as fault:
            self.log.add("carrier_error", code=fault.code, message=fault.message)
            status = "failed" if self.state.answered_ms is None else "completed"
            self.state.end(self.line.now_ms(), status, fault.message)
            if fault.code == "ncco":
                trouble = {"reason": fault.message, "conversation_uuid": self.state.conversation}
                notices.tell(self.options.event_url, trouble)
        finally:
            self.state.end(self.line.now_ms(), "failed", "the simulator was stopped")
            self.line.note_keys()
            if self.performing is not None:
                self.performing.stop_recording()
            detail = {"detail": self.state.end_reason} if self.state.answered_ms is None else {}
            if Misbehaviour.LOST_EVENTS not in self.options.misbehaviours:
                last = self.state.event(self.state.status, self.line.now_ms(), **detail)
                notices.tell(self.options.event_url, last)
            self.log.add("call_ended", status=self.state.status, reason=self.state.end_reason,
                         duration_s=self.state.duration_s)  # fmt: skip

    async def _follow(self, actions: list[Action], sender: WebhookSender) -> None:
        """Does what is said, NCCO after NCCO, until the call ends."""
        assert self.performing is not None
        following: list[Action] | None = actions
        for _ in range(_MOST_NCCOS):
            if following is None:
                raise CallEnded("completed", "the NCCO came to its end")
            self.log.add("ncco_read", actions=[type(action).__name__ for action in following])
            try:
                following = await self.performing.perform(following)
            except LineCut:
                following = await self._commanded(sender)
        raise VonageFault("ncco", f"more than {_MOST_NCCOS} NCCOs in one call")

    async def _commanded(self, sender: WebhookSender) -> list[Action] | None:
        """Raises: CallEnded, VonageFault."""
        command = self._end_if_wanted()
        if self.performing is not None:
            await self.performing.silence()
        if command is None:
            return []
        if command.ncco is not None:
            return ncco.read(command.ncco)
        return await sender.ask("transfer", command.url or "", self.state.parties())

    def _end_if_wanted(self) -> Command | None:
        """Takes what is wanted from outside. Raises: CallEnded."""
        command, self._command = self._command, None
        if command is not None and command.ends:
            unanswered = self.state.answered_ms is None
            raise CallEnded("cancelled" if unanswered else "completed", "ended from outside")
        return command

    def _end_for_machine(self) -> None:
        self.log.add("machine_hung_up")
        self.command(Command(ends=True))

    def _tell(self, name: str, at_ms: float, facts: dict[str, Any]) -> None:
        self.log.add(name, at_ms, **facts)

    def _write_files(self) -> None:
        if self.options.state_dir is not None:
            files = CallFiles(self.options.state_dir / "calls" / self.state.leg)
            files.write(self._tracks, self.log.events, self.result().to_json(), known_words(self.turns))

    def result(self) -> CallResult:
        """What the call has come to so far."""
        state, state_dir = self.state, self.options.state_dir
        return CallResult(
            call_sid=state.leg,
            status=state.status,
            end_reason=state.end_reason,
            media_opened=self.performing is not None and self.performing.has_begun,
            turns=tuple(self.turns),
            errors=tuple(_complaint(event) for event in self.log.events if event.name in _COMPLAINTS),
            duration_s=state.duration_s,
            lag_p99_ms=self.line.lag_p99_ms,
            most_waiting_ms=self.line.most_waiting_ms,
            folder=None if state_dir is None else state_dir / "calls" / state.leg,
            events=tuple(self.log.events),
        )


def _complaint(event: CallEvent) -> str:
    code = event.facts.get("code")
    return f"{code}: {event.facts['message']}" if code is not None else str(event.facts["message"])
