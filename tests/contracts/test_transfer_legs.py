"""What every `OutboundCalls` does with the other ends of transfers: they count as calls that are placed do."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from shared.domain.call import INBOUND, CallState, EndReason
from shared.domain.errors import NotFound
from shared.domain.telephony.outbound import Allowance, Leg, OutboundPolicy, Usage
from tests.contracts.conftest import Tenant
from tests.contracts.test_outbound_calls import NOON, POLICY, Stores, asked, in_the_database, reserve, stores

__all__ = ["stores"]


async def leg(stores: Stores, tenant: Tenant, *, at: datetime = NOON) -> Leg:
    """Of a caller who is with us."""
    call = replace(
        asked(tenant, at=at)[0], direction=INBOUND, state=CallState.IN_PROGRESS, provider_call_id=uuid4().hex
    )
    assert await stores.calls.create(call)
    return Leg(str(uuid4()), tenant.tenant_id, call.call_id, "+4930123456", Allowance(600, Decimal("0.5")), 25, at)


async def usage(stores: Stores, tenant: Tenant, at: datetime = NOON) -> Usage:
    return (await stores.outbound.standing(tenant.tenant_id, at))[1]


async def end(stores: Stores, made: Leg, reason: EndReason, *, after_s: int) -> None:
    at = made.begun_at + timedelta(seconds=after_s)
    assert await stores.calls.advance(made.tenant_id, made.call_id, CallState.COMPLETED, at=at, reason=reason)


async def test_it_counts_with_calls_that_are_placed(stores: Stores, acme: Tenant, globex: Tenant) -> None:
    for tenant in (acme, globex):
        await stores.outbound.save_policy(tenant.tenant_id, POLICY)
    await reserve(stores, acme)
    assert await stores.outbound.add_leg(await leg(stores, acme), await usage(stores, acme))
    assert await usage(stores, acme) == Usage(2, Decimal(10), 2)
    assert await usage(stores, globex) == Usage()


@pytest.mark.parametrize("is_trusted", [True, False])
async def test_who_reckoned_without_it_reserves_nothing(stores: Stores, acme: Tenant, is_trusted: bool) -> None:
    await stores.outbound.save_policy(acme.tenant_id, POLICY)
    known = await usage(stores, acme)
    assert await stores.outbound.add_leg(await leg(stores, acme), None if is_trusted else known)
    assert not await stores.outbound.reserve(*asked(acme), known)
    assert not await stores.outbound.add_leg(await leg(stores, acme), known)
    assert (await usage(stores, acme)).open_calls == 1


async def test_of_those_who_come_at_the_same_moment_one_is_recorded(stores: Stores, acme: Tenant) -> None:
    await stores.outbound.save_policy(acme.tenant_id, POLICY)
    legs = [await leg(stores, acme) for _ in range(6)]
    added = await asyncio.gather(*(stores.outbound.add_leg(one, Usage()) for one in legs))
    assert added.count(True) == 1
    assert (await usage(stores, acme)).open_calls == 1


async def test_a_trusted_one_needs_no_policy(stores: Stores, acme: Tenant) -> None:
    assert await stores.outbound.add_leg(await leg(stores, acme), None)
    assert not await stores.outbound.add_leg(await leg(stores, acme), Usage(reservations=7))
    assert await stores.outbound.standing(acme.tenant_id, NOON) == (OutboundPolicy(), Usage())


async def test_what_has_come_to_nothing_costs_nothing(stores: Stores, acme: Tenant, globex: Tenant) -> None:
    await stores.outbound.save_policy(acme.tenant_id, POLICY)
    made = await leg(stores, acme)
    await stores.outbound.add_leg(made, None)
    await stores.outbound.end_legs(globex.tenant_id, made.call_id, NOON)
    assert (await usage(stores, acme)).open_calls == 1, "another tenant ends nothing"
    await stores.outbound.end_legs(acme.tenant_id, made.call_id, NOON)
    assert replace(await usage(stores, acme), reservations=0) == Usage()


async def test_it_is_open_for_as_long_as_it_may_last(stores: Stores, acme: Tenant) -> None:
    await stores.outbound.save_policy(acme.tenant_id, POLICY)
    made = await leg(stores, acme)
    await stores.outbound.add_leg(made, None)
    await end(stores, made, EndReason.TRANSFERRED, after_s=0)
    assert (await usage(stores, acme, NOON + timedelta(seconds=624))).open_calls == 1
    assert (await usage(stores, acme, NOON + timedelta(seconds=625))).open_calls == 0


@in_the_database
async def test_what_it_costs_in_the_end(stores: Stores, acme: Tenant) -> None:
    await stores.outbound.save_policy(acme.tenant_id, POLICY)

    async def spent() -> Decimal:
        return (await usage(stores, acme)).spent

    first, second = await leg(stores, acme), await leg(stores, acme)
    await stores.outbound.add_leg(first, None)
    await end(stores, first, EndReason.TRANSFERRED, after_s=10)
    assert await spent() == Decimal(5), "the line goes on without us"
    await stores.calls.enrich(acme.tenant_id, first.call_id, duration_s=61.0)
    assert await spent() == Decimal(1), "the provider has counted two minutes"
    await stores.outbound.add_leg(second, None)
    await end(stores, second, EndReason.CALLER_HUNG_UP, after_s=59)
    assert replace(await usage(stores, acme), reservations=0) == Usage(0, Decimal("1.5"))
    assert (await usage(stores, acme, NOON + timedelta(days=1))).spent == 0


@in_the_database
async def test_it_is_of_a_call_of_the_tenant(stores: Stores, acme: Tenant, globex: Tenant) -> None:
    theirs = await leg(stores, globex)
    with pytest.raises(NotFound, match="call_unknown"):
        await stores.outbound.add_leg(replace(theirs, tenant_id=acme.tenant_id), None)
