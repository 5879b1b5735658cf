"""What time it is; so that tests can say."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    def now_ms(self) -> float:
        """Unix epoch milliseconds."""
        ...

    def now(self) -> datetime:
        """The same moment as an aware UTC datetime."""
        ...

    async def sleep_ms(self, duration_ms: float) -> None: ...
