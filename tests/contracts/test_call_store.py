"""What every `CallStore` does, and how it fails."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from itertools import product
from uuid import uuid4

import psycopg
import pytest

from shared.adapters.postgres.call_store import PostgresCallStore
from shared.adapters.postgres.pool import PostgresPool
from shared.domain.call import (
    Call,
    CallState,
    EndReason,
    Provider,
    Recording,
    Turn,
    TurnOutcome,
    moves_forward,
)
from shared.domain.errors import InvalidRequest, NotFound, StoreError
from shared.domain.knowledge.citations import Citation
from shared.domain.telephony.lines import Line
from shared.ports.call_store import CallStore
from tests.contracts.conftest import Tenant, publish
from tests.fakes.stores import FakeCallStore
from tests.services import free_port

_NOON = datetime(2026, 11, 22, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture(params=["postgres", "fake"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[CallStore]:
    if request.param == "fake":
        yield FakeCallStore()
        return
    pool = PostgresPool(request.getfixturevalue("postgres_dsn"), max_connections=8)
    yield PostgresCallStore(pool)
    await pool.aclose()


@pytest.fixture(params=["postgres"])
async def stopped_store(request: pytest.FixtureRequest) -> AsyncIterator[CallStore]:
    pool = PostgresPool(f"postgresql://voice@127.0.0.1:{free_port()}/voice", connect_timeout_s=1.0)
    yield PostgresCallStore(pool)
    await pool.aclose()


in_the_database = pytest.mark.parametrize("store", ["postgres"], indirect=True)
"""For what the schema alone can know."""


def _call(tenant: Tenant, **changes: object) -> Call:
    call_id = str(uuid4())
    call = Call(
        call_id=call_id,
        tenant_id=tenant.tenant_id,
        agent_id=tenant.agent_id,
        provider=Provider.TWILIO,
        provider_call_id=f"CA{call_id}",
        line=Line.TWILIO,
        direction="inbound",
        caller="+15550109999",
        callee=tenant.number,
        state=CallState.RINGING,
        started_at=_NOON,
    )
    return replace(call, **changes)  # type: ignore[arg-type]


def _turn(number: int, **changes: object) -> Turn:
    moments, costs = {"speech_ended_ms": 1.5}, {"takes": 2.0, "takes_withdrawn": 1.0}
    citations = (Citation("shop", "d-1", "p-1", "Handbook \u0928", "page 3", 0.5),)
    turn = Turn(number, "what was heard", "what was said", TurnOutcome.COMPLETED, moments, costs, citations)
    return replace(turn, **changes)  # type: ignore[arg-type]


async def test_a_call_comes_back_as_it_was_recorded(store: CallStore, acme: Tenant) -> None:
    call = _call(acme)
    assert await store.create(call)
    assert await store.get(acme.tenant_id, call.call_id) == call


async def test_a_call_may_come_with_everything_at_once(store: CallStore, acme: Tenant) -> None:
    call = _call(
        acme,
        state=CallState.COMPLETED,
        ended_at=_NOON + timedelta(minutes=2),
        end_reason=EndReason.SILENT,
        recording=Recording("recordings", "a/b.wav", 120_000),
        turns=(_turn(0, heard=None), _turn(1)),
    )
    assert await store.create(call)
    assert await store.get(acme.tenant_id, call.call_id) == call


@pytest.mark.parametrize("caller", ["", "anonymous", "sip:someone@example.com", "+266696687", "web:0ü"])
async def test_a_caller_need_not_be_a_number(store: CallStore, acme: Tenant, caller: str) -> None:
    call = _call(acme, provider=Provider.WEB, line=Line.WEB, caller=caller, callee="first")
    assert await store.create(call)
    assert await store.get(acme.tenant_id, call.call_id) == call


async def test_moments_are_the_same_in_every_zone(store: CallStore, acme: Tenant) -> None:
    call = _call(acme, started_at=_NOON.astimezone(timezone(timedelta(hours=5, minutes=30))))
    await store.create(call)
    found = await store.get(acme.tenant_id, call.call_id)
    assert found is not None
    assert found.started_at == _NOON
    assert found.started_at.utcoffset() == timedelta(0)


async def test_creating_again_changes_nothing(store: CallStore, acme: Tenant) -> None:
    call = _call(acme)
    assert await store.create(call)
    assert not await store.create(call)
    assert not await store.create(replace(call, caller="+15550100000", turns=(_turn(0),)))
    assert await store.get(acme.tenant_id, call.call_id) == call


async def test_of_many_creations_at_once_one_is_true(store: CallStore, acme: Tenant) -> None:
    call = _call(acme)
    created = await asyncio.gather(*(store.create(call) for _ in range(12)))
    assert sorted(created) == [False] * 11 + [True]


async def test_a_providers_call_is_recorded_once(store: CallStore, acme: Tenant) -> None:
    call = _call(acme)
    assert await store.create(call)
    assert not await store.create(_call(acme, provider_call_id=call.provider_call_id))
    assert await store.create(
        _call(acme, provider_call_id=call.provider_call_id, provider=Provider.WEB, line=Line.WEB)
    )


async def test_another_tenants_call_id_is_taken_and_stays_theirs(
    store: CallStore, acme: Tenant, globex: Tenant
) -> None:
    call = _call(acme)
    assert await store.create(call)
    assert not await store.create(_call(globex, call_id=call.call_id))
    assert await store.get(globex.tenant_id, call.call_id) is None
    assert await store.get(acme.tenant_id, call.call_id) == call


@in_the_database
@pytest.mark.parametrize("agent", ["unknown", "theirs"])
async def test_a_call_needs_an_agent_of_its_tenant(
    store: CallStore, acme: Tenant, globex: Tenant, postgres_dsn: str, agent: str
) -> None:
    if agent == "theirs":
        with psycopg.connect(postgres_dsn) as connection:
            publish(connection, globex.tenant_id, "theirs")
    call = _call(acme, agent_id=agent)
    with pytest.raises(NotFound, match="agent_unknown"):
        await store.create(call)
    assert await store.get(acme.tenant_id, call.call_id) is None


@pytest.mark.parametrize(("current", "proposed"), list(product(CallState, CallState)))
async def test_a_state_moves_forward_only(
    store: CallStore, acme: Tenant, current: CallState, proposed: CallState
) -> None:
    ended = current.is_end
    call = _call(
        acme,
        state=current,
        ended_at=_NOON if ended else None,
        end_reason=EndReason.SILENT if ended else None,
    )
    await store.create(call)
    later = _NOON + timedelta(seconds=9)
    moved = await store.advance(acme.tenant_id, call.call_id, proposed, at=later, reason=EndReason.ERROR)
    assert moved == moves_forward(current, proposed)
    found = await store.get(acme.tenant_id, call.call_id)
    if not moved:
        assert found == call
    elif not proposed.is_end:
        assert found == replace(call, state=proposed)
    else:
        assert found == replace(call, state=proposed, ended_at=later, end_reason=EndReason.ERROR)


async def test_of_many_ends_at_once_the_first_stands(store: CallStore, acme: Tenant) -> None:
    call = _call(acme)
    await store.create(call)
    ends = [
        (state, reason, _NOON + timedelta(seconds=i))
        for i, (state, reason) in enumerate(product((CallState.COMPLETED, CallState.FAILED), list(EndReason)[:6]))
    ]
    moved = await asyncio.gather(
        *(store.advance(acme.tenant_id, call.call_id, s, at=at, reason=r) for s, r, at in ends)
    )
    assert sum(moved) == 1
    state, reason, at = ends[moved.index(True)]
    found = await store.get(acme.tenant_id, call.call_id)
    assert found == replace(call, state=state, ended_at=at, end_reason=reason)


async def test_nobody_advances_anothers_or_an_unknown_call(store: CallStore, acme: Tenant, globex: Tenant) -> None:
    call = _call(acme)
    await store.create(call)
    assert not await store.advance(globex.tenant_id, call.call_id, CallState.COMPLETED, at=_NOON)
    assert not await store.advance(acme.tenant_id, "unknown", CallState.COMPLETED, at=_NOON)
    assert await store.get(acme.tenant_id, call.call_id) == call


async def test_turns_are_replaced_and_come_in_order(store: CallStore, acme: Tenant) -> None:
    call = _call(acme)
    await store.create(call)
    for number in (10, 2, 0):
        await store.save_turn(acme.tenant_id, call.call_id, _turn(number, outcome=TurnOutcome.RUNNING))
    last = _turn(2, heard=None, said="", outcome=TurnOutcome.INTERRUPTED, moments={}, costs={"takes": 3.0})
    await store.save_turn(acme.tenant_id, call.call_id, last)
    found = await store.get(acme.tenant_id, call.call_id)
    assert found is not None
    assert [turn.number for turn in found.turns] == [0, 2, 10]
    assert found.turns[1] == last


async def test_moments_keep_their_fractions(store: CallStore, acme: Tenant) -> None:
    call = _call(acme)
    await store.create(call)
    moments = {"speech_ended_ms": 1_795_348_800_123.4567, "first_token_ms": 1_795_348_801_000.0}
    await store.save_turn(acme.tenant_id, call.call_id, _turn(1, moments=moments))
    found = await store.get(acme.tenant_id, call.call_id)
    assert found is not None
    assert found.turns[0].moments == moments
    assert all(isinstance(at_ms, float) for at_ms in found.turns[0].moments.values())


async def test_costs_are_numbers_whatever_they_count(store: CallStore, acme: Tenant) -> None:
    call = _call(acme)
    await store.create(call)
    await store.save_turn(acme.tenant_id, call.call_id, _turn(1, costs={"tokens": 12, "later": 0.5}))
    await store.save_turn(acme.tenant_id, call.call_id, _turn(2, costs={}))
    found = await store.get(acme.tenant_id, call.call_id)
    assert found is not None
    assert [turn.costs for turn in found.turns] == [{"tokens": 12.0, "later": 0.5}, {}]


@in_the_database
async def test_texts_are_kept_whatever_is_in_them(store: CallStore, acme: Tenant) -> None:
    call = _call(acme)
    await store.create(call)
    turn = _turn(1, heard="नमस्ते '; drop table turns; -- \\ \" 😀", said="nul:\0 half:\ud83d %(tenant_id)s {}")
    await store.save_turn(acme.tenant_id, call.call_id, turn)
    found = await store.get(acme.tenant_id, call.call_id)
    assert found is not None
    assert found.turns[0].heard == turn.heard
    assert found.turns[0].said == "nul: half:? %(tenant_id)s {}"


async def test_what_belongs_to_a_call_needs_the_call(store: CallStore, acme: Tenant, globex: Tenant) -> None:
    call = _call(acme)
    await store.create(call)
    for tenant_id, call_id in ((acme.tenant_id, "unknown"), (globex.tenant_id, call.call_id)):
        with pytest.raises(NotFound):
            await store.save_turn(tenant_id, call_id, _turn(1))
        with pytest.raises(NotFound):
            await store.save_recording(tenant_id, call_id, Recording("c", "b", 1))
        with pytest.raises(NotFound):
            await store.save_transcript(tenant_id, call_id, "caller: hello")
    assert await store.get(acme.tenant_id, call.call_id) == call


@pytest.mark.parametrize("garbage", ["", "\0", "a\0", "\ud83d", "x" * 100_000, "' or true --", "ü"])
async def test_an_id_that_cannot_be_is_an_unknown_one(store: CallStore, acme: Tenant, garbage: str) -> None:
    for tenant_id, call_id in ((acme.tenant_id, garbage), (garbage, "c")):
        assert await store.get(tenant_id, call_id) is None
        assert await store.find(tenant_id, provider_call_id=garbage) == []
        assert not await store.advance(tenant_id, call_id, CallState.FAILED, at=_NOON)
        with pytest.raises(NotFound):
            await store.save_turn(tenant_id, call_id, _turn(1))
        with pytest.raises(NotFound):
            await store.save_recording(tenant_id, call_id, Recording("c", "b", 1))
        with pytest.raises(NotFound):
            await store.save_transcript(tenant_id, call_id, "text")


async def test_a_recording_is_replaced(store: CallStore, acme: Tenant) -> None:
    call = _call(acme)
    await store.create(call)
    await store.save_recording(acme.tenant_id, call.call_id, Recording("c", "first.wav", 1))
    await store.save_recording(acme.tenant_id, call.call_id, Recording("c", "second.wav", 2))
    found = await store.get(acme.tenant_id, call.call_id)
    assert found == replace(call, recording=Recording("c", "second.wav", 2))


@in_the_database
async def test_a_transcript_is_replaced(store: CallStore, acme: Tenant, postgres_dsn: str) -> None:
    call = _call(acme)
    await store.create(call)
    await store.save_transcript(acme.tenant_id, call.call_id, "caller: hello")
    await store.save_transcript(acme.tenant_id, call.call_id, "caller: hello\nagent: good day")
    with psycopg.connect(postgres_dsn) as connection:
        rows = connection.execute(
            "select content from transcripts where tenant_id = %s and call_id = %s",
            [acme.tenant_id, call.call_id],
        ).fetchall()
    assert rows == [("caller: hello\nagent: good day",)]


async def test_finding_gives_the_newest_first_and_within_the_tenant(
    store: CallStore, acme: Tenant, globex: Tenant
) -> None:
    calls = [_call(acme, started_at=_NOON + timedelta(minutes=i)) for i in range(5)]
    for call in [*calls, _call(globex, started_at=_NOON)]:
        await store.create(call)
    await store.save_turn(acme.tenant_id, calls[4].call_id, _turn(0))
    newest_first = calls[::-1]
    assert await store.find(acme.tenant_id) == newest_first
    assert await store.find(acme.tenant_id, limit=2) == newest_first[:2]
    assert await store.find(acme.tenant_id, before=calls[2].started_at) == newest_first[3:]
    assert len(await store.find(globex.tenant_id)) == 1
    assert await store.find("unknown") == []


async def test_finding_by_state_and_by_the_providers_id(store: CallStore, acme: Tenant, globex: Tenant) -> None:
    ringing, running = _call(acme), _call(acme, state=CallState.IN_PROGRESS)
    await store.create(ringing)
    await store.create(running)
    assert await store.find(acme.tenant_id, state=CallState.IN_PROGRESS) == [running]
    assert await store.find(acme.tenant_id, state=CallState.FAILED) == []
    assert await store.find(acme.tenant_id, provider_call_id=ringing.provider_call_id) == [ringing]
    by_both = await store.find(acme.tenant_id, provider_call_id=ringing.provider_call_id, state=CallState.IN_PROGRESS)
    assert by_both == []
    assert await store.find(globex.tenant_id, provider_call_id=ringing.provider_call_id) == []


@pytest.mark.parametrize("limit", [0, -1, 201])
async def test_a_limit_has_limits(store: CallStore, acme: Tenant, limit: int) -> None:
    with pytest.raises(InvalidRequest):
        await store.find(acme.tenant_id, limit=limit)


@in_the_database
@pytest.mark.parametrize(
    "wrong",
    [
        {"provider_call_id": ""},
        {"call_id": "with space"},
        {"call_id": "nul\0"},
        {"provider_call_id": "half \ud83d"},
        {"direction": "sideways"},
        {"callee": "+0123"},
        {"caller": "+1555CALLME"},
        {"state": CallState.COMPLETED},
        {"end_reason": EndReason.ERROR},
        {"recording": Recording("c", "b", -1)},
    ],
)
async def test_a_record_that_cannot_be_is_refused_for_good(
    store: CallStore, acme: Tenant, wrong: dict[str, object]
) -> None:
    with pytest.raises(StoreError) as refused:
        await store.create(_call(acme, **wrong))
    assert not refused.value.retryable
    assert acme.tenant_id not in str(refused.value)
    assert await store.find(acme.tenant_id) == []


async def test_a_ready_store_answers_ping(store: CallStore) -> None:
    await store.ping()


async def test_a_stopped_store_says_so_soon(stopped_store: CallStore) -> None:
    tenant = Tenant("t", "a", "b", "+15550100000")
    attempts = [
        stopped_store.create(_call(tenant)),
        stopped_store.advance("t", "c", CallState.COMPLETED, at=_NOON),
        stopped_store.save_turn("t", "c", _turn(1)),
        stopped_store.save_recording("t", "c", Recording("c", "b", 1)),
        stopped_store.save_transcript("t", "c", "text"),
        stopped_store.get("t", "c"),
        stopped_store.find("t"),
        stopped_store.ping(),
    ]
    began = time.monotonic()
    outcomes = await asyncio.gather(*attempts, return_exceptions=True)
    assert time.monotonic() - began < 3.0
    for outcome in outcomes:
        assert isinstance(outcome, StoreError)
        assert outcome.retryable
