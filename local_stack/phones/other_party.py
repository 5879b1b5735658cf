"""Somebody who is called for a caller, with a telephone and a plan of their own, joined with the caller's line."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, TypeVar

from local_stack.phones import tones
from local_stack.phones.answering_machine import plan_of, said_by
from local_stack.phones.call_files import CallFiles, LineTracks, known_words
from local_stack.phones.call_result import CallResult
from local_stack.phones.conversation import Conversation, Phase
from local_stack.phones.events import EventLog
from local_stack.phones.frame_clock import Clock
from local_stack.phones.mixer import Member, Mixer
from local_stack.phones.people import CalledPerson
from local_stack.phones.phone_line import LineOver, PhoneLine

T = TypeVar("T")
_LONGEST_MS: Final = 7_200_000


class OtherParty:
    """The person at `number`, once the phone is picked up; `leg` is the provider's id of this end."""

    def __init__(
        self, person: CalledPerson, leg: str, numbers: tuple[str, str], clock: Clock, state_dir: Path | None
    ) -> None:
        """`numbers`: who is shown to call, and who is called."""
        self.log = EventLog(clock.wall_ms)
        self._leg = leg
        said = said_by(person.callee, person.utterances)
        self._conversation = Conversation(plan_of(person.callee, person.plan), said, self._tell)
        self._tracks = LineTracks()
        self.line = PhoneLine(clock, self.log, self._conversation, self._tracks, max_call_ms=_LONGEST_MS)
        self._picked_up_ms = clock.wall_ms()
        self._folder = None if state_dir is None else state_dir / "calls" / leg
        caller, callee = numbers
        self.log.add("call_started", None, call_sid=leg, direction="outbound", **{"from": caller, "to": callee})

    def pick_up(self, keys: str = "") -> None:
        """`keys` are pressed at once, w and W standing for pauses."""
        self._picked_up_ms = self.line.now_ms()
        self.log.add("call_answered")
        self.line.start()
        if keys:
            self.log.add("keys_sent", digits=keys)
            self.line.play(tones.keys(keys))

    @property
    def has_left(self) -> bool:
        """The person has put the phone down."""
        return self._conversation.phase is Phase.DONE or self.line.time_is_up

    @property
    def stayed_s(self) -> float:
        return (self.line.now_ms() - self._picked_up_ms) / 1000

    async def hear(self, ulaw_8k: bytes) -> None:
        """What is for this person alone; over early if the person leaves."""
        self.line.play(ulaw_8k)
        with suppress(LineOver):
            await self.line.until(lambda: not self.line.playback.audible_waiting)

    async def talk_with(self, caller: PhoneLine, within_s: float) -> None:
        """Both hear each other until one hangs up or the time is over. Raises: LineOver, LineCut of the caller."""
        mixer = Mixer()
        mixer.join(Member("caller", caller))
        mixer.join(Member("callee", self.line))
        self.log.add("bridged")
        try:
            await caller.until(lambda: self.has_left, within_s)
        finally:
            mixer.leave("caller")
            mixer.leave("callee")

    async def hang_up(self) -> None:
        """The telephone is taken away, and what came of it is kept."""
        await self.line.stop()
        self.line.note_keys()
        duration_s = round(self.stayed_s)
        reason = "the caller hung up" if self._conversation.phase is Phase.DONE else "ended from outside"
        self.log.add("call_ended", status="completed", reason=reason, duration_s=duration_s)
        if self._folder is None:
            return
        turns = tuple(self._conversation.turns)
        result = CallResult(
            call_sid=self._leg,
            status="completed",
            end_reason=reason,
            media_opened=False,
            turns=turns,
            errors=(),
            duration_s=duration_s,
            lag_p99_ms=self.line.lag_p99_ms,
            most_waiting_ms=self.line.most_waiting_ms,
            folder=self._folder,
        )
        CallFiles(self._folder).write(self._tracks, self.log.events, result.to_json(), known_words(turns))

    def _tell(self, name: str, at_ms: float, facts: dict[str, Any]) -> None:
        self.log.add(name, at_ms, **facts)


async def ring(line: PhoneLine, seconds: float) -> None:
    """So long the caller hears it ring at the other end. Raises: LineOver, LineCut."""
    await _ring_until(line, lambda: False, seconds)


async def ring_during(line: PhoneLine, deed: Awaitable[T]) -> T:
    """The caller hears it ring until it is done. Raises: LineOver, LineCut, and what it raises."""
    task = asyncio.ensure_future(deed)
    try:
        await _ring_until(line, task.done, None)
        return task.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _ring_until(line: PhoneLine, is_done: Callable[[], bool], seconds: float | None) -> None:
    def rings_and_is_done() -> bool:
        if not line.playback.audible_waiting and not line.playback.waiting_ms:
            line.play(tones.ringing())
        return is_done()

    try:
        await line.until(rings_and_is_done, seconds)
    finally:
        line.playback.clear()
