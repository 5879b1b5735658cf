"""Clocks for tests: one that is set by hand, and one on which a second passes faster than on the wall."""

from __future__ import annotations

import asyncio
import time


class HandClock:
    """Time passes only in `sleep` and in `pass_time`."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.now_s

    def wall_ms(self) -> float:
        return 1_700_000_000_000 + self.now_s * 1000

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now_s += seconds
        await asyncio.sleep(0)

    def pass_time(self, seconds: float) -> None:
        self.now_s += seconds


class FastClock:
    """A call of ten seconds takes `10 / speed` seconds; every measure is in the time of the call."""

    def __init__(self, speed: float = 5.0) -> None:
        self._speed = speed
        self._zero = time.monotonic()
        self._epoch_ms = time.time() * 1000

    def monotonic(self) -> float:
        return (time.monotonic() - self._zero) * self._speed

    def wall_ms(self) -> float:
        return self._epoch_ms + self.monotonic() * 1000

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self._speed)
