"""The 20 ms beat of a telephone line: absolute, so that lateness is made good and never adds up."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

from local_stack.phones.g711 import FRAME_MS


class Clock(Protocol):
    """Where time comes from."""

    def monotonic(self) -> float:
        """Seconds, never going back."""
        ...

    def wall_ms(self) -> float:
        """Unix epoch milliseconds."""
        ...

    async def sleep(self, seconds: float) -> None: ...


class SystemClock:
    """The machine's own clocks."""

    def monotonic(self) -> float:
        return time.monotonic()

    def wall_ms(self) -> float:
        return time.time() * 1000

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class FrameClock:
    """Tick k is due k × 20 ms after the clock was made. `lags_ms` tells how late each tick came."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._started = clock.monotonic()
        self._next = 0
        self.lags_ms: list[float] = []

    async def tick(self) -> int:
        """Waits until the next tick is due and returns its number; a tick that is overdue comes at once."""
        due = self._started + self._next * FRAME_MS / 1000
        await self._clock.sleep(max(0.0, due - self._clock.monotonic()))
        self.lags_ms.append((self._clock.monotonic() - due) * 1000)
        self._next += 1
        return self._next - 1

    @property
    def lag_p99_ms(self) -> float:
        """A measurement is worth something only while this is below about 10 ms."""
        ordered = sorted(self.lags_ms)
        return ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)] if ordered else 0.0
