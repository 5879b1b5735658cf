"""A tenant's numbers, as its administrators set them up."""

from __future__ import annotations

from typing import Protocol

from shared.domain.telephony.lines import Provider
from shared.domain.telephony.routes import Number


class Numbers(Protocol):
    """Raises `StoreError` when the store does not answer in time."""

    async def all(self, tenant_id: str) -> list[Number]:
        """By number, then by provider."""
        ...

    async def one(self, tenant_id: str, provider: Provider, number: str) -> Number | None: ...

    async def put(self, tenant_id: str, number: Number) -> bool:
        """Insert or replace; whether it is new. All numbers are those of a tenant that is the only one; else they
        must have been allotted (`NumberAllotments`). Raises: Forbidden for one that is not, NotFound for the agent.
        """
        ...

    async def delete(self, tenant_id: str, provider: Provider, number: str) -> bool:
        """False if the tenant has no such number."""
        ...
