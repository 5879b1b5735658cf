"""What changes while an answer is spoken: orders of the listening, marks of the carrier, the end of the call."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from contextlib import aclosing

from shared.domain import pipe_names
from shared.domain.interruption import Order, Stop
from shared.domain.steps import TurnRequest
from shared.ports.clock import Clock
from shared.ports.pipes import Pipes
from shared.use_cases.speaking.recovery import Past, mark_number
from shared.use_cases.waiting import Waiting, is_end


class SpeakingNews:
    """`orders` are still to be obeyed, each with whether it was given before this step was run again. `free_at_ms`:
    since when the line is this turn's; None while an answer before is said that may not be interrupted.
    """

    def __init__(
        self, pipes: Pipes, waiting: Waiting, clock: Clock, request: TurnRequest, past: Past, *, interrupts: bool
    ) -> None:
        self.orders: deque[tuple[Order, bool]] = deque((order, True) for order in past.orders)
        self._pipes = pipes
        self._waiting = waiting
        self._clock = clock
        self._request = request
        self._past = past
        self._is_new, self._may_have_grown = asyncio.Event(), asyncio.Event()
        self.free_at_ms: float | None = 0.0 if interrupts or not request.turn else None

    def wake(self) -> None:
        """Something has happened: whoever waits looks again."""
        self._is_new.set()
        self._may_have_grown.set()

    def read(self) -> None:
        """What has happened until now is known."""
        self._is_new.clear()

    async def until(self, due_ms: float) -> None:
        """Until there is news, or something is due."""
        wait_s = (due_ms - self._clock.now_ms()) / 1000
        if wait_s <= 0:
            return
        try:
            async with asyncio.timeout(None if math.isinf(wait_s) else wait_s):
                await self._is_new.wait()
        except TimeoutError:
            return

    async def growth(self) -> None:
        """Until there is news, for another one who waits."""
        await self._may_have_grown.wait()
        self._may_have_grown.clear()

    async def follow_orders(self) -> None:
        known = len(self._past.orders)
        async with aclosing(self._waiting.orders(self._request)) as orders:
            async for order in orders:
                known -= 1
                if known < 0:
                    self._add(order)
        self._add(Stop(self._clock.now_ms()))  # the call is over

    async def follow_answer_before(self) -> None:
        """Until it has been said, where it may not be interrupted."""
        if self.free_at_ms is not None:
            return
        spoken = pipe_names.turn(self._request.call_id, self._request.turn - 1, pipe_names.SPOKEN)
        async with aclosing(self._waiting.entries(self._request.call_id, spoken)) as entries:
            async for entry in entries:
                if is_end(entry):
                    break
        self.free_at_ms = self._clock.now_ms()
        self.wake()

    async def follow_events(self) -> None:
        """Note the marks of this turn as they come back, and the end of the call."""
        events = pipe_names.events(self._request.call_id)
        async with aclosing(self._pipes.follow(events, self._past.marks_after)) as batches:
            async for batch in batches:
                for entry in batch:
                    if number := mark_number(entry, self._request.turn):
                        self._past.playback.mark(number)
                        self.wake()
                    elif entry.fields.get(b"event") == b"end":
                        self._add(Stop(self._clock.now_ms()))

    def _add(self, order: Order) -> None:
        self.orders.append((order, False))
        self.wake()
