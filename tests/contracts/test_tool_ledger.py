"""A call of a tool begins once, its outcome stands, and one that never happened may begin anew."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from shared.adapters.postgres.pool import PostgresPool
from shared.adapters.postgres.tool_calls import PostgresToolCalls
from shared.domain.errors import StoreError
from shared.ports.tool_box import ToolResult
from shared.ports.tool_ledger import LedgerEntry, ToolLedger
from tests.contracts.conftest import Tenant
from tests.fakes.tools import FakeToolLedger, asked
from tests.services import free_port


@dataclass(frozen=True)
class Ledgers:
    ledger: ToolLedger
    tenant: str
    other: str


@pytest.fixture(params=["postgres", "fake"])
async def ledgers(request: pytest.FixtureRequest) -> AsyncIterator[Ledgers]:
    if request.param == "fake":
        yield Ledgers(FakeToolLedger(), "acme", "globex")
        return
    acme: Tenant = request.getfixturevalue("acme")
    globex: Tenant = request.getfixturevalue("globex")
    pool = PostgresPool(request.getfixturevalue("postgres_dsn"))
    yield Ledgers(PostgresToolCalls(pool), acme.tenant_id, globex.tenant_id)
    await pool.aclose()


async def test_it_begins_once_and_its_outcome_stands(ledgers: Ledgers) -> None:
    request = asked("cancel", {"n": 7, "note": "é \u0000 ✓"}, tenant_id=ledgers.tenant)
    assert await ledgers.ledger.begin(request) is None
    again = await ledgers.ledger.begin(request)
    assert again is not None
    assert (again.name, again.result, again.arguments["n"]) == ("cancel", None, 7)
    await ledgers.ledger.finish(request, ToolResult({"done": ["x", None]}))
    await ledgers.ledger.finish(request, ToolResult(None, "something else"))
    await ledgers.ledger.forget(request)
    known = await ledgers.ledger.begin(request)
    assert known is not None
    assert known.result == ToolResult({"done": ["x", None]})


async def test_what_looks_like_an_escape_is_kept(ledgers: Ledgers) -> None:
    arguments = {"note": "\\u0000 \\", "half": "\\ud800"}
    request = asked("cancel", arguments, tenant_id=ledgers.tenant)
    await ledgers.ledger.begin(request)
    await ledgers.ledger.finish(request, ToolResult(["\\u0000"]))
    assert await ledgers.ledger.begin(request) == LedgerEntry("cancel", arguments, ToolResult(["\\u0000"]))


async def test_a_failure_is_an_outcome_as_well(ledgers: Ledgers) -> None:
    request = asked("cancel", tenant_id=ledgers.tenant)
    await ledgers.ledger.begin(request)
    await ledgers.ledger.finish(request, ToolResult(None, "refused"))
    assert await ledgers.ledger.begin(request) == LedgerEntry("cancel", {}, ToolResult(None, "refused"))


async def test_what_never_happened_may_begin_anew(ledgers: Ledgers) -> None:
    request = asked("cancel", tenant_id=ledgers.tenant)
    await ledgers.ledger.begin(request)
    await ledgers.ledger.forget(request)
    assert await ledgers.ledger.begin(request) is None


async def test_of_many_that_begin_together_one_does(ledgers: Ledgers) -> None:
    request = asked("cancel", tenant_id=ledgers.tenant)
    begun = await asyncio.gather(*(ledgers.ledger.begin(request) for _ in range(8)))
    assert begun.count(None) == 1


async def test_keys_are_the_tenants_own(ledgers: Ledgers) -> None:
    await ledgers.ledger.begin(asked("cancel", tenant_id=ledgers.tenant))
    assert await ledgers.ledger.begin(asked("cancel", tenant_id=ledgers.other)) is None


async def test_what_is_old_is_swept(ledgers: Ledgers) -> None:
    request = asked("cancel", tenant_id=ledgers.tenant)
    await ledgers.ledger.begin(request)
    await ledgers.ledger.sweep(datetime.now(UTC) - timedelta(minutes=5))
    assert await ledgers.ledger.begin(request) is not None
    assert await ledgers.ledger.sweep(datetime.now(UTC) + timedelta(minutes=5)) >= 1
    assert await ledgers.ledger.begin(request) is None


async def test_a_store_that_is_away_is_told() -> None:
    pool = PostgresPool(f"postgresql://voice@127.0.0.1:{free_port()}/voice")
    ledger = PostgresToolCalls(pool)
    with pytest.raises(StoreError):
        await ledger.begin(asked("cancel"))
