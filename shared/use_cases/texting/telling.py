"""Tells the caller one answer in words: sentence by sentence, not when told to stop, and never too late."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from shared.domain.call import Agent, TurnOutcome
from shared.domain.errors import MediaError, StoreError
from shared.domain.fillers import apology_of, without_fillers
from shared.domain.interruption import Stop
from shared.domain.lateness import Lateness
from shared.domain.ledger import Cost, Moment
from shared.domain.steps import TurnRequest
from shared.ports.clock import Clock
from shared.ports.live_calls import LiveCalls
from shared.use_cases.speaking.first_sound import FirstSound
from shared.use_cases.speaking.speaking_notes import SpeakingNotes
from shared.use_cases.texting.answer_following import AnswerFollowing
from shared.use_cases.texting.fillers import next_filler
from shared.use_cases.texting.outlets import Outlet, close_quietly

logger = logging.getLogger(__name__)

IS_KNOWN = "heard_is_known"
"""An entry of the journal: the line itself has told what was heard of the answer."""
_SECOND_CHANCE_MS = 1500
"""A step that is run again late has at least so long before its answer is given up."""


@dataclass(frozen=True, slots=True)
class TellingParts:
    """What telling works with. `has_socket`: what is sent is said at once, fillers too; `spoken`: gives the agent as
    it is to be heard, once the words are there.
    """

    clock: Clock
    live_calls: LiveCalls
    outlet: Outlet
    following: AnswerFollowing
    notes: SpeakingNotes
    first_sound: FirstSound
    has_socket: bool
    spoken: Callable[[Agent], Awaitable[Agent]]


class Telling:
    """One turn's answer. `run` alone decides and sends; all that goes on beside it only tells it the news."""

    def __init__(self, parts: TellingParts, request: TurnRequest, agent: Agent, journal: dict[str, str]) -> None:
        self.outcome: TurnOutcome | None = None
        self.is_stopped = False
        self.said = ""
        self.is_known = False
        self.moments: dict[str, float] = {}
        self._parts = parts
        self._following = parts.following
        self._outlet = parts.outlet
        self._request = request
        self._agent = agent
        self._lateness = Lateness(agent.manner, fills=parts.has_socket and request.turn > 0)
        self._turn_ended_ms = float(journal.get(Moment.TURN_ENDED, 0.0))
        self._has_filled = Moment.FILLER in journal
        self._has_first = Moment.FIRST_FRAME_SENT in journal
        self._began_ms = parts.clock.now_ms()
        self._waits = False
        self._is_finished = False
        self._is_given_up = Moment.RESCUED in journal

    async def run(self) -> TurnOutcome:
        """Until the answer has been told, or is stopped; gives how it ended. Raises: MediaError (retryable),
        StoreError: run again, the step goes on where it stopped.
        """
        following = self._following
        await asyncio.gather(self._outlet.restore(), following.restore())
        if self._outlet.texts:
            self._parts.first_sound.tell()
        deeds = (
            following.follow_takes(),
            following.follow_sentences(),
            following.follow_orders(),
            following.follow_events(),
            following.follow_answer_before(interruptible=self._agent.interruptible),
            following.follow_words_after(interruptible=self._agent.interruptible or not self._parts.has_socket),
            self._outlet.follow(following.wake),
        )
        tasks = [asyncio.create_task(deed) for deed in deeds]
        for task in tasks:
            task.add_done_callback(lambda _: following.wake())
        try:
            while self.outcome is None:
                following.read()
                for task in tasks:
                    if task.done() and not task.cancelled() and (error := task.exception()) is not None:
                        raise error
                due_ms = await self._go_on_line(self._parts.clock.now_ms())
                if self.outcome is None:
                    await following.until(due_ms)
            return self.outcome
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _go_on_line(self, now_ms: float) -> float:
        try:
            return await self._go_on(now_ms)
        except MediaError as error:
            if error.retryable:
                raise
            if await self._outlet.comes_back():
                return now_ms
            logger.info(
                "call %s turn %d: the line is gone: %s", self._request.call_id, self._request.turn, error.code
            )
            self._break_off(None)
            return now_ms

    async def _go_on(self, now_ms: float) -> float:
        """Do the next thing; gives when something is due again unless there is news before."""
        following = self._following
        while following.losses:
            if self._outlet.lose(following.losses.pop(0)):
                self._is_finished = False
        if following.stop is not None:
            await self._stop(following.stop)
            return now_ms
        if following.final_at_ms is None:
            if following.is_over:
                self.outcome = TurnOutcome.UNHEARD
            return math.inf
        if not following.is_free:
            return math.inf
        if not self._waits:
            self._waits = True
            self._agent = await self._parts.spoken(self._agent)
            self._outlet.language = self._agent.language
            waits_from_ms = self._turn_ended_ms or following.final_at_ms
            second_chance_ms = self._began_ms + _SECOND_CHANCE_MS - self._agent.manner.reply_limit_ms
            self._lateness.begin(max(waits_from_ms, second_chance_ms, self._outlet.sounds_until_ms))
        return await self._tell(now_ms)

    @property
    def _texts(self) -> list[str]:
        """What has gone out, and what is there to go out."""
        out = self._outlet.texts
        if not self._is_given_up:
            return [*out, *self._following.sentences[len(out) :]]
        apology = apology_of(self._agent)
        return out if apology in out else [*out, apology]

    async def _tell(self, now_ms: float) -> float:
        is_whole = self._following.is_whole or self._is_given_up
        texts, out = self._texts, len(self._outlet.texts)
        if out < len(texts):
            await self._say(texts[out], is_last=is_whole and out + 1 == len(texts))
            return now_ms
        if not is_whole:
            return await self._mend(now_ms)
        if not self._is_finished:
            self._is_finished = True
            await self._outlet.finish()
        over_at_ms = self._outlet.over_at_ms()
        if now_ms >= over_at_ms or self._following.is_followed:
            self.said = " ".join(texts)
            self.outcome = self._outcome_of_whole()
            self._note_end()
        return over_at_ms

    async def _say(self, text: str, *, is_last: bool) -> None:
        await self._outlet.say(text, is_last=is_last)
        self._lateness.begin(max(self._parts.clock.now_ms(), self._outlet.sounds_until_ms))
        self._parts.first_sound.tell()
        entries: dict[str, str | float] = {"saying": " ".join(self._outlet.texts)}
        if self._parts.has_socket and not self._has_first:
            self._has_first = True
            entries[Moment.FIRST_FRAME_SENT] = self._parts.clock.now_ms()
        await self._parts.notes.note(entries)

    # an answer that is late

    async def _mend(self, now_ms: float) -> float:
        sounds_until_ms = self._outlet.sounds_until_ms
        limit_at_ms = self._lateness.limit_at_ms(sounds_until_ms)
        filler_at_ms = self._lateness.filler_at_ms(sounds_until_ms)
        if now_ms >= limit_at_ms:
            logger.warning("call %s turn %d: the answer is given up", self._request.call_id, self._request.turn)
            self._is_given_up = True
            await self._parts.notes.note({Moment.RESCUED: now_ms})
            return now_ms
        if now_ms < filler_at_ms:
            return min(limit_at_ms, filler_at_ms)
        self._lateness.filled()
        await self._fill(now_ms)
        return now_ms

    async def _fill(self, now_ms: float) -> None:
        try:
            filler = await next_filler(self._parts.live_calls, self._agent, self._request.call_id)
        except StoreError as error:
            logger.warning("call %s turn %d: no filler: %s", self._request.call_id, self._request.turn, error)
            return
        if not filler:
            return
        await self._outlet.fill(filler)
        self._parts.notes.count(Cost.FILLERS)
        if not self._has_filled:
            self._has_filled = True
            await self._parts.notes.note({Moment.FILLER: now_ms})

    # its end

    async def _stop(self, order: Stop) -> None:
        """The answer is over for good; what the line was given by then has been heard, unless it knows better."""
        self.is_stopped = True
        await self._outlet.restore()
        if not self._is_finished:
            await close_quietly(self._outlet)
        self._break_off(order)

    def _break_off(self, order: Stop | None) -> None:
        given = self._outlet.texts[: self._outlet.given]
        self.said = " ".join(given)
        is_complete = self._following.is_complete or self._is_given_up
        has_all = bool(given) and is_complete and len(given) == len(self._texts)
        if order is not None and order.heard is not None and given:
            earlier, rest = given[: self._outlet.earlier], given[self._outlet.earlier :]
            heard = without_fillers(self._agent, order.heard.strip(), " ".join(rest))
            heard = " ".join([*earlier, *heard.split(" ")]).strip()
            has_all = has_all and heard.split() == self.said.split()
            self.said, self.is_known = heard, True
        if has_all:
            self.outcome = self._outcome_of_whole()
        elif given:
            self.outcome = TurnOutcome.INTERRUPTED
            if order is not None:
                self.moments[Moment.INTERRUPTED] = order.at_ms
        else:
            self.outcome = TurnOutcome.UNHEARD
        self._note_end()

    def _note_end(self) -> None:
        if not self.said:
            return
        now_ms = self._parts.clock.now_ms()
        is_cut = self.outcome is TurnOutcome.INTERRUPTED
        self.moments[Moment.PLAYBACK_ENDED] = now_ms if is_cut else max(self._outlet.sounds_until_ms, 0.0) or now_ms

    def _outcome_of_whole(self) -> TurnOutcome:
        if self._following.has_failed or self._is_given_up:
            return TurnOutcome.FAILED
        return TurnOutcome.COMPLETED if self._outlet.texts else TurnOutcome.UNHEARD
