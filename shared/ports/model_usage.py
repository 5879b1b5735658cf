"""What a tenant's language models have cost, by the day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ModelUsage:
    """What one model was used for: how many answers, of how many tokens. `microcents`: millionths of a cent."""

    provider: str
    model: str
    answers: int
    input_tokens: int
    output_tokens: int
    microcents: int


class ModelUsages(Protocol):
    """Raises StoreError from every method."""

    async def add(self, tenant_id: str, day: date, usages: Sequence[ModelUsage]) -> None:
        """To what is there of the day. A tenant that is not known has no usage."""
        ...

    async def of_day(self, tenant_id: str, day: date) -> list[ModelUsage]:
        """By provider and model."""
        ...

    async def cap(self, tenant_id: str) -> int | None:
        """How many cents the tenant's models may cost on a day (UTC); None: as many as they do."""
        ...

    async def set_cap(self, tenant_id: str, cents: int | None) -> None:
        """Raises: StoreError also for a tenant that is not known."""
        ...

    async def is_spent(self, tenant_id: str, day: date) -> bool:
        """Whether there is a cap, and what the day has cost has reached it."""
        ...
