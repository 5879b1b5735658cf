"""What calls were about, for callers who call again soon."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.ports.vault import Sealed


@dataclass(frozen=True, slots=True)
class CallerMemory:
    """`caller`: a key (`shared.domain.understanding.callers`), never a number. `sealed`: the state."""

    tenant_id: str
    agent_id: str
    caller: str
    call_id: str
    sealed: Sealed
    kept_at: datetime
    forget_at: datetime


class CallerMemories(Protocol):
    """Raises `StoreError` when the store does not answer in time."""

    async def keep(self, memory: CallerMemory) -> None:
        """In place of what is remembered of this caller with this agent, unless that is newer."""
        ...

    async def recall(
        self, tenant_id: str, agent_id: str, callers: Sequence[str], at: datetime
    ) -> CallerMemory | None:
        """The newest of one of these keys that is not to be forgotten at that time."""
        ...

    async def forget(self, tenant_id: str, agent_id: str, callers: Sequence[str]) -> None: ...

    async def forget_old(self, at: datetime, *, limit: int) -> int:
        """Delete those of all tenants whose time is over; how many, at most `limit`."""
        ...
