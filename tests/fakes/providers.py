"""Providers for tests of failover: streams by script, and a count of what runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass
class Script(Generic[T]):
    """A stream: a number is a pause in milliseconds, an error is raised, all else is given.

    `begun` counts its runs, `ended` those that came to their end, `cancelled` those that were closed before.
    """

    steps: list[T | int | Exception]
    begun: int = 0
    ended: int = 0
    cancelled: int = 0
    closing_ms: int = 0
    asked_at_s: list[float] = field(default_factory=list)

    async def run(self) -> AsyncGenerator[T, None]:
        self.begun += 1
        self.asked_at_s.append(asyncio.get_running_loop().time())
        ended = False
        try:
            for step in self.steps:
                if isinstance(step, Exception):
                    ended = True
                    raise step
                if isinstance(step, int):
                    await asyncio.sleep(step / 1000)
                else:
                    yield step
            ended = True
        finally:
            self.ended += ended
            self.cancelled += not ended
            if self.closing_ms:
                await asyncio.sleep(self.closing_ms / 1000)

    @property
    def running(self) -> int:
        return self.begun - self.ended - self.cancelled
