"""What models cost, in memory."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from shared.domain.errors import StoreError
from shared.ports.model_usage import ModelUsage


class FakeModelUsages:
    """Fills the port `ModelUsages` for the tenants that it is given."""

    def __init__(self, *tenants: str) -> None:
        self._tenants = tenants
        self._caps: dict[str, int] = {}
        self._kept: dict[tuple[str, date, str, str], ModelUsage] = {}

    async def add(self, tenant_id: str, day: date, usages: Sequence[ModelUsage]) -> None:
        for added in usages if tenant_id in self._tenants else ():
            key = (tenant_id, day, added.provider, added.model)
            before = self._kept.get(key, ModelUsage(added.provider, added.model, 0, 0, 0, 0))
            self._kept[key] = ModelUsage(
                added.provider,
                added.model,
                before.answers + added.answers,
                before.input_tokens + added.input_tokens,
                before.output_tokens + added.output_tokens,
                before.microcents + added.microcents,
            )

    async def of_day(self, tenant_id: str, day: date) -> list[ModelUsage]:
        return [usage for key, usage in sorted(self._kept.items()) if key[:2] == (tenant_id, day)]

    async def cap(self, tenant_id: str) -> int | None:
        return self._caps.get(tenant_id)

    async def set_cap(self, tenant_id: str, cents: int | None) -> None:
        if cents is None:
            self._caps.pop(tenant_id, None)
        elif tenant_id not in self._tenants:
            raise StoreError("postgres_refused", "no such tenant")
        else:
            self._caps[tenant_id] = cents

    async def is_spent(self, tenant_id: str, day: date) -> bool:
        spent = sum(usage.microcents for usage in await self.of_day(tenant_id, day))
        return tenant_id in self._caps and spent >= self._caps[tenant_id] * 1_000_000
