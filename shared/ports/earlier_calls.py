"""What is known of a caller from earlier calls with the same tenant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class EarlierCall:
    """`summary` and `outcome` are "" where nothing was made of the call."""

    started_at: datetime
    direction: str
    end_reason: str
    summary: str = ""
    outcome: str = ""


class EarlierCalls(Protocol):
    async def of(
        self, tenant_id: str, caller: str, *, since: datetime, but: str, limit: int = 5
    ) -> list[EarlierCall]:
        """Calls with this party since then, newest first, but for the call `but`. Raises: StoreError."""
        ...
