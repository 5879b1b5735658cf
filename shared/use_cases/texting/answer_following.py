"""What becomes known of one turn's answer while it is told: its sentences, orders, and the end of the call."""

from __future__ import annotations

import asyncio
import math
from contextlib import aclosing

from shared.domain import pipe_names, takes
from shared.domain.interruption import Stop
from shared.domain.limits import LONGEST_ANSWER_S
from shared.domain.steps import TurnRequest
from shared.domain.takes import Ended, Failed, Final, TakeEvent
from shared.ports.clock import Clock
from shared.ports.pipes import Entry, Pipes
from shared.use_cases.waiting import Waiting, is_end

_INTERRUPTED_WITHIN_S = 2.0


class AnswerFollowing:
    """`sentences` of the take that is final, known at `final_at_ms`; `is_whole`: there will be no more of them, and
    `is_complete`: they are the whole answer. `is_over`: the call has ended without one. `is_free`: nobody else speaks
    on the line. `is_followed`: there are words of the next turn. `losses`: when sockets of the call broke (Unix
    epoch, in ms), until somebody takes them.
    """

    def __init__(self, pipes: Pipes, waiting: Waiting, clock: Clock, request: TurnRequest, *, waits_for_line: bool):
        self.sentences: list[str] = []
        self.is_whole = False
        self.is_complete = False
        self.has_failed = False
        self.is_over = False
        self.final_at_ms: float | None = None
        self.stop: Stop | None = None
        self.losses: list[float] = []
        self.is_followed = False
        self.is_free = not waits_for_line or not request.turn
        self._pipes = pipes
        self._waiting = waiting
        self._clock = clock
        self._request = request
        self._take = 0
        self._written: list[Entry] = []
        self._news = asyncio.Event()

    def wake(self) -> None:
        """Something has happened: whoever waits looks again."""
        self._news.set()

    async def until(self, due_ms: float) -> None:
        """Until there is news, or it is so late."""
        wait_s = (due_ms - self._clock.now_ms()) / 1000
        try:
            async with asyncio.timeout(None if math.isinf(wait_s) else max(0.0, wait_s)):
                await self._news.wait()
        except TimeoutError:
            return

    def read(self) -> None:
        """What has happened until now is known."""
        self._news.clear()

    async def restore(self) -> None:
        """Learn what stands in the pipes already."""
        heard, self._written = await asyncio.gather(
            self._pipes.read(self._pipe(pipe_names.TRANSCRIPT)), self._pipes.read(self._pipe(pipe_names.SENTENCES))
        )
        for entry in heard:
            self._note(takes.read(entry.position, entry.fields))
        self._grow()

    async def follow_takes(self) -> None:
        """Until one of them is final, or the call has ended."""
        async with aclosing(self._waiting.takes(self._request)) as events:
            async for event in events:
                self._note(event)
                if isinstance(event, Final | Failed | Ended):
                    return

    def _note(self, event: TakeEvent) -> None:
        match event:
            case Final(take) | Failed(take) if self.final_at_ms is None:
                self._take, self.final_at_ms = take, self._clock.now_ms()
                self._grow()
            case Ended():
                self.is_over = self.final_at_ms is None
                self.wake()
            case _:
                pass

    async def follow_sentences(self) -> None:
        """Until thinking has ended."""
        after = self._written[-1].position if self._written else "0-0"
        async with aclosing(self._pipes.follow(self._pipe(pipe_names.SENTENCES), after)) as batches:
            async for batch in batches:
                self._written += batch
                self._grow()
                if batch and is_end(batch[-1]):
                    return

    async def follow_orders(self) -> None:
        async with aclosing(self._waiting.orders(self._request)) as orders:
            async for order in orders:
                if isinstance(order, Stop):
                    self._stop(order)
                    return
        self._stop(Stop(self._clock.now_ms()))  # the call is over

    async def follow_events(self) -> None:
        """Until the call is over."""
        events = pipe_names.events(self._request.call_id)
        async with aclosing(self._waiting.entries(self._request.call_id, events)) as entries:
            async for entry in entries:
                if entry.fields.get(b"event") == b"end":
                    break
                if entry.fields.get(b"event") == b"lost":
                    self.losses.append(entry.at_ms)
                    self.wake()
        self._stop(Stop(self._clock.now_ms()))

    async def follow_words_after(self, *, interruptible: bool) -> None:
        """Until the caller takes the next turn: of an answer that may not be interrupted all has been said then."""
        if interruptible:
            return
        call_id, turn = self._request.call_id, self._request.turn + 1
        transcript = pipe_names.turn(call_id, turn, pipe_names.TRANSCRIPT)
        self.is_followed = await self._waiting.first(call_id, transcript) is not None
        self.wake()

    async def follow_answer_before(self, *, interruptible: bool) -> None:
        """Until it has been said or broken off; one that was broken off soon is."""
        if self.is_free:
            return
        spoken = pipe_names.turn(self._request.call_id, self._request.turn - 1, pipe_names.SPOKEN)
        within_s = _INTERRUPTED_WITHIN_S if interruptible else LONGEST_ANSWER_S
        # Until there are words for this turn, it may be said for as long as it takes.
        await self._waiting.first(self._request.call_id, self._pipe(pipe_names.TRANSCRIPT))
        await self._waiting.within(spoken, within_s, of=is_end)
        self.is_free = True
        self.wake()

    def _stop(self, order: Stop) -> None:
        self.stop = self.stop or order
        self.wake()

    def _grow(self) -> None:
        if self.final_at_ms is None:
            return
        mine = [entry for entry in self._written if takes.place(entry.position)[0] == self._take]
        self.sentences = [entry.fields[b"text"].decode() for entry in mine if b"text" in entry.fields]
        ends = [entry for entry in mine if b"text" not in entry.fields]
        self.is_complete = bool(ends)
        self.is_whole = bool(ends) or (bool(self._written) and is_end(self._written[-1]))
        self.has_failed = any(entry.fields.get(b"outcome") == b"failed" for entry in ends)
        self.wake()

    def _pipe(self, name: str) -> str:
        return pipe_names.turn(self._request.call_id, self._request.turn, name)
