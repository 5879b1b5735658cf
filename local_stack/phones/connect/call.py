"""One contact from the first ring to its last event, as Amazon Connect handles it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from local_stack.phones.call_files import CallFiles, LineTracks, known_words
from local_stack.phones.call_result import CallResult
from local_stack.phones.connect.account import Account
from local_stack.phones.connect.blocks import run_flow
from local_stack.phones.connect.contact import Contact
from local_stack.phones.connect.flow import Flow
from local_stack.phones.connect.forgery import forge_requests
from local_stack.phones.connect.functions import Functions
from local_stack.phones.connect.misbehaviour import HANG_UP_IN_REPLY_AFTER_MS, Misbehaviour
from local_stack.phones.connect.notices import Notices
from local_stack.phones.connect.options import ContactOptions
from local_stack.phones.connect.stage import ContactEnded, Stage
from local_stack.phones.connect.video_streams import VideoStream, VideoStreams
from local_stack.phones.conversation import Conversation, Plan
from local_stack.phones.events import CallEvent, EventLog, Listener
from local_stack.phones.frame_clock import Clock, SystemClock
from local_stack.phones.measures import Turn
from local_stack.phones.people import Callee, People
from local_stack.phones.phone_line import LineCut, LineOver, PhoneLine
from local_stack.phones.provider_speech import ProviderSpeech

_COMPLAINTS: Final = frozenset({"carrier_error", "callback_failed"})
_EVENTS_WITHIN_S: Final = 10.0
_NOT_TAKEN: Final = {
    Callee.BUSY: "OUTBOUND_DESTINATION_ENDPOINT_ERROR",
    Callee.FAILED: "OUTBOUND_DESTINATION_ENDPOINT_ERROR",
    Callee.REJECTS: "OTHER",
    Callee.NO_ANSWER: "OTHER",
}


class ConnectCall:
    """A simulated contact. `run` goes through it and returns when all of it is over."""

    def __init__(
        self,
        account: Account,
        options: ContactOptions,
        *,
        flow: Flow,
        functions: Functions,
        streams: VideoStreams,
        speech: ProviderSpeech,
        people: People,
        state_dir: Path | None = None,
        listener: Listener | None = None,
        clock: Clock | None = None,
    ) -> None:
        clock = clock or SystemClock()
        self.options = options
        self.log = EventLog(clock.wall_ms, listener)
        customer = "" if Misbehaviour.WITHHELD_NUMBER in options.misbehaviours else options.customer
        self.contact = Contact(account, customer, options.system, options.is_outbound, clock.wall_ms())
        self.contact.attributes |= options.attributes
        self._flow = flow
        self._streams = streams
        self._stream: VideoStream | None = None
        self._state_dir = state_dir
        self._tracks = LineTracks()
        self._command = ""
        self._conversation = Conversation(_plan_of(options), options.utterances, self._tell, options.murmur)
        self.line = PhoneLine(
            clock, self.log, self._conversation, self._tracks,
            max_call_ms=options.max_call_ms, is_cut=lambda: bool(self._command),
        )  # fmt: skip
        self._stage = Stage(
            self.contact, functions, self.line, self.log, speech, options.misbehaviours, people, options.app_url,
            self._start_streaming, state_dir,
        )  # fmt: skip
        self._notices = Notices(self._stage)

    @property
    def turns(self) -> Sequence[Turn]:
        return self._conversation.turns

    def stop(self, reason: str) -> None:
        """Ended from outside, within 20 ms; the reason is Connect's word."""
        self._command = self._command or reason

    async def run(self) -> CallResult:
        """Whatever the app does wrong stands in the result and is never raised."""
        options = self.options
        direction = "outbound-api" if options.is_outbound else "inbound"
        sides = (options.customer, options.system)
        caller, callee = reversed(sides) if options.is_outbound else sides
        numbers = {"from": caller, "to": callee}
        self.log.add("call_started", None, call_sid=self.contact.contact_id, direction=direction, **numbers)
        try:
            await self._live()
            await self._drain()
        finally:
            for task in tuple(self._stage.background):
                task.cancel()
            self._write_files()
        return self.result()

    async def _live(self) -> None:
        reason, why = "OTHER", "the simulator was stopped"
        try:
            self._notices.tell("INITIATED")
            await self._ring()
            self._connect()
            await run_flow(self._flow, self._stage)
        except ContactEnded as ended:
            reason, why = ended.reason, str(ended)
        except LineOver as over:
            reason, why = "CUSTOMER_DISCONNECT", str(over)
        except LineCut:
            reason, why = self._command, "ended from outside"
        finally:
            await self.line.stop()
            self.line.note_keys()
            self.contact.ended_ms, self.contact.end_reason = self.line.now_ms(), reason
            if self._stream is not None:
                self.line.listeners.remove(self._stream.take)
                self._stream.end(self.line.now_ms())
            self._notices.tell("DISCONNECTED")
            self.log.add("call_ended", status=self.status, reason=why, duration_s=self._duration_s)

    async def _ring(self) -> None:
        options = self.options
        if not options.is_outbound:
            return
        self.contact.ringing_ms = self.line.now_ms()
        until = self.line.clock.monotonic() + min(options.ring_ms, options.ring_timeout_ms) / 1000
        while self.line.clock.monotonic() < until and not self._command:
            await self.line.clock.sleep(0.02)
        if self._command:
            raise LineCut
        if not options.callee.picks_up or options.ring_ms > options.ring_timeout_ms:
            raise ContactEnded(_NOT_TAKEN.get(options.callee, "OTHER"), "the called side did not answer")

    def _connect(self) -> None:
        self.contact.connected_ms = self.line.now_ms()
        self.log.add("call_answered")
        if self.options.is_outbound:
            self._notices.tell("CONNECTED_TO_SYSTEM")
        if Misbehaviour.FORGED_REQUEST in self.options.misbehaviours:
            self._stage.beside(forge_requests(self._stage))

    def _start_streaming(self) -> None:
        if self._stream is None:
            self._stream = self._streams.open(self.contact.contact_id, self.options.misbehaviours)
            self.contact.stream_arn = self._stream.arn
            self.contact.start_fragment = str(self._stream.next_number)
            self.line.listeners.append(self._stream.take)

    async def _drain(self) -> None:
        """What is still told of the contact."""
        try:
            async with asyncio.timeout(_EVENTS_WITHIN_S):
                await asyncio.gather(*self._stage.background, return_exceptions=True)
                await self._notices.finish()
        except TimeoutError:
            self.log.add("callback_failed", message="contact events were not taken in time")

    @property
    def status(self) -> str:
        """`completed` once the flow has run; else what became of the call."""
        if self.contact.ended_ms is None:
            return "in-progress" if self.contact.connected_ms else "initiated"
        if self.contact.connected_ms is not None:
            return "completed"
        return "no-answer" if self.options.is_outbound else "failed"

    @property
    def _duration_s(self) -> int:
        began, ended = self.contact.connected_ms, self.contact.ended_ms
        return 0 if began is None or ended is None else round((ended - began) / 1000)

    def _tell(self, name: str, at_ms: float, facts: dict[str, Any]) -> None:
        self.log.add(name, at_ms, **facts)

    def _write_files(self) -> None:
        if self._state_dir is not None:
            files = CallFiles(self._state_dir / "calls" / self.contact.contact_id)
            files.write(self._tracks, self.log.events, self.result().to_json(), known_words(self.turns))

    def result(self) -> CallResult:
        """What the contact has come to so far."""
        return CallResult(
            call_sid=self.contact.contact_id,
            status=self.status,
            end_reason=self.contact.end_reason,
            media_opened=self._stage.taken_up,
            turns=tuple(self.turns),
            errors=tuple(_complaint(event) for event in self.log.events if event.name in _COMPLAINTS),
            duration_s=self._duration_s,
            lag_p99_ms=self.line.lag_p99_ms,
            most_waiting_ms=self.line.most_waiting_ms,
            folder=None if self._state_dir is None else self._state_dir / "calls" / self.contact.contact_id,
            events=tuple(self.log.events),
        )


def _complaint(event: CallEvent) -> str:
    return str(event.facts["message"])


def _plan_of(options: ContactOptions) -> Plan:
    plan = options.plan
    if Misbehaviour.NEVER_SPEAKS in options.misbehaviours:
        plan = replace(plan, speaks=False)
    if Misbehaviour.HANGS_UP_IN_REPLY in options.misbehaviours:
        plan = replace(plan, hang_up_in_reply_after_ms=HANG_UP_IN_REPLY_AFTER_MS)
    return plan
