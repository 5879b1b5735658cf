"""A clock that tells the event loop's time, which in tests of use cases is virtual."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

EPOCH_MS = 1_700_000_000_000.0


class FakeClock:
    """Fills the port `Clock`. On a `VirtualTimeLoop` its sleeps pass at once and move it by exactly their length."""

    def now_ms(self) -> float:
        return EPOCH_MS + asyncio.get_running_loop().time() * 1000

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.now_ms() / 1000, UTC)

    async def sleep_ms(self, duration_ms: float) -> None:
        await asyncio.sleep(duration_ms / 1000)
