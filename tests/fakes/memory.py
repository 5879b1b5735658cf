"""Fakes of what is remembered for a while, across workers."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping

from tests.fakes.clock import FakeClock


class FakeOnce:
    """Fills the port `Once`."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self._until_ms: dict[str, float] = {}

    async def take(self, name: str, *, lifetime_s: int) -> bool:
        if self._until_ms.get(name, 0.0) > self._clock.now_ms():
            return False
        self._until_ms[name] = self._clock.now_ms() + lifetime_s * 1000
        return True

    async def give_back(self, name: str) -> None:
        self._until_ms.pop(name, None)


class FakeShortMemory:
    """Fills the port `ShortMemory`."""

    def __init__(self) -> None:
        self._facts: dict[str, dict[str, str]] = {}
        self._until_s: dict[str, float] = {}

    async def note(self, name: str, facts: Mapping[str, str], *, lifetime_s: int | None = None) -> None:
        self._facts.setdefault(name, {}).update(facts)
        self._until_s[name] = math.inf if lifetime_s is None else asyncio.get_running_loop().time() + lifetime_s

    async def facts(self, name: str) -> Mapping[str, str]:
        return dict(self._facts[name]) if self._until_s.get(name, 0.0) > asyncio.get_running_loop().time() else {}
