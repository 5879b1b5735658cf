"""The figures of all turns together, for those who watch over the service and not over one call."""

from __future__ import annotations

from typing import Protocol

from shared.domain.call import Turn


class TurnMeter(Protocol):
    """Takes numbers only: no words, no call, no telephone number. Nothing of it raises or blocks."""

    def record(self, turn: Turn, *, provider: str, tenant_id: str, agent_id: str) -> None:
        """Count a turn that is over; each turn is recorded once."""
        ...

    async def flush(self) -> None:
        """Send what was recorded, before the process may be frozen; returns after a deadline at the latest."""
        ...
