"""What tenants may dial, and what they have tried to."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from shared.domain.call import Call
from shared.domain.telephony.outbound import Attempt, AttemptState, Leg, OutboundPolicy, Usage


class OutboundCalls(Protocol):
    """Raises `StoreError` when the store does not answer in time."""

    async def policy(self, tenant_id: str) -> OutboundPolicy:
        """The tenant's policy; that which allows nothing, where it has none."""
        ...

    async def save_policy(self, tenant_id: str, policy: OutboundPolicy) -> None:
        """Raises: NotFound for an unknown tenant."""
        ...

    async def standing(self, tenant_id: str, at: datetime) -> tuple[OutboundPolicy, Usage]:
        """The policy, and what is used of it on the day of `at`."""
        ...

    async def reserve(self, call: Call, attempt: Attempt, usage: Usage) -> bool:
        """Record a new call and the attempt to place it, both or neither.

        False if another reservation has come since `usage` was told, or the same idempotency key: ask again.
        """
        ...

    async def by_key(self, tenant_id: str, idempotency_key: str) -> Attempt | None: ...

    async def of_call(self, tenant_id: str, call_id: str) -> Attempt | None: ...

    async def overdue(self, at: datetime, limit: int = 100) -> list[tuple[str, str]]:
        """Tenant and id of the calls that are in progress for longer than they were allowed to, ringing included."""
        ...

    async def add_leg(self, leg: Leg, usage: Usage | None) -> bool:
        """Record the other end of a transfer. False if a reservation has come since `usage` was told: ask again. With
        None it is recorded in any case.
        """
        ...

    async def end_legs(self, tenant_id: str, call_id: str, at: datetime) -> None:
        """Nobody has been reached in what the call's transfers have dialled, or no more; it costs nothing."""
        ...

    async def move(self, attempt: Attempt, state: AttemptState) -> bool:
        """Change the attempt's state from what `attempt` says. False if it is not that any more.

        To DIALLING only as long as its call has not ended.
        """
        ...
