"""How a call comes to be up: it rings, somebody picks up, and the app says what is first."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from local_stack.phones.people import Callee
from local_stack.phones.phone_line import PhoneLine
from local_stack.phones.vonage.faults import VonageFault
from local_stack.phones.vonage.misbehaviour import Misbehaviour, signing_of
from local_stack.phones.vonage.ncco import Action
from local_stack.phones.vonage.notices import Notices
from local_stack.phones.vonage.options import CallOptions, Direction
from local_stack.phones.vonage.state import CallEnded, Command, LegState
from local_stack.phones.vonage.webhooks import PreparedRequest, WebhookSender

_TICK_S: Final = 0.02
_DETECTION_S: Final = 0.6
_NO_ANSWER: Final = {
    Callee.BUSY: ("busy", ""),
    Callee.NO_ANSWER: ("unanswered", "timeout"),
    Callee.REJECTS: ("rejected", "declined"),
    Callee.FAILED: ("failed", "cannot_route"),
}


@dataclass
class Answering:
    """Of one call. `check` raises CallEnded where the call is to end; `hang_up` makes it so."""

    options: CallOptions
    state: LegState
    line: PhoneLine
    sender: WebhookSender
    notices: Notices
    check: Callable[[], Command | None]
    hang_up: Callable[[], None]
    beside: asyncio.Task[None] | None = None
    """Machine detection that does not hold up the call."""

    async def answered(self) -> list[Action]:
        """The first NCCO, once the call is up. Raises: CallEnded, VonageFault."""
        self._tell("started")
        self.state.status = "ringing"
        self._tell("ringing")
        if self.options.direction is Direction.INBOUND:
            first = await self._first_ncco()
            self._pick_up()
            return first
        await self._ring()
        self._pick_up()
        await self._detect()
        return await self._first_ncco()

    def _pick_up(self) -> None:
        self.state.answer(self.line.now_ms())
        self._tell("answered")
        self.line.start()

    async def _ring(self) -> None:
        person, limit_s = self.options.person, self.options.ring_s
        rings_s = limit_s if person.callee is Callee.NO_ANSWER else min(person.ring_ms / 1000, limit_s)
        await self._wait(rings_s)
        if not person.callee.picks_up:
            status, detail = _NO_ANSWER[person.callee]
            raise CallEnded(status, detail or "the called side did not answer")

    async def _detect(self) -> None:
        detection, callee = self.options.detection, self.options.person.callee
        if detection is None:
            return
        if detection.mode == "default":
            self.beside = asyncio.create_task(self._tell_who(callee))
            return
        await self._tell_who(callee)

    async def _tell_who(self, callee: Callee) -> None:
        detection = self.options.detection
        await self.line.clock.sleep(_DETECTION_S)
        is_machine = callee is not Callee.ANSWERS
        self.notices.tell(self.options.event_url, self._who("machine" if is_machine else "human"))
        if detection is None or not is_machine:
            return
        if detection.hangs_up:
            self.hang_up()
            return
        if detection.mode == "detect_beep":
            has_beeped = await self._until(self._has_beeped, detection.beep_timeout_s)
            sub_state = "beep_start" if has_beeped else "beep_timeout"
            self.notices.tell(self.options.event_url, self._who("machine", sub_state=sub_state))

    def _who(self, status: str, **more: str) -> dict[str, Any]:
        """These events name the leg differently from all others."""
        event = self.state.event(status, self.line.now_ms(), **more)
        return {("call_uuid" if name == "uuid" else name): value for name, value in event.items()}

    async def _first_ncco(self) -> list[Action]:
        options = self.options
        if options.ncco is not None:
            return list(options.ncco)
        document = {**self.state.parties(), "endpoint_type": "phone"}
        document["region_url"] = "https://api-us-3.vonage.com"
        method = "GET" if Misbehaviour.GET_ANSWER in options.misbehaviours else "POST"
        request = self.sender.prepare(
            "voice", options.answer_url or "", document, signing_of(options.misbehaviours), method
        )
        actions = await self.sender.asked(request, document, options.fallback_url)
        if Misbehaviour.REPLAYED_WEBHOOK in options.misbehaviours:
            await self._replay(request)
        return actions or []

    async def _replay(self, request: PreparedRequest) -> None:
        """Sends the request again to the byte, as somebody does who has overheard it."""
        try:
            answer = await self.sender.send_once(request)
        except VonageFault as fault:
            self.line.log.add("replay_refused", message=fault.message)
        else:
            body = answer.body.decode(errors="replace")
            self.line.log.add("replay_answered", status=answer.status, body=body)

    def _has_beeped(self) -> bool:
        return self.line.conversation.turn.speech_ended_ms is not None

    async def _wait(self, seconds: float) -> None:
        """Raises: CallEnded."""
        await self._until(lambda: False, seconds)

    async def _until(self, is_done: Callable[[], bool], within_s: float) -> bool:
        """False when the time was over before. Raises: CallEnded."""
        clock = self.line.clock
        until = clock.monotonic() + within_s
        while (left_s := until - clock.monotonic()) > 0:
            self.check()
            if is_done():
                return True
            await clock.sleep(min(_TICK_S, left_s))
        return is_done()

    def _tell(self, status: str) -> None:
        self.notices.tell(self.options.event_url, self.state.event(status, self.line.now_ms()))
