"""A meter that remembers which turns it was given."""

from __future__ import annotations

from shared.domain.call import Turn


class FakeTurnMeter:
    """Fills the port `TurnMeter`. `recorded` holds turns with provider, tenant and agent; `flushes` counts."""

    def __init__(self) -> None:
        self.recorded: list[tuple[Turn, str, str, str]] = []
        self.flushes = 0

    def record(self, turn: Turn, *, provider: str, tenant_id: str, agent_id: str) -> None:
        self.recorded.append((turn, provider, tenant_id, agent_id))

    async def flush(self) -> None:
        self.flushes += 1
