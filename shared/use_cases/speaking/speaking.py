"""Plays one answer to the caller: not before its take is final, never too far ahead, never twice, silent when told,
and never so late that the caller wonders.
"""

from __future__ import annotations

import asyncio
import logging
import math
from dataclasses import dataclass
from functools import partial

from shared.domain.call import Agent, TurnOutcome
from shared.domain.errors import MediaError
from shared.domain.interruption import Hold, Order, Resume, Stop
from shared.domain.ledger import Cost, Moment
from shared.domain.playback import Sent
from shared.domain.steps import TurnRequest
from shared.ports.clock import Clock
from shared.ports.pipes import Pipes
from shared.use_cases.speaking.recovery import Past
from shared.use_cases.speaking.remedies import Prepared, Remedies
from shared.use_cases.speaking.sending import Afterwards, AudioKeeping, Sending
from shared.use_cases.speaking.speaking_news import SpeakingNews
from shared.use_cases.speaking.speaking_notes import SpeakingNotes
from shared.use_cases.speaking.synthesis import Synthesis, Voice
from shared.use_cases.speaking.take_following import TakeFollowing
from shared.use_cases.waiting import Waiting

logger = logging.getLogger(__name__)

_MARK_GRACE_MS = 1500
"""How long after the computed end the last mark is waited for."""
_LONGEST_HOLD_MS = 10_000
_SECOND_CHANCE_MS = 1500
"""A step that is run again late has at least so long before its answer is given up."""


@dataclass(frozen=True, slots=True)
class SpeakingParts:
    """What speaking works with."""

    pipes: Pipes
    waiting: Waiting
    clock: Clock
    voice: Voice
    sending: Sending
    keeping: AudioKeeping
    notes: SpeakingNotes
    prepared: Prepared


class Speaking:
    """One turn's answer. `run` alone decides and sends; all that goes on beside it only tells it the news."""

    def __init__(
        self, parts: SpeakingParts, request: TurnRequest, agent: Agent, past: Past, journal: dict[str, str]
    ) -> None:
        self.outcome: TurnOutcome | None = None
        self.interruption: dict[str, float] = {}
        """When the caller began to speak into the answer, and when the line was cleared."""
        self.is_stopped = False
        self._spoken_into_ms: float | None = None
        self._cleared_ms: float | None = None
        self._parts = parts
        self._clock = parts.clock
        self._playback = parts.sending.playback
        self._request = request
        self._past = past
        self._turn_ended_ms = float(journal.get(Moment.TURN_ENDED, 0.0))
        self._second_chance_ms = self._clock.now_ms() + _SECOND_CHANCE_MS - agent.manner.reply_limit_ms
        self._news = SpeakingNews(
            parts.pipes, parts.waiting, parts.clock, request, past, interrupts=agent.interruptible
        )
        self._following = TakeFollowing(parts.waiting, request, parts.voice, self._news.wake, past.pieces)
        self._afterwards = Afterwards()
        self._remedies = Remedies(
            parts.prepared,
            parts.clock,
            request,
            agent,
            sending=parts.sending,
            notes=parts.notes,
            afterwards=self._afterwards,
            on_news=self._news.wake,
        )
        self._held: tuple[int, float] | None = None
        self._held_since_ms = self._resumed_ms = 0.0
        self._place: tuple[int, int] | None = None
        self._has_answered = past.playback.has_answered

    @property
    def said(self) -> str:
        """The words that reached the caller."""
        final = self._following.final
        if final is None:
            return ""
        return self._playback.heard(final.texts, final.whole_ms, self._playback.ends_at_ms)

    async def run(self) -> TurnOutcome:
        """Until the answer has been heard, or is stopped; gives how it ended. Raises: MediaError (retryable),
        StoreError: run again, the step goes on where it stopped.
        """
        deeds = (
            self._following.follow_takes(),
            self._following.follow_sentences(),
            self._news.follow_orders(),
            self._news.follow_events(),
            self._news.follow_answer_before(),
            self._keep_sound(),
            self._afterwards.run(),
        )
        tasks = [asyncio.create_task(deed) for deed in deeds]
        for task in tasks:
            task.add_done_callback(lambda _: self._news.wake())
        try:
            while self.outcome is None:
                self._news.read()
                self._raise_failure(tasks)
                due_ms = await self._go_on_line(self._clock.now_ms())
                if self.outcome is None:
                    await self._news.until(due_ms)
            self._afterwards.end()
            await tasks[-1]
            return self.outcome
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, self._remedies.close(), self._following.close(), return_exceptions=True)
            self._count()

    def _raise_failure(self, tasks: list[asyncio.Task[None]]) -> None:
        final = self._following.final
        for task in (*tasks, final.task) if final else tasks:
            if task.done() and not task.cancelled() and (error := task.exception()) is not None:
                raise error

    def _count(self) -> None:
        final = self._following.final
        self._parts.notes.count(Cost.CHARACTERS_SPOKEN, final.characters if final else 0)
        self._parts.notes.count(Cost.CHARACTERS_WITHDRAWN, self._following.characters_withdrawn)

    async def _keep_sound(self) -> None:
        """Keep what is made of the final take, ahead of its playing."""
        while True:
            if (final := self._following.final) is not None:
                await self._parts.keeping.keep(final.pieces, len(final.pieces))
            await self._news.growth()

    # what is decided

    async def _go_on_line(self, now_ms: float) -> float:
        try:
            return await self._go_on(now_ms)
        except MediaError as error:
            if error.retryable:
                raise
            logger.info(
                "call %s turn %d: the line is gone: %s", self._request.call_id, self._request.turn, error.code
            )
            self._playback.cut(self._clock.now_ms())
            self.outcome = TurnOutcome.INTERRUPTED if self._has_answered else TurnOutcome.UNHEARD
            return now_ms

    async def _go_on(self, now_ms: float) -> float:
        """Do the next thing; gives when something is due again unless there is news before."""
        if self._news.orders and not self._knows_its_words():
            return math.inf
        if self._news.orders:
            await self._obey(*self._news.orders.popleft(), now_ms)
            return now_ms
        if self._held is not None:
            if now_ms >= self._held_since_ms + _LONGEST_HOLD_MS:
                await self._stop(now_ms)
            return self._held_since_ms + _LONGEST_HOLD_MS
        final = self._following.final
        if final is None:
            if self._following.is_over:
                self.outcome = TurnOutcome.UNHEARD
            return math.inf
        if self._news.free_at_ms is None:
            return math.inf
        return await self._answer(final, now_ms)

    def _knows_its_words(self) -> bool:
        """Run again, it first has to read what it was that it said."""
        last, final = self._playback.last_of_answer, self._following.final
        return last is None or (final is not None and last.piece.sentence in final.texts)

    async def _answer(self, final: Synthesis, now_ms: float) -> float:
        if self._place is None:
            self._wait_from()
            self._place = final.place_after(self._playback.last_of_answer)
        if self._place[0] < len(final.pieces):
            return await self._play(final, *self._place, now_ms)
        if final.is_hopeless and not final.is_given_up:
            await self._remedies.rescue(final)
            return now_ms
        return self._end(final, now_ms) if final.is_complete else await self._remedies.look(final, now_ms)

    def _wait_from(self) -> None:
        """The caller waits from the end of the turn on, or of the answer before, or of what was said before this step
        was run again, or since nothing more holds the answer.
        """
        at_ms = max(self._turn_ended_ms or self._following.final_at_ms, self._news.free_at_ms or 0.0)
        self._remedies.lateness.begin(max(at_ms, self._playback.ends_at_ms, self._second_chance_ms, self._resumed_ms))

    async def _play(self, final: Synthesis, index: int, skipped_bytes: int, now_ms: float) -> float:
        piece = final.pieces[index]
        if piece.pcm:
            if (wait_ms := self._playback.wait_ms(now_ms)) > 0:
                return now_ms + wait_ms
            self._has_answered = True
            sent = await self._parts.sending.send(final.pieces, index, skipped_bytes)
            self._remedies.lateness.begin(self._playback.ends_at_ms)
            self._tell(sent, final)
        self._place = index + 1, 0
        return now_ms

    def _tell(self, sent: Sent, final: Synthesis) -> None:
        """The journal, and who has a screen, learn what is being said."""
        entries, text = self._parts.notes.of_sent(sent, final, self._clock.now_ms())
        self._afterwards.do(partial(self._parts.sending.confirm, sent))
        if entries:
            self._afterwards.do(partial(self._parts.notes.note, entries))
        if text:
            self._afterwards.do(partial(self._parts.sending.show, text))

    def _end(self, final: Synthesis, now_ms: float) -> float:
        """Everything was sent: wait until it has been heard."""
        overdue_ms = self._playback.ends_at_ms + _MARK_GRACE_MS
        if self._playback.all_marked or now_ms >= overdue_ms:
            self.outcome = self._outcome_of(final)
        return overdue_ms

    def _outcome_of(self, final: Synthesis) -> TurnOutcome:
        if final.has_failed or final.answer.has_failed:
            return TurnOutcome.FAILED
        return TurnOutcome.COMPLETED if self._has_answered else TurnOutcome.UNHEARD

    # orders

    async def _obey(self, order: Order, is_old: bool, now_ms: float) -> None:
        """An old order was given before this step was run again."""
        match order:
            case Hold(number, at_ms) if number in self._past.held:
                self._held, self._held_since_ms = (number, self._past.held[number]), now_ms
                if not self._news.orders:  # who wrote that it was silent may have died before it was
                    await self._silence()
            case Hold(number, at_ms):
                self._spoken_into_ms = at_ms
                await self._hold(number, at_ms if is_old else now_ms)
            case Resume(number):
                if self._held is not None and self._held[0] == number:
                    self._resume(now_ms, is_old=is_old)
            case Stop(at_ms):
                await self._stop(at_ms if is_old else now_ms)

    async def _hold(self, number: int, at_ms: float) -> None:
        """Fall silent; what was heard until then is written down for the turn that may follow."""
        self._held, self._held_since_ms = (number, at_ms), self._clock.now_ms()
        self._playback.cut(at_ms)
        final = self._following.final
        left_ms = final.left_ms(self._playback.last_of_answer) if final else math.inf
        noted = self._parts.notes.held(number, at_ms, self.said, self._playback, left_ms)
        await asyncio.gather(self._silence(), noted)

    def _resume(self, now_ms: float, *, is_old: bool) -> None:
        self._held = None
        self._place = None
        self._resumed_ms = now_ms
        if not is_old:
            self._parts.notes.count(Cost.FALSE_INTERRUPTIONS)

    async def _silence(self) -> None:
        if self._playback.newest:
            await self._parts.sending.clear()
            self._cleared_ms = self._clock.now_ms()

    def _has_heard_all(self, final: Synthesis) -> bool:
        index, _ = final.place_after(self._playback.last_of_answer)
        return final.is_complete and index >= len(final.pieces) > 0

    async def _stop(self, at_ms: float) -> None:
        """The answer is over for good; what was heard is counted up to the hold, if there was one."""
        self.is_stopped = True
        if self._held is None:
            self._playback.cut(at_ms)
        final = self._following.final
        if final is not None and self._has_heard_all(final):
            self.outcome = self._outcome_of(final)
            return
        self.outcome = TurnOutcome.INTERRUPTED if self._has_answered else TurnOutcome.UNHEARD
        if self._held is None:
            await self._silence()
        if self._has_answered:
            began_ms = at_ms if self._spoken_into_ms is None else self._spoken_into_ms
            self.interruption = {Moment.INTERRUPTED: began_ms}
            if self._cleared_ms is not None:
                self.interruption[Moment.CLEARED] = self._cleared_ms
