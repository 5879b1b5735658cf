"""What every `Webhooks` does: nothing that happened is lost or told twice, and tenants are apart."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from shared.adapters.postgres.analyses import PostgresAfterCallRecords
from shared.adapters.postgres.call_store import PostgresCallStore
from shared.adapters.postgres.pool import PostgresPool
from shared.adapters.postgres.webhooks import PostgresWebhooks
from shared.domain.after_call.records import AnalysisRecord
from shared.domain.after_call.webhooks import DeliveryState, Endpoint, Event, EventKind
from shared.domain.call import CallState, EndReason
from shared.ports.vault import Sealed
from shared.ports.webhooks import Webhooks
from tests.contracts.conftest import Tenant
from tests.contracts.test_call_store import _call
from tests.fakes.after_calls import FakeWebhooks

NOW = datetime(2026, 11, 23, 1, 2, 3, tzinfo=UTC)
SECRETS = Sealed("k", b"\x00secret")
ALL = tuple(EventKind)


@pytest.fixture
async def pool(postgres_dsn: str) -> AsyncIterator[PostgresPool]:
    pool = PostgresPool(postgres_dsn)
    yield pool
    await pool.aclose()


@pytest.fixture(params=["postgres", "fake"])
def webhooks(request: pytest.FixtureRequest, pool: PostgresPool) -> Webhooks:
    return FakeWebhooks() if request.param == "fake" else PostgresWebhooks(pool)


def endpoint(*events: EventKind, name: str = "") -> Endpoint:
    return Endpoint(name or f"whe_{uuid4().hex}", "https://hook.example/a", events or ALL, NOW)


async def happened(webhooks: Webhooks, pool: PostgresPool, tenant: Tenant) -> Event:
    """A call of the tenant has ended: the event of it."""
    calls = PostgresCallStore(pool)
    call = _call(tenant, state=CallState.IN_PROGRESS, started_at=NOW)
    await calls.create(call)
    await calls.advance(tenant.tenant_id, call.call_id, CallState.COMPLETED, at=NOW, reason=EndReason.SILENT)
    if isinstance(webhooks, FakeWebhooks):
        event = Event(f"evt_{uuid4().hex}", tenant.tenant_id, call.call_id, EventKind.ENDED, NOW)
        webhooks.events[event.event_id] = event
        return event
    return next(each for each in await webhooks.untold(limit=10_000) if each.call_id == call.call_id)


async def delivery(webhooks: Webhooks, pool: PostgresPool, tenant: Tenant, name: str) -> str:
    (delivery_id,) = await webhooks.tell(await happened(webhooks, pool, tenant), [(name, "{}")])
    return delivery_id


async def note(webhooks: Webhooks, tenant: Tenant, delivery_id: str, state: DeliveryState, most: int = 9) -> None:
    await webhooks.note(tenant.tenant_id, delivery_id, state, status=500, fault="http_500", most_failures=most)


async def test_endpoints(webhooks: Webhooks, acme: Tenant, globex: Tenant) -> None:
    first, second = endpoint(EventKind.ENDED), endpoint()
    assert await webhooks.add(acme.tenant_id, first, SECRETS, most=2)
    assert await webhooks.add(acme.tenant_id, second, SECRETS, most=2)
    assert not await webhooks.add(acme.tenant_id, endpoint(), SECRETS, most=2)
    assert {each.endpoint_id for each in await webhooks.endpoints(acme.tenant_id)} == {
        first.endpoint_id,
        second.endpoint_id,
    }
    assert await webhooks.endpoint(acme.tenant_id, first.endpoint_id) == (first, SECRETS)
    assert await webhooks.listening(acme.tenant_id, EventKind.STARTED) == [second.endpoint_id]
    assert not await webhooks.endpoints(globex.tenant_id)
    assert await webhooks.endpoint(globex.tenant_id, first.endpoint_id) is None
    assert not await webhooks.remove(globex.tenant_id, first.endpoint_id)
    assert not await webhooks.enable(globex.tenant_id, first.endpoint_id)
    assert await webhooks.remove(acme.tenant_id, first.endpoint_id)
    assert await webhooks.endpoint(acme.tenant_id, first.endpoint_id) is None
    assert await webhooks.endpoint(acme.tenant_id, "\0") is None


async def test_secrets_are_changed_by_who_knows_them(webhooks: Webhooks, acme: Tenant) -> None:
    one = endpoint()
    await webhooks.add(acme.tenant_id, one, SECRETS, most=9)
    new = Sealed("k2", b"new")
    assert await webhooks.set_secrets(acme.tenant_id, one.endpoint_id, SECRETS, new)
    assert not await webhooks.set_secrets(acme.tenant_id, one.endpoint_id, SECRETS, Sealed("k3", b"late"))
    assert await webhooks.endpoint(acme.tenant_id, one.endpoint_id) == (one, new)


async def test_an_event_is_told_once_to_each(webhooks: Webhooks, pool: PostgresPool, acme: Tenant) -> None:
    a, b = endpoint(name=f"a{uuid4().hex}"), endpoint(name=f"b{uuid4().hex}")
    for each in (a, b):
        await webhooks.add(acme.tenant_id, each, SECRETS, most=9)
    event = await happened(webhooks, pool, acme)
    made = await webhooks.tell(event, [(a.endpoint_id, '{"a":1}'), (b.endpoint_id, "{}")])
    assert len(made) == 2
    again = await webhooks.tell(event, [(a.endpoint_id, "other"), (b.endpoint_id, "other")])
    assert sorted(again) == sorted(made), "who was lost on the way finds what is still to be sent"
    assert event.event_id not in [each.event_id for each in await webhooks.untold(limit=10_000)]
    found = [await webhooks.addressed(acme.tenant_id, each) for each in made]
    assert {(each.endpoint.endpoint_id, each.delivery.body) for each in found if each} == {
        (a.endpoint_id, '{"a":1}'),
        (b.endpoint_id, "{}"),
    }
    assert all(each and each.secrets == SECRETS and each.delivery.event_id == event.event_id for each in found)


async def test_an_event_that_nobody_wants_is_told_as_well(
    webhooks: Webhooks, pool: PostgresPool, acme: Tenant
) -> None:
    await webhooks.add(acme.tenant_id, endpoint(), SECRETS, most=9)
    event = await happened(webhooks, pool, acme)
    assert not await webhooks.tell(event, [])
    assert event.event_id not in [each.event_id for each in await webhooks.untold(limit=10_000)]


async def test_attempts(webhooks: Webhooks, pool: PostgresPool, acme: Tenant) -> None:
    one = endpoint()
    await webhooks.add(acme.tenant_id, one, SECRETS, most=9)
    delivery_id = await delivery(webhooks, pool, acme, one.endpoint_id)
    await note(webhooks, acme, delivery_id, DeliveryState.PENDING)
    await note(webhooks, acme, delivery_id, DeliveryState.PENDING)
    found = await webhooks.addressed(acme.tenant_id, delivery_id)
    assert found is not None
    assert (found.delivery.attempts, found.delivery.last_status, found.endpoint.failures) == (2, 500, 2)
    await webhooks.note(acme.tenant_id, delivery_id, DeliveryState.DELIVERED, status=200, fault="", most_failures=9)
    await note(webhooks, acme, delivery_id, DeliveryState.DEAD)
    found = await webhooks.addressed(acme.tenant_id, delivery_id)
    assert found is not None
    assert (found.delivery.state, found.delivery.attempts, found.delivery.last_fault) == ("delivered", 3, "")
    assert found.endpoint.failures == 0


async def test_an_endpoint_that_always_fails_is_disabled(
    webhooks: Webhooks, pool: PostgresPool, acme: Tenant
) -> None:
    one = endpoint()
    await webhooks.add(acme.tenant_id, one, SECRETS, most=9)
    delivery_id = await delivery(webhooks, pool, acme, one.endpoint_id)
    for _ in range(2):
        assert await webhooks.listening(acme.tenant_id, EventKind.ENDED) == [one.endpoint_id]
        await note(webhooks, acme, delivery_id, DeliveryState.PENDING, most=2)
    assert await webhooks.listening(acme.tenant_id, EventKind.ENDED) == []
    assert (await webhooks.endpoints(acme.tenant_id))[0].disabled_reason == "too_many_failures"
    await webhooks.disable(acme.tenant_id, one.endpoint_id, "gone")
    assert (await webhooks.endpoints(acme.tenant_id))[0].disabled_reason == "too_many_failures"
    assert await webhooks.enable(acme.tenant_id, one.endpoint_id)
    assert (await webhooks.endpoints(acme.tenant_id))[0] == one


async def test_dead_letters(webhooks: Webhooks, pool: PostgresPool, acme: Tenant, globex: Tenant) -> None:
    one = endpoint()
    await webhooks.add(acme.tenant_id, one, SECRETS, most=9)
    dead, alive = [await delivery(webhooks, pool, acme, one.endpoint_id) for _ in range(2)]
    await note(webhooks, acme, dead, DeliveryState.DEAD)
    listed = await webhooks.deliveries(acme.tenant_id, state=DeliveryState.DEAD)
    assert [(each.delivery_id, each.body, each.last_fault) for each in listed] == [(dead, "", "http_500")]
    assert [each.delivery_id for each in await webhooks.deliveries(acme.tenant_id)] == [alive, dead]
    assert len(await webhooks.deliveries(acme.tenant_id, endpoint_id=one.endpoint_id, limit=1)) == 1
    assert not await webhooks.deliveries(acme.tenant_id, endpoint_id="other")
    assert not await webhooks.deliveries(acme.tenant_id, before=NOW - timedelta(days=9_000))
    assert not await webhooks.deliveries(globex.tenant_id)
    assert not await webhooks.revive(globex.tenant_id, dead)
    assert await webhooks.addressed(globex.tenant_id, dead) is None
    assert await webhooks.revive(acme.tenant_id, dead)
    found = await webhooks.addressed(acme.tenant_id, dead)
    assert found is not None
    assert (found.delivery.state, found.delivery.attempts) == ("pending", 0)


async def test_what_nobody_goes_on_with(webhooks: Webhooks, pool: PostgresPool, acme: Tenant) -> None:
    one = endpoint()
    await webhooks.add(acme.tenant_id, one, SECRETS, most=9)
    delivery_id = await delivery(webhooks, pool, acme, one.endpoint_id)
    now = datetime.now(UTC)
    before, after = now - timedelta(hours=1), now + timedelta(hours=1)
    assert delivery_id not in [each.delivery_id for each in await webhooks.forgotten(before, limit=10_000)]
    assert delivery_id in [each.delivery_id for each in await webhooks.forgotten(after, limit=10_000)]


async def test_events_are_written_with_what_happens(pool: PostgresPool, acme: Tenant, globex: Tenant) -> None:
    """Started, ended and analysed, each once, for who wants it; of a call that goes back nothing."""
    webhooks, calls, records = PostgresWebhooks(pool), PostgresCallStore(pool), PostgresAfterCallRecords(pool)
    await webhooks.add(acme.tenant_id, endpoint(), SECRETS, most=9)
    await webhooks.add(globex.tenant_id, endpoint(EventKind.ANALYSED), SECRETS, most=9)
    kinds = {}
    for tenant in (acme, globex):
        call = _call(tenant, started_at=NOW)
        await calls.create(call)
        for state in (CallState.IN_PROGRESS, CallState.IN_PROGRESS, CallState.COMPLETED, CallState.IN_PROGRESS):
            await calls.advance(tenant.tenant_id, call.call_id, state, at=NOW, reason=EndReason.SILENT)
        for _ in range(2):
            await records.keep(tenant.tenant_id, call.call_id, analysis=AnalysisRecord({"summary": "x"}))
        kinds[tenant] = [e.kind for e in await webhooks.untold(limit=10_000) if e.call_id == call.call_id]
    assert kinds == {acme: ["call.started", "call.ended", "call.analysed"], globex: ["call.analysed"]}


async def test_without_endpoints_nothing_is_written(pool: PostgresPool, acme: Tenant) -> None:
    calls, webhooks = PostgresCallStore(pool), PostgresWebhooks(pool)
    call = _call(acme, state=CallState.IN_PROGRESS, started_at=NOW)
    await calls.create(call)
    await calls.advance(acme.tenant_id, call.call_id, CallState.COMPLETED, at=NOW, reason=EndReason.SILENT)
    assert call.call_id not in [event.call_id for event in await webhooks.untold(limit=10_000)]
