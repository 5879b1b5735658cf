"""What every `CallStore` keeps of a call's course at its provider, whoever tells it, whenever and however often."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import psycopg
import pytest

from shared.adapters.postgres.call_store import PostgresCallStore
from shared.adapters.postgres.pool import PostgresPool
from shared.domain.call import OUTBOUND, Call, EndReason
from shared.domain.errors import NotFound, StoreError
from shared.domain.provider_recording import ProviderRecording, RecordingState
from shared.domain.telephony.lines import Line, Provider
from shared.domain.telephony.progress import AnsweredBy, CallState, Standing
from shared.ports.call_store import CallStore
from tests.contracts.conftest import Tenant
from tests.fakes.stores import FakeCallStore
from tests.services import free_port

_NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture(params=["postgres", "fake"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[CallStore]:
    if request.param == "fake":
        yield FakeCallStore()
        return
    pool = PostgresPool(request.getfixturevalue("postgres_dsn"))
    yield PostgresCallStore(pool)
    await pool.aclose()


async def _call(store: CallStore, tenant: Tenant, **changes: object) -> Call:
    """A call on record."""
    call = Call(
        call_id=str(uuid4()),
        tenant_id=tenant.tenant_id,
        agent_id=tenant.agent_id,
        provider=Provider.TWILIO,
        provider_call_id="",
        line=Line.TWILIO_RELAY,
        direction=OUTBOUND,
        caller=tenant.number,
        callee="+15550109999",
        state=CallState.CREATED,
        started_at=_NOON,
    )
    call = replace(call, **changes)  # type: ignore[arg-type]
    assert await store.create(call)
    return call


async def _again(store: CallStore, call: Call) -> Call:
    found = await store.get(call.tenant_id, call.call_id)
    assert found is not None
    return found


async def test_calls_that_are_not_named_yet_do_not_disturb_each_other(store: CallStore, acme: Tenant) -> None:
    first, second = await _call(store, acme), await _call(store, acme)
    assert [await _again(store, call) for call in (first, second)] == [first, second]
    assert await store.of_provider(Provider.TWILIO, "") is None


async def test_a_call_of_ours_is_named_once(store: CallStore, acme: Tenant, globex: Tenant) -> None:
    call, other, name = await _call(store, acme), await _call(store, acme), f"CA{uuid4().hex}"
    assert not await store.name(globex.tenant_id, call.call_id, name)
    for _ in range(2):
        assert await store.name(acme.tenant_id, call.call_id, name)
    assert not await store.name(acme.tenant_id, call.call_id, "CAanother")
    assert not await store.name(acme.tenant_id, other.call_id, name), "it is the first one's"
    assert await _again(store, call) == replace(call, provider_call_id=name)
    assert await _again(store, other) == other


async def test_an_inbound_call_has_its_name_from_the_start(store: CallStore, acme: Tenant) -> None:
    call = await _call(store, acme, direction="inbound", provider_call_id=f"CA{uuid4().hex}")
    assert not await store.name(acme.tenant_id, call.call_id, "CAanother")


async def test_of_two_names_at_once_one_stands(store: CallStore, acme: Tenant) -> None:
    call, names = await _call(store, acme), [f"CA{uuid4().hex}" for _ in range(6)]
    named = await asyncio.gather(*(store.name(acme.tenant_id, call.call_id, name) for name in names))
    assert named.count(True) == 1
    assert (await _again(store, call)).provider_call_id == names[named.index(True)]


async def test_a_provider_finds_its_call_by_its_own_id_and_by_ours(store: CallStore, acme: Tenant) -> None:
    name = f"CA{uuid4().hex}"
    call = await _call(store, acme, provider_call_id=name)
    assert await store.of_provider(Provider.TWILIO, name) == call
    assert await store.of_provider(Provider.VONAGE, name) is None
    assert await store.of_id(call.call_id) == call
    for garbage in ("", "\0", "unknown", "\ud83d"):
        assert await store.of_provider(Provider.TWILIO, garbage) is None
        assert await store.of_id(garbage) is None


async def test_what_is_known_beside_the_state_is_added_in_any_order(store: CallStore, acme: Tenant) -> None:
    rng, told = random.Random(7), Standing()
    call = await _call(store, acme)
    news: list[dict[str, object]] = [{"answered_by": by} for by in AnsweredBy]
    news += [{"duration_s": seconds} for seconds in (0.0, 61.5, 60.0)] + [{"price": "-0.0085 USD"}]
    for _ in range(30):
        one = rng.choice(news)
        told = told.after(**one)  # type: ignore[arg-type]
        assert await store.enrich(acme.tenant_id, call.call_id, **one)  # type: ignore[arg-type]
        found = await _again(store, call)
        assert (found.answered_by, found.duration_s, found.price) == (told.answered_by, told.duration_s, told.price)
    assert found.answered_by is AnsweredBy.FAX


async def test_a_call_that_has_ended_is_enriched_and_stays_ended(store: CallStore, acme: Tenant) -> None:
    call = await _call(store, acme)
    end = _NOON + timedelta(seconds=5)
    await store.advance(acme.tenant_id, call.call_id, CallState.NO_ANSWER, at=end, reason=EndReason.NO_ANSWER)
    assert await store.enrich(acme.tenant_id, call.call_id, duration_s=0.0, price="0.00 USD")
    expected = replace(
        call,
        state=CallState.NO_ANSWER,
        ended_at=end,
        end_reason=EndReason.NO_ANSWER,
        duration_s=0.0,
        price="0.00 USD",
    )
    assert await _again(store, call) == expected


async def test_nobody_enriches_anothers_or_an_unknown_call(store: CallStore, acme: Tenant, globex: Tenant) -> None:
    call = await _call(store, acme)
    assert not await store.enrich(globex.tenant_id, call.call_id, duration_s=1.0)
    assert not await store.enrich(acme.tenant_id, "unknown", duration_s=1.0)
    assert await _again(store, call) == call


async def test_many_tell_at_once_and_the_call_stands_where_it_should(store: CallStore, acme: Tenant) -> None:
    call = await _call(store, acme)
    states = [CallState.RINGING, CallState.QUEUED, CallState.BUSY, CallState.IN_PROGRESS, CallState.COMPLETED] * 3
    moved = await asyncio.gather(
        *(store.advance(acme.tenant_id, call.call_id, state, at=_NOON, reason=EndReason.BUSY) for state in states)
    )
    ends = [state for state, has_moved in zip(states, moved, strict=True) if has_moved and state.is_end]
    assert [(await _again(store, call)).state] == ends


async def test_calls_that_have_not_ended_are_found_oldest_first(
    store: CallStore, acme: Tenant, globex: Tenant
) -> None:
    long_ago = datetime(2001, 1, 1, tzinfo=UTC)
    ringing = await _call(store, acme, started_at=long_ago, state=CallState.RINGING)
    created = await _call(store, globex, started_at=long_ago + timedelta(minutes=1))
    running = await _call(store, acme, started_at=long_ago - timedelta(minutes=30), state=CallState.IN_PROGRESS)
    ended = await _call(store, acme, started_at=long_ago)
    await store.advance(acme.tenant_id, ended.call_id, CallState.BUSY, at=_NOON)
    soon, later = long_ago + timedelta(minutes=5), long_ago - timedelta(minutes=45)
    assert await store.unended(ringing=soon, running=later) == [ringing, created]
    assert await store.unended(ringing=later, running=soon) == [running]
    assert await store.unended(ringing=soon, running=soon, limit=2) == [running, ringing]
    for call in (ringing, created, running):
        await store.advance(call.tenant_id, call.call_id, CallState.FAILED, at=_NOON)
    assert await store.unended(ringing=soon, running=soon) == []


async def test_the_timers_question_is_answered_from_its_index(postgres_dsn: str) -> None:
    with psycopg.connect(postgres_dsn) as connection:
        connection.execute("set enable_seqscan = off")
        plan = connection.execute(
            "explain select from calls where state in ('created', 'queued', 'ringing', 'in_progress')"
            " and started_at < case state when 'in_progress' then now() else now() end order by started_at limit 100"
        ).fetchall()
    assert "calls_open" in str(plan)


async def test_a_stopped_store_says_so_soon() -> None:
    pool = PostgresPool(f"postgresql://voice@127.0.0.1:{free_port()}/voice", connect_timeout_s=1.0)
    store = PostgresCallStore(pool)
    began = time.monotonic()
    outcomes = await asyncio.gather(
        store.enrich("t", "c", duration_s=1.0),
        store.name("t", "c", "CA1"),
        store.of_provider(Provider.TWILIO, "CA1"),
        store.of_id("c"),
        store.unended(ringing=_NOON, running=_NOON),
        return_exceptions=True,
    )
    assert time.monotonic() - began < 3.0
    assert all(isinstance(outcome, StoreError) and outcome.retryable for outcome in outcomes)


async def test_a_providers_recordings_are_kept_with_their_call(
    store: CallStore, acme: Tenant, globex: Tenant
) -> None:
    call = await _call(store, acme)
    first, second = (ProviderRecording(name, f"https://api.example.com/{name}") for name in ("RE1", "RE2"))
    for recording in (first, second, first):
        await store.save_provider_recording(acme.tenant_id, call.call_id, recording)
    assert (await _again(store, call)).provider_recordings == (first, second)
    kept = replace(first, state=RecordingState.KEPT, duration_ms=1500, container="files", blob="a/b.wav")
    await store.save_provider_recording(acme.tenant_id, call.call_id, kept)
    for late in (first, replace(first, state=RecordingState.LOST)):
        await store.save_provider_recording(acme.tenant_id, call.call_id, late)
    lost = replace(second, state=RecordingState.LOST)
    await store.save_provider_recording(acme.tenant_id, call.call_id, lost)
    assert (await _again(store, call)).provider_recordings == (kept, lost)
    with pytest.raises(NotFound):
        await store.save_provider_recording(globex.tenant_id, call.call_id, first)


async def test_the_language_of_a_call_is_the_last_that_was_told(store: CallStore, acme: Tenant) -> None:
    call = await _call(store, acme)
    assert call.language == ""
    for language in ("hi-IN", "", "en"):
        assert await store.enrich(acme.tenant_id, call.call_id, language=language)
        assert (await _again(store, call)).language == (language or "hi-IN")


async def test_what_is_announced_is_found_until_it_is_decided(store: CallStore, acme: Tenant) -> None:
    call, later = await _call(store, acme), datetime.now(UTC) + timedelta(minutes=1)
    recordings = [ProviderRecording(name, f"https://api.example.com/{name}") for name in ("RE1", "RE2", "RE3")]
    for recording in recordings:
        await store.save_provider_recording(acme.tenant_id, call.call_id, recording)
    await store.save_provider_recording(
        acme.tenant_id, call.call_id, replace(recordings[0], state=RecordingState.LOST)
    )
    kept = replace(recordings[1], state=RecordingState.KEPT, container="files", blob="b")
    await store.save_provider_recording(acme.tenant_id, call.call_id, kept)

    async def found(before: datetime) -> list[str]:
        requests = await store.announced_recordings(before=before, limit=1000)
        return [request.name for request in requests if request.call_id == call.call_id]

    assert await found(later) == ["RE3"]
    assert await found(later - timedelta(hours=1)) == []
