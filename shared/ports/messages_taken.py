"""Messages that callers left with an agent, for the tenant's people to read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class MessageTaken:
    """`caller`: as the door has proved it; `name` and `number` are what was said. `handled_by`: whose work it was."""

    message_id: str
    tenant_id: str
    call_id: str
    agent_id: str
    caller: str
    text: str
    taken_at: datetime
    name: str = ""
    number: str = ""
    is_urgent: bool = False
    handled_at: datetime | None = None
    handled_by: str = ""


class MessagesTaken(Protocol):
    """Raises `StoreError` from every method when the store does not answer in time."""

    async def add(self, message: MessageTaken) -> None:
        """One that is there already is left as it is."""
        ...

    async def find(
        self, tenant_id: str, *, unhandled: bool = False, before: datetime | None = None, limit: int = 50
    ) -> list[MessageTaken]:
        """Newest first, at most `limit` (1-200), taken before `before`."""
        ...

    async def handle(self, tenant_id: str, message_id: str, *, by: str, at: datetime) -> bool:
        """Note who has dealt with it; the first one stands. False if the tenant has no such message."""
        ...
