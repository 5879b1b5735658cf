"""Memories of callers: one a caller and agent, never another tenant's, gone in time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import psycopg
import pytest

from shared.adapters.postgres.caller_memories import PostgresCallerMemories
from shared.adapters.postgres.pool import PostgresPool
from shared.ports.caller_memories import CallerMemories, CallerMemory
from shared.ports.vault import Sealed
from tests.contracts.conftest import Tenant, add_tenant
from tests.fakes.understanding import FakeCallerMemories

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture(params=["postgres", "fake"])
async def memories(request: pytest.FixtureRequest) -> AsyncIterator[CallerMemories]:
    if request.param == "fake":
        yield FakeCallerMemories()
        return
    pool = PostgresPool(request.getfixturevalue("postgres_dsn"), max_connections=2)
    yield PostgresCallerMemories(pool)
    await pool.aclose()


def _key() -> str:
    return uuid4().hex * 2


def _memory(tenant: Tenant, caller: str, *, hours: int = 0, content: bytes = b"\x00sealed") -> CallerMemory:
    kept_at = NOW + timedelta(hours=hours)
    sealed = Sealed("k1", content)
    return CallerMemory(
        tenant.tenant_id, tenant.agent_id, caller, f"call-{hours}", sealed, kept_at, kept_at + timedelta(hours=2)
    )


async def test_what_was_kept_is_recalled_until_its_time_is_over(memories: CallerMemories, acme: Tenant) -> None:
    memory = _memory(acme, _key())
    await memories.keep(memory)
    key = (acme.tenant_id, acme.agent_id, [_key(), memory.caller])
    assert await memories.recall(*key, NOW + timedelta(minutes=119)) == memory
    assert await memories.recall(*key, NOW + timedelta(hours=2)) is None


async def test_the_newest_call_counts_however_they_come(memories: CallerMemories, acme: Tenant) -> None:
    caller = _key()
    new = _memory(acme, caller, hours=1, content=b"new")
    await memories.keep(_memory(acme, caller))
    await memories.keep(new)
    await memories.keep(_memory(acme, caller))
    assert await memories.recall(acme.tenant_id, acme.agent_id, [caller], NOW) == new


async def test_of_two_keys_of_a_caller_the_newer_memory_counts(memories: CallerMemories, acme: Tenant) -> None:
    old, new = _memory(acme, _key()), _memory(acme, _key(), hours=1)
    for memory in (new, old):
        await memories.keep(memory)
    assert await memories.recall(acme.tenant_id, acme.agent_id, [old.caller, new.caller], NOW) == new


async def test_nobody_elses_is_recalled(memories: CallerMemories, acme: Tenant, globex: Tenant) -> None:
    memory = _memory(acme, _key())
    await memories.keep(memory)
    for tenant_id, agent_id, callers in (
        (globex.tenant_id, acme.agent_id, [memory.caller]),
        (acme.tenant_id, acme.younger_agent_id, [memory.caller]),
        (acme.tenant_id, acme.agent_id, [_key()]),
        (acme.tenant_id, acme.agent_id, []),
    ):
        assert await memories.recall(tenant_id, agent_id, callers, NOW) is None
        await memories.forget(tenant_id, agent_id, callers)
    assert await memories.recall(acme.tenant_id, acme.agent_id, [memory.caller], NOW) == memory
    await memories.forget(acme.tenant_id, acme.agent_id, [memory.caller])
    assert await memories.recall(acme.tenant_id, acme.agent_id, [memory.caller], NOW) is None


async def test_what_is_old_is_deleted_in_portions_and_the_rest_stays(memories: CallerMemories, acme: Tenant) -> None:
    caller = _key()
    for key in (_key(), _key(), _key()):
        await memories.keep(
            replace(_memory(acme, key), kept_at=NOW - timedelta(days=900), forget_at=NOW - timedelta(days=800))
        )
    await memories.keep(_memory(acme, caller))
    long_ago = NOW - timedelta(days=700)
    assert await memories.forget_old(long_ago, limit=2) == 2
    assert await memories.forget_old(long_ago, limit=2) == 1
    assert await memories.forget_old(long_ago, limit=2) == 0
    assert await memories.recall(acme.tenant_id, acme.agent_id, [caller], NOW) is not None


async def test_an_agent_that_is_deleted_takes_its_memories_along(postgres_dsn: str) -> None:
    tenant = add_tenant(postgres_dsn)
    pool = PostgresPool(postgres_dsn, max_connections=1)
    memories = PostgresCallerMemories(pool)
    memory = replace(_memory(tenant, _key()), agent_id=tenant.younger_agent_id)
    await memories.keep(memory)
    with psycopg.connect(postgres_dsn) as connection:
        key = [tenant.tenant_id, tenant.younger_agent_id]
        connection.execute("update agents set published = null where tenant_id = %s and agent_id = %s", key)
        connection.execute("delete from agents where tenant_id = %s and agent_id = %s", key)
    assert await memories.recall(tenant.tenant_id, tenant.younger_agent_id, [memory.caller], NOW) is None
    await pool.aclose()
