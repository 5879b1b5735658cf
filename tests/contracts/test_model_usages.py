"""What models cost is added up by tenant, day and model."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import date
from typing import TYPE_CHECKING

import pytest

from shared.adapters.postgres.model_usages import PostgresModelUsages
from shared.adapters.postgres.pool import PostgresPool
from shared.domain.errors import StoreError
from shared.ports.model_usage import ModelUsage, ModelUsages
from tests.fakes.model_usages import FakeModelUsages

if TYPE_CHECKING:
    from tests.contracts.conftest import Tenant

DAY = date(2026, 11, 23)
CHAT = ModelUsage("openai", "chat", 1, 100, 10, 7_500)


@pytest.fixture(params=["fake", "postgres"])
async def usages(request: pytest.FixtureRequest, acme: Tenant) -> AsyncIterator[ModelUsages]:
    if request.param == "fake":
        yield FakeModelUsages(acme.tenant_id)
        return
    pool = PostgresPool(request.getfixturevalue("postgres_dsn"))
    try:
        yield PostgresModelUsages(pool)
    finally:
        await pool.aclose()


async def test_what_is_used_adds_up(usages: ModelUsages, acme: Tenant) -> None:
    other = ModelUsage("azure_openai", "chat", 1, 5, 5, 0)
    await usages.add(acme.tenant_id, DAY, [CHAT, CHAT, other])
    await usages.add(acme.tenant_id, DAY, [CHAT])
    assert await usages.of_day(acme.tenant_id, DAY) == [other, ModelUsage("openai", "chat", 3, 300, 30, 22_500)]


async def test_days_and_tenants_are_apart(usages: ModelUsages, acme: Tenant) -> None:
    await usages.add(acme.tenant_id, DAY, [CHAT])
    assert await usages.of_day(acme.tenant_id, date(2026, 11, 24)) == []
    assert await usages.of_day("somebody-else", DAY) == []


async def test_those_who_add_at_once_lose_nothing(usages: ModelUsages, acme: Tenant) -> None:
    await asyncio.gather(*(usages.add(acme.tenant_id, DAY, [CHAT]) for _ in range(8)))
    assert [each.answers for each in await usages.of_day(acme.tenant_id, DAY)] == [8]


async def test_tenants_that_are_not_there_use_nothing(usages: ModelUsages) -> None:
    await usages.add("nobody", DAY, [CHAT])
    assert await usages.of_day("nobody", DAY) == []


async def test_a_cap_holds_for_a_day(usages: ModelUsages, acme: Tenant) -> None:
    tenant, costly = acme.tenant_id, ModelUsage("openai", "chat", 1, 1, 1, 1_000_000)
    assert (await usages.cap(tenant), await usages.is_spent(tenant, DAY)) == (None, False)
    for cents in (5, 2):
        await usages.set_cap(tenant, cents)
        assert await usages.cap(tenant) == cents
    await usages.add(tenant, DAY, [costly])
    assert not await usages.is_spent(tenant, DAY)
    await usages.add(tenant, DAY, [costly])
    assert await usages.is_spent(tenant, DAY)
    assert not await usages.is_spent(tenant, date(2026, 11, 24))
    await usages.set_cap(tenant, None)
    assert (await usages.cap(tenant), await usages.is_spent(tenant, DAY)) == (None, False)
    await usages.set_cap(tenant, 0)
    assert await usages.is_spent(tenant, date(2026, 11, 25))


async def test_nobody_has_no_cap(usages: ModelUsages) -> None:
    with pytest.raises(StoreError):
        await usages.set_cap("nobody", 5)
    assert await usages.cap("nobody") is None
