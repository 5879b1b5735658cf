"""Messages taken and calls back promised: kept once, within the tenant, and moved by one worker only."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from shared.adapters.postgres.call_store import PostgresCallStore
from shared.adapters.postgres.callbacks import PostgresCallbacks
from shared.adapters.postgres.earlier_calls import PostgresEarlierCalls
from shared.adapters.postgres.messages_taken import PostgresMessagesTaken
from shared.adapters.postgres.pool import PostgresPool
from shared.domain.call import INBOUND, OUTBOUND, Call, EndReason
from shared.domain.errors import NotFound
from shared.domain.telephony.lines import Line, Provider
from shared.domain.telephony.progress import CallState
from shared.ports.callbacks import Callback, Callbacks, CallbackState
from shared.ports.messages_taken import MessagesTaken, MessageTaken
from tests.contracts.conftest import Tenant
from tests.fakes.tools import FakeCallbacks, FakeMessagesTaken

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Stores:
    messages: MessagesTaken
    callbacks: Callbacks


@pytest.fixture(params=["postgres", "fake"])
async def stores(request: pytest.FixtureRequest) -> AsyncIterator[Stores]:
    if request.param == "fake":
        yield Stores(FakeMessagesTaken(), FakeCallbacks())
        return
    pool = PostgresPool(request.getfixturevalue("postgres_dsn"))
    yield Stores(PostgresMessagesTaken(pool), PostgresCallbacks(pool))
    await pool.aclose()


def message(tenant: Tenant, number: int = 1) -> MessageTaken:
    return MessageTaken(
        message_id=f"m{number}",
        tenant_id=tenant.tenant_id,
        call_id="call-1",
        agent_id=tenant.agent_id,
        caller="+15550100001",
        text=f"Ring me back, {number} ✓",
        taken_at=NOON + timedelta(minutes=number),
        name="Ana",
        is_urgent=number == 2,
    )


def callback(tenant: Tenant, number: int = 1, *, to: str = "+15550100001") -> Callback:
    return Callback(
        callback_id=f"c{number}",
        tenant_id=tenant.tenant_id,
        agent_id=tenant.agent_id,
        promised_in="call-1",
        to=to,
        caller_id=tenant.number,
        due_at=NOON + timedelta(minutes=number),
        reason="about the order",
    )


async def test_messages_are_listed_newest_first_within_the_tenant(
    stores: Stores, acme: Tenant, globex: Tenant
) -> None:
    for number in (1, 2, 3):
        await stores.messages.add(message(acme, number))
    await stores.messages.add(replace(message(acme, 1), text="another text"))
    assert await stores.messages.find(acme.tenant_id) == [message(acme, number) for number in (3, 2, 1)]
    assert await stores.messages.find(acme.tenant_id, limit=1, before=NOON + timedelta(minutes=3)) == [
        message(acme, 2)
    ]
    assert await stores.messages.find(globex.tenant_id) == []


async def test_who_handled_a_message_first_stands(stores: Stores, acme: Tenant, globex: Tenant) -> None:
    await stores.messages.add(message(acme))
    assert not await stores.messages.handle(globex.tenant_id, "m1", by="eve", at=NOON)
    assert not await stores.messages.handle(acme.tenant_id, "m\0", by="eve", at=NOON)
    assert await stores.messages.handle(acme.tenant_id, "m1", by="ann", at=NOON)
    assert await stores.messages.handle(acme.tenant_id, "m1", by="bob", at=NOON + timedelta(hours=1))
    (kept,) = await stores.messages.find(acme.tenant_id)
    assert (kept.handled_by, kept.handled_at) == ("ann", NOON)
    assert await stores.messages.find(acme.tenant_id, unhandled=True) == []


async def test_a_call_back_is_due_when_its_time_has_come(stores: Stores, acme: Tenant) -> None:
    assert await stores.callbacks.add(callback(acme, 2), most=3)
    assert await stores.callbacks.add(callback(acme, 1), most=3)
    assert await stores.callbacks.add(callback(acme, 1), most=3)
    mine = [
        each for each in await stores.callbacks.due(NOON + timedelta(minutes=5)) if each.tenant_id == acme.tenant_id
    ]
    assert mine == [callback(acme, 1), callback(acme, 2)]
    assert await stores.callbacks.find(acme.tenant_id) == [callback(acme, 2), callback(acme, 1)]
    mine = [each for each in await stores.callbacks.due(NOON) if each.tenant_id == acme.tenant_id]
    assert mine == []


async def test_only_so_many_are_planned_to_one_number(stores: Stores, acme: Tenant) -> None:
    assert await stores.callbacks.add(callback(acme, 1), most=1)
    assert not await stores.callbacks.add(callback(acme, 2), most=1)
    assert await stores.callbacks.add(callback(acme, 3, to="+15550100002"), most=1)
    assert await stores.callbacks.add(callback(acme, 1), most=1), "the same one again is no other"


async def test_one_of_two_workers_moves_it(stores: Stores, acme: Tenant, globex: Tenant) -> None:
    await stores.callbacks.add(callback(acme), most=3)
    moved = await asyncio.gather(
        stores.callbacks.move(callback(acme), CallbackState.PLACED, call_id="call-2"),
        stores.callbacks.move(callback(acme), CallbackState.CANCELED),
    )
    assert sorted(moved) == [False, True]
    assert not await stores.callbacks.move(callback(globex), CallbackState.CANCELED)
    assert await stores.callbacks.one(globex.tenant_id, "c1") is None
    assert await stores.callbacks.find(acme.tenant_id, planned=True) == []


async def test_what_is_put_off_comes_later_and_keeps_its_promise(stores: Stores, acme: Tenant) -> None:
    await stores.callbacks.add(callback(acme), most=3)
    assert await stores.callbacks.put_off(callback(acme), NOON + timedelta(hours=1), "too_many_calls")
    soon = await stores.callbacks.due(NOON + timedelta(minutes=30))
    assert not [each for each in soon if each.tenant_id == acme.tenant_id]
    later = await stores.callbacks.due(NOON + timedelta(hours=2))
    (late,) = [each for each in later if each.tenant_id == acme.tenant_id]
    assert (late.due_at, late.trouble) == (callback(acme).due_at, "too_many_calls")
    await stores.callbacks.move(late, CallbackState.FAILED, trouble="late")
    assert not await stores.callbacks.put_off(late, NOON, "x")


@pytest.mark.parametrize("stores", ["postgres"], indirect=True)
async def test_an_agent_that_is_not_there_is_told(stores: Stores, acme: Tenant) -> None:
    with pytest.raises(NotFound):
        await stores.callbacks.add(replace(callback(acme), agent_id="nobody"), most=3)


async def test_earlier_calls_are_those_of_the_party_and_the_tenant(
    postgres_dsn: str, acme: Tenant, globex: Tenant
) -> None:
    pool = PostgresPool(postgres_dsn)
    calls, earlier = PostgresCallStore(pool), PostgresEarlierCalls(pool)
    mine = "+15550100077"

    async def had(tenant: Tenant, call_id: str, days: int, direction: str, other: str) -> None:
        ours = (other, tenant.number) if direction == INBOUND else (tenant.number, other)
        call = Call(
            call_id=f"{tenant.tenant_id}-{call_id}",
            tenant_id=tenant.tenant_id,
            agent_id=tenant.agent_id,
            provider=Provider.TWILIO,
            provider_call_id=f"{tenant.tenant_id}-{call_id}",
            line=Line.TWILIO,
            direction=direction,
            caller=ours[0],
            callee=ours[1],
            state=CallState.IN_PROGRESS,
            started_at=NOON - timedelta(days=days),
        )
        await calls.create(call)
        await calls.advance(
            tenant.tenant_id, call.call_id, CallState.COMPLETED, at=NOON, reason=EndReason.CALLER_HUNG_UP
        )

    await had(acme, "in", 1, INBOUND, mine)
    await had(acme, "out", 2, OUTBOUND, mine)
    await had(acme, "old", 200, INBOUND, mine)
    await had(acme, "else", 1, INBOUND, "+15550100078")
    await had(globex, "theirs", 1, INBOUND, mine)
    with psycopg.connect(postgres_dsn) as connection:
        connection.execute(
            "insert into call_analyses (tenant_id, call_id, document) values (%s, %s, %s)",
            [acme.tenant_id, f"{acme.tenant_id}-in", '{"summary": "Asked for a table.", "outcome": "booked"}'],
        )
    found = await earlier.of(acme.tenant_id, mine, since=NOON - timedelta(days=90), but="x")
    assert [(each.direction, each.summary, each.outcome) for each in found] == [
        (INBOUND, "Asked for a table.", "booked"),
        (OUTBOUND, "", ""),
    ]
    but = await earlier.of(acme.tenant_id, mine, since=NOON - timedelta(days=90), but=f"{acme.tenant_id}-in")
    assert [each.direction for each in but] == [OUTBOUND]
    await pool.aclose()
