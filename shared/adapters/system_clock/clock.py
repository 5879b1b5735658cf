"""Fills the port `Clock` with the machine's time."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime


class SystemClock:
    def now_ms(self) -> float:
        return time.time() * 1000

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep_ms(self, duration_ms: float) -> None:
        await asyncio.sleep(duration_ms / 1000)
