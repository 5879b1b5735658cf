"""What every `OutboundCalls` does: limits hold for calls that are placed together, and an attempt moves once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from shared.adapters.postgres.call_store import PostgresCallStore
from shared.adapters.postgres.directory import PostgresDirectory
from shared.adapters.postgres.numbers import PostgresNumbers
from shared.adapters.postgres.outbound_calls import PostgresOutboundCalls
from shared.adapters.postgres.pool import PostgresPool
from shared.adapters.pydantic.agent_documents import PydanticAgentDocuments
from shared.domain.call import OUTBOUND, Call, EndReason
from shared.domain.errors import NotFound, VoiceAgentError
from shared.domain.telephony.commands import Voicemail
from shared.domain.telephony.lines import Line, Provider
from shared.domain.telephony.outbound import Allowance, Attempt, AttemptState, OutboundPolicy, Usage
from shared.domain.telephony.progress import CallState
from shared.ports.call_store import CallStore
from shared.ports.outbound_calls import OutboundCalls
from shared.use_cases.calls.place_call import PlaceCall, Wish
from tests.contracts.conftest import Tenant
from tests.fakes.clock import FakeClock
from tests.fakes.outbound import FakeOutboundCalls
from tests.fakes.stores import FakeCallStore
from tests.fakes.telephony import FakeCallControl, FakeOrchestrations

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
POLICY = OutboundPolicy(
    prefixes=("+1415", "+49"),
    time_zone="Asia/Kolkata",
    weekdays=frozenset({1, 5}),
    from_minute=540,
    until_minute=1080,
    most_at_once=7,
    longest_s=600,
    daily_spend=Decimal("12.5000"),
    minute_prices={"+": Decimal("0.5"), "+1": Decimal("0.0085")},
)


@dataclass(frozen=True)
class Stores:
    outbound: OutboundCalls
    calls: CallStore


@pytest.fixture(params=["postgres", "fake"])
async def stores(request: pytest.FixtureRequest) -> AsyncIterator[Stores]:
    if request.param == "fake":
        calls = FakeCallStore()
        yield Stores(FakeOutboundCalls(calls), calls)
        return
    pool = PostgresPool(request.getfixturevalue("postgres_dsn"))
    yield Stores(PostgresOutboundCalls(pool), PostgresCallStore(pool))
    await pool.aclose()


in_the_database = pytest.mark.parametrize("stores", ["postgres"], indirect=True)


def asked(tenant: Tenant, *, at: datetime = NOON, **changes: Any) -> tuple[Call, Attempt]:
    call = Call(
        call_id=str(uuid4()),
        tenant_id=tenant.tenant_id,
        agent_id=tenant.agent_id,
        provider=Provider.TWILIO,
        provider_call_id="",
        line=Line.TWILIO,
        direction=OUTBOUND,
        caller=tenant.number,
        callee="+14155550100",
        state=CallState.CREATED,
        started_at=at,
    )
    attempt = Attempt(
        attempt_id=str(uuid4()),
        tenant_id=tenant.tenant_id,
        call_id=call.call_id,
        fingerprint="f",
        allowance=Allowance(600, Decimal("0.5000")),
        voicemail=Voicemail.LEAVE_MESSAGE,
        message="Please call back.",
    )
    return call, replace(attempt, **changes)


async def reserve(stores: Stores, tenant: Tenant, *, at: datetime = NOON, **changes: Any) -> Attempt:
    call, attempt = asked(tenant, at=at, **changes)
    _, usage = await stores.outbound.standing(tenant.tenant_id, at)
    assert await stores.outbound.reserve(call, attempt, usage)
    return attempt


async def test_a_tenant_without_a_policy_may_dial_nothing(stores: Stores, acme: Tenant) -> None:
    assert await stores.outbound.policy(acme.tenant_id) == OutboundPolicy()
    assert await stores.outbound.standing(acme.tenant_id, NOON) == (OutboundPolicy(), Usage())


async def test_a_policy_comes_back_and_is_replaced(stores: Stores, acme: Tenant, globex: Tenant) -> None:
    await stores.outbound.save_policy(acme.tenant_id, POLICY)
    assert await stores.outbound.policy(acme.tenant_id) == POLICY
    assert await stores.outbound.policy(globex.tenant_id) == OutboundPolicy()
    await stores.outbound.save_policy(acme.tenant_id, replace(POLICY, prefixes=(), most_at_once=0))
    assert await stores.outbound.policy(acme.tenant_id) == replace(POLICY, prefixes=(), most_at_once=0)


@in_the_database
async def test_a_policy_needs_its_tenant(stores: Stores) -> None:
    with pytest.raises(NotFound):
        await stores.outbound.save_policy("unknown", POLICY)


async def test_a_call_and_its_attempt_are_recorded_together(stores: Stores, acme: Tenant, globex: Tenant) -> None:
    await stores.outbound.save_policy(acme.tenant_id, POLICY)
    call, attempt = asked(acme, idempotency_key="k1")
    assert await stores.outbound.reserve(call, attempt, Usage())
    assert await stores.calls.get(acme.tenant_id, call.call_id) == call
    assert await stores.outbound.of_call(acme.tenant_id, call.call_id) == attempt
    assert await stores.outbound.by_key(acme.tenant_id, "k1") == attempt
    for stranger in (globex.tenant_id, "\0"):
        assert await stores.outbound.of_call(stranger, call.call_id) is None
        assert await stores.outbound.by_key(stranger, "k1") is None


async def test_a_reservation_on_old_knowledge_is_none(stores: Stores, acme: Tenant) -> None:
    await stores.outbound.save_policy(acme.tenant_id, POLICY)
    _, usage = await stores.outbound.standing(acme.tenant_id, NOON)
    pairs = [asked(acme) for _ in range(6)]
    reserved = await asyncio.gather(*(stores.outbound.reserve(call, attempt, usage) for call, attempt in pairs))
    assert reserved.count(True) == 1
    for (call, _), was_reserved in zip(pairs, reserved, strict=True):
        assert (await stores.calls.get(acme.tenant_id, call.call_id) is not None) == was_reserved
    _, usage = await stores.outbound.standing(acme.tenant_id, NOON)
    assert (usage.open_calls, usage.reservations) == (1, 1)


async def test_a_key_is_used_once_in_a_tenant(stores: Stores, acme: Tenant, globex: Tenant) -> None:
    for tenant in (acme, globex):
        await stores.outbound.save_policy(tenant.tenant_id, POLICY)
        await reserve(stores, tenant, idempotency_key="k1")
    call, attempt = asked(acme, idempotency_key="k1")
    _, usage = await stores.outbound.standing(acme.tenant_id, NOON)
    assert not await stores.outbound.reserve(call, attempt, usage)
    assert await stores.calls.get(acme.tenant_id, call.call_id) is None
    assert (await stores.outbound.standing(acme.tenant_id, NOON))[1] == usage


@in_the_database
async def test_what_is_spent_counts_minutes_begun_and_holds_back_what_is_open(stores: Stores, acme: Tenant) -> None:
    await stores.outbound.save_policy(acme.tenant_id, POLICY)

    async def spent() -> str:
        return str((await stores.outbound.standing(acme.tenant_id, NOON))[1].spent.normalize())

    async def end(attempt: Attempt, state: CallState, *, after_s: int = 0, counted_s: float | None = None) -> None:
        if counted_s is not None:
            await stores.calls.enrich(acme.tenant_id, attempt.call_id, duration_s=counted_s)
        at = NOON + timedelta(seconds=after_s)
        await stores.calls.advance(acme.tenant_id, attempt.call_id, state, at=at, reason=EndReason.SILENT)

    first = await reserve(stores, acme)
    assert await spent() == "5", "ten minutes may come"
    await end(first, CallState.COMPLETED, after_s=61)
    assert await spent() == "1", "two minutes were begun"
    await end(await reserve(stores, acme), CallState.COMPLETED, after_s=300, counted_s=60.0)
    assert await spent() == "1.5", "the provider counted one"
    await end(await reserve(stores, acme), CallState.BUSY)
    assert await spent() == "1.5", "nobody has answered"


@in_the_database
@pytest.mark.parametrize(
    ("state", "reason", "spent"),
    [
        (CallState.FAILED, EndReason.ERROR, "1"),  # ours, in the middle of a conversation
        (CallState.FAILED, EndReason.NO_MEDIA, "1"),
        (CallState.FAILED, EndReason.FAILED, "0"),  # the provider's: it was never answered
        (CallState.CANCELED, EndReason.OPERATOR_HUNG_UP, "0"),
        (CallState.COMPLETED, EndReason.TRANSFERRED, "5"),  # the line goes on, and so does what it costs
        (CallState.COMPLETED, EndReason.MESSAGE_LEFT, "5"),
        (CallState.FAILED, EndReason.UNREPORTED, "5"),
    ],
)
async def test_what_a_call_cost_of_which_the_provider_has_not_told(
    stores: Stores, acme: Tenant, state: CallState, reason: EndReason, spent: str
) -> None:
    await stores.outbound.save_policy(acme.tenant_id, POLICY)
    attempt = await reserve(stores, acme)
    await stores.calls.advance(acme.tenant_id, attempt.call_id, state, at=NOON + timedelta(seconds=61), reason=reason)
    assert (await stores.outbound.standing(acme.tenant_id, NOON))[1].spent == Decimal(spent)
    await stores.calls.enrich(acme.tenant_id, attempt.call_id, duration_s=119.0)
    assert (await stores.outbound.standing(acme.tenant_id, NOON))[1].spent == Decimal(1)


@in_the_database
async def test_a_day_begins_at_midnight_of_the_tenants_time_zone(stores: Stores, acme: Tenant) -> None:
    """In Kolkata it is half past five later."""
    await stores.outbound.save_policy(acme.tenant_id, POLICY)
    midnight = datetime(2026, 11, 22, 18, 30, tzinfo=UTC)
    for at in (midnight - timedelta(minutes=1), midnight):
        attempt = await reserve(stores, acme, at=at)
        await stores.calls.advance(
            acme.tenant_id,
            attempt.call_id,
            CallState.COMPLETED,
            at=at + timedelta(seconds=30),
            reason=EndReason.SILENT,
        )
    _, usage = await stores.outbound.standing(acme.tenant_id, NOON)
    assert (usage.spent, usage.open_calls) == (Decimal("0.5"), 0)


async def test_one_of_many_gets_to_dial(stores: Stores, acme: Tenant) -> None:
    await stores.outbound.save_policy(acme.tenant_id, POLICY)
    attempt = await reserve(stores, acme)
    moved = await asyncio.gather(*(stores.outbound.move(attempt, AttemptState.DIALLING) for _ in range(8)))
    assert moved.count(True) == 1
    assert await stores.outbound.of_call(acme.tenant_id, attempt.call_id) == replace(
        attempt, state=AttemptState.DIALLING
    )


async def test_a_call_that_has_ended_is_not_dialled(stores: Stores, acme: Tenant) -> None:
    await stores.outbound.save_policy(acme.tenant_id, POLICY)
    attempt = await reserve(stores, acme)
    await stores.calls.advance(acme.tenant_id, attempt.call_id, CallState.CANCELED, at=NOON)
    assert not await stores.outbound.move(attempt, AttemptState.DIALLING)
    assert await stores.outbound.move(attempt, AttemptState.FAILED)


async def test_another_tenant_moves_nothing(stores: Stores, acme: Tenant, globex: Tenant) -> None:
    await stores.outbound.save_policy(acme.tenant_id, POLICY)
    attempt = await reserve(stores, acme)
    assert not await stores.outbound.move(replace(attempt, tenant_id=globex.tenant_id), AttemptState.FAILED)


@in_the_database
async def test_an_attempt_needs_an_agent_of_its_tenant(stores: Stores, acme: Tenant) -> None:
    await stores.outbound.save_policy(acme.tenant_id, POLICY)
    call, attempt = asked(acme)
    with pytest.raises(NotFound, match="agent_unknown"):
        await stores.outbound.reserve(replace(call, agent_id="unknown"), attempt, Usage())
    assert (await stores.outbound.standing(acme.tenant_id, NOON))[1] == Usage()


async def test_calls_that_last_too_long_are_found(stores: Stores, acme: Tenant) -> None:
    await stores.outbound.save_policy(acme.tenant_id, POLICY)
    talking, ringing = await reserve(stores, acme), await reserve(stores, acme)
    await stores.calls.advance(acme.tenant_id, talking.call_id, CallState.IN_PROGRESS, at=NOON)
    allowed = timedelta(seconds=30 + 600 + 60)

    async def overdue(at: datetime) -> set[str]:
        found = await stores.outbound.overdue(at)
        return {call_id for tenant_id, call_id in found if tenant_id == acme.tenant_id}

    assert await overdue(NOON + allowed) == set()
    assert await overdue(NOON + allowed + timedelta(seconds=1)) == {talking.call_id}
    for attempt in (talking, ringing):
        await stores.calls.advance(acme.tenant_id, attempt.call_id, CallState.FAILED, at=NOON)
    assert await overdue(NOON + timedelta(days=1)) == set()


@in_the_database
@pytest.mark.parametrize("key", ["", "the-same"])
async def test_who_comes_at_the_same_moment_shares_the_limits(
    stores: Stores, acme: Tenant, postgres_dsn: str, key: str
) -> None:
    pool, clock = PostgresPool(postgres_dsn), FakeClock()
    policy = replace(POLICY, weekdays=frozenset(range(1, 8)), from_minute=0, until_minute=1440, most_at_once=2)
    await stores.outbound.save_policy(acme.tenant_id, policy)
    controls = {Provider.TWILIO: FakeCallControl()}
    place = PlaceCall(
        PostgresDirectory(pool, PydanticAgentDocuments().read),
        PostgresNumbers(pool),
        stores.outbound,
        controls,
        clock,
    )
    wish = Wish(to="+14155550100", agent_id=acme.agent_id, caller_id=acme.number)
    orchestrations = FakeOrchestrations()
    asking = (place(acme.tenant_id, wish, orchestrations, idempotency_key=key) for _ in range(6))
    told = await asyncio.gather(*asking, return_exceptions=True)
    await pool.aclose()
    call_ids = {each for each in told if isinstance(each, str)}
    refused = [each.code for each in told if isinstance(each, VoiceAgentError)]
    _, usage = await stores.outbound.standing(acme.tenant_id, clock.now())
    if key:
        assert (len(call_ids), usage.open_calls, refused) == (1, 1, [])
    else:
        assert (len(call_ids), usage.open_calls, refused) == (2, 2, ["too_many_calls"] * 4)
    assert {request.call_id for request in orchestrations.dials} == call_ids
