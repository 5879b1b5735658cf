"""What every `AfterCallRecords` does: all of it or nothing, once; and what a `RetentionStore` deletes, and when."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from shared.adapters.postgres.analyses import PostgresAfterCallRecords
from shared.adapters.postgres.call_store import PostgresCallStore
from shared.adapters.postgres.callbacks import PostgresCallbacks
from shared.adapters.postgres.messages_taken import PostgresMessagesTaken
from shared.adapters.postgres.pool import PostgresPool
from shared.adapters.postgres.retention import PostgresRetentionStore
from shared.domain.after_call.records import AnalysisRecord, Questions, Words
from shared.domain.call import CallState, EndReason, Recording, Turn, TurnOutcome
from shared.domain.provider_recording import ProviderRecording, RecordingState
from shared.domain.steps import CallRequest
from shared.ports.after_call_records import AfterCallRecords, OldSeal
from shared.ports.callbacks import Callback
from shared.ports.messages_taken import MessageTaken
from shared.ports.vault import Sealed
from tests.contracts.conftest import Tenant, publish
from tests.contracts.test_call_store import _call
from tests.fakes.after_calls import FakeAfterCallRecords

TURNS = (Turn(0, None, "Hello.", TurnOutcome.COMPLETED), Turn(1, "I am Ann", "Hi Ann.", TurnOutcome.COMPLETED))
HIDDEN = [Words(0, None, "Hello."), Words(1, "I am [name]", "Hi [name].")]
RECORD = AnalysisRecord({"summary": "Good \u0000.", "n": [1, {"a": None}]}, "", Questions("m", 2, 30, 4))
DAY = timedelta(days=1)
LEFT = """
select message_id as id from messages_taken where call_id = %(id)s
union all select callback_id from callbacks where promised_in = %(id)s
"""


@pytest.fixture
async def pool(postgres_dsn: str) -> AsyncIterator[PostgresPool]:
    pool = PostgresPool(postgres_dsn)
    yield pool
    await pool.aclose()


@pytest.fixture
def calls(pool: PostgresPool) -> PostgresCallStore:
    return PostgresCallStore(pool)


@pytest.fixture
def retention(pool: PostgresPool) -> PostgresRetentionStore:
    return PostgresRetentionStore(pool, recordings=90, transcripts=365, raw=30)


@pytest.fixture(params=["postgres", "fake"])
def records(request: pytest.FixtureRequest, pool: PostgresPool) -> AfterCallRecords:
    return FakeAfterCallRecords() if request.param == "fake" else PostgresAfterCallRecords(pool)


async def ended_call(
    records: AfterCallRecords, calls: PostgresCallStore, tenant: Tenant, *, at: datetime | None = None, **traits: Any
) -> str:
    at = at or datetime.now(UTC)
    call = _call(tenant, turns=TURNS, state=CallState.IN_PROGRESS, started_at=at - timedelta(minutes=1), **traits)
    assert await calls.create(call)
    await calls.save_transcript(tenant.tenant_id, call.call_id, "agent: Hello.")
    assert await calls.advance(
        tenant.tenant_id, call.call_id, CallState.COMPLETED, at=at, reason=EndReason.CALLER_HUNG_UP
    )
    if isinstance(records, FakeAfterCallRecords):
        records.calls.add((tenant.tenant_id, call.call_id))
    return call.call_id


async def test_kept_once(records: AfterCallRecords, calls: PostgresCallStore, acme: Tenant) -> None:
    call_id = await ended_call(records, calls, acme)
    key = (acme.tenant_id, call_id)
    assert not await records.is_kept(*key)
    sealed = Sealed("k1", b"\x00\xff")
    assert await records.keep(*key, words=HIDDEN, transcript="[name]", raw=sealed, analysis=RECORD)
    assert await records.is_kept(*key)
    assert not await records.keep(*key, words=[Words(1, "x", "y")], raw=Sealed("k2", b"x"), analysis=RECORD)
    assert await records.raw(*key) == sealed
    found = await records.analysis(*key)
    assert found is not None
    assert found.questions == RECORD.questions
    assert found.created_at is not None
    assert (found.document or {})["n"] == [1, {"a": None}]


async def test_at_once_one_keeps(records: AfterCallRecords, calls: PostgresCallStore, acme: Tenant) -> None:
    key = (acme.tenant_id, await ended_call(records, calls, acme))
    sealed = [Sealed("k1", bytes([n])) for n in range(4)]
    done = await asyncio.gather(*(records.keep(*key, raw=each) for each in sealed))
    assert sorted(done) == [False, False, False, True]
    assert await records.raw(*key) == sealed[done.index(True)]


async def test_without_raw_and_analysis(records: AfterCallRecords, calls: PostgresCallStore, acme: Tenant) -> None:
    key = (acme.tenant_id, await ended_call(records, calls, acme))
    assert await records.keep(*key)
    assert await records.raw(*key) is None
    assert await records.analysis(*key) is None


async def test_an_analysis_that_failed(records: AfterCallRecords, calls: PostgresCallStore, acme: Tenant) -> None:
    key = (acme.tenant_id, await ended_call(records, calls, acme))
    assert await records.keep(*key, analysis=AnalysisRecord(None, "no answer"))
    found = await records.analysis(*key)
    assert found is not None
    assert (found.document, found.fault) == (None, "no answer")


async def test_tenants_are_apart(
    records: AfterCallRecords, calls: PostgresCallStore, acme: Tenant, globex: Tenant
) -> None:
    call_id = await ended_call(records, calls, acme)
    assert await records.is_kept(globex.tenant_id, call_id), "there is no such call"
    assert not await records.keep(globex.tenant_id, call_id, raw=Sealed("k", b"x"), analysis=RECORD)
    assert not await records.is_kept(acme.tenant_id, call_id)
    await records.keep(acme.tenant_id, call_id, raw=Sealed("k", b"x"), analysis=RECORD)
    assert await records.raw(globex.tenant_id, call_id) is None
    assert await records.analysis(globex.tenant_id, call_id) is None


@pytest.mark.parametrize("call_id", ["", "\0", "\ud83d", "none"])
async def test_calls_that_are_none(records: AfterCallRecords, acme: Tenant, call_id: str) -> None:
    assert await records.is_kept(acme.tenant_id, call_id)
    assert not await records.keep(acme.tenant_id, call_id)
    assert await records.raw(acme.tenant_id, call_id) is None


async def test_the_call_shows_other_words(pool: PostgresPool, calls: PostgresCallStore, acme: Tenant) -> None:
    records = PostgresAfterCallRecords(pool)
    call_id = await ended_call(records, calls, acme)
    await records.keep(acme.tenant_id, call_id, words=HIDDEN, transcript="caller: I am [name]")
    call = await calls.get(acme.tenant_id, call_id)
    assert call is not None
    assert [(turn.heard, turn.said) for turn in call.turns] == [(None, "Hello."), ("I am [name]", "Hi [name].")]
    rows = await pool.execute(
        "select content from transcripts where call_id = %(id)s", {"id": call_id}, repeatable=True
    )
    assert rows[0]["content"] == "caller: I am [name]"


async def test_nothing_is_due_before_its_time(
    retention: PostgresRetentionStore, pool: PostgresPool, calls: PostgresCallStore, acme: Tenant
) -> None:
    records = PostgresAfterCallRecords(pool)
    ended = datetime.now(UTC) - 31 * DAY
    call_id = await ended_call(records, calls, acme, at=ended)
    await records.keep(acme.tenant_id, call_id, raw=Sealed("k", b"x"), analysis=RECORD)
    await _plan(retention)
    await retention.delete_transcripts(datetime.now(UTC), limit=1000)
    await retention.delete_raw(ended + 30 * DAY - timedelta(minutes=1), limit=1000)
    assert await records.raw(acme.tenant_id, call_id) is not None
    await retention.delete_raw(ended + 30 * DAY + timedelta(minutes=1), limit=1000)
    assert await records.raw(acme.tenant_id, call_id) is None
    call = await calls.get(acme.tenant_id, call_id)
    assert call is not None
    assert call.turns
    assert await records.analysis(acme.tenant_id, call_id) is not None


async def test_transcripts_go_with_all_that_hangs_on_them(
    retention: PostgresRetentionStore, pool: PostgresPool, calls: PostgresCallStore, acme: Tenant, postgres_dsn: str
) -> None:
    """By the version of the agent that answered, whatever holds now."""
    records = PostgresAfterCallRecords(pool)
    with psycopg.connect(postgres_dsn) as connection:
        old = publish(connection, acme.tenant_id, "first", retention={"transcripts": 2, "raw": 9})
        publish(connection, acme.tenant_id, "first", retention={"transcripts": 300})
    ended = datetime.now(UTC)
    call_id = await ended_call(records, calls, acme, at=ended, agent_version=old)
    other = await ended_call(records, calls, acme, at=ended)
    for each in (call_id, other):
        await records.keep(acme.tenant_id, each, raw=Sealed("k", b"x"), analysis=RECORD)
    await _plan(retention)
    await retention.delete_transcripts(ended + 2 * DAY - timedelta(minutes=1), limit=1000)
    assert await records.analysis(acme.tenant_id, call_id) is not None
    for _ in range(2):
        await retention.delete_transcripts(ended + 2 * DAY + timedelta(minutes=1), limit=1000)
    assert await records.analysis(acme.tenant_id, call_id) is None
    assert await records.raw(acme.tenant_id, call_id) is None
    call = await calls.get(acme.tenant_id, call_id)
    assert call is not None
    assert call.turns == ()
    assert await records.analysis(acme.tenant_id, other) is not None


async def test_what_callers_left_goes_when_it_is_settled_and_their_words_are_due(
    retention: PostgresRetentionStore, pool: PostgresPool, calls: PostgresCallStore, acme: Tenant
) -> None:
    ended = datetime.now(UTC)
    call_id = await ended_call(PostgresAfterCallRecords(pool), calls, acme, at=ended)
    messages, promises = PostgresMessagesTaken(pool), PostgresCallbacks(pool)
    for name in ("handled", "open"):
        taken = MessageTaken(f"{name} {call_id}", acme.tenant_id, call_id, "first", "+15550100123", "Call me.", ended)
        await messages.add(taken)
        promise = Callback(
            f"{name} {call_id}", acme.tenant_id, "first", call_id, "+15550100123", "+15550100001", ended, "asked to"
        )
        await promises.add(promise, most=9)
    assert await messages.handle(acme.tenant_id, f"handled {call_id}", by="Ann", at=ended)
    await pool.execute(
        "update callbacks set state = 'placed' where callback_id = %(id)s returning 1",
        {"id": f"handled {call_id}"},
        repeatable=True,
    )

    async def left() -> list[str]:
        rows = await pool.execute(LEFT, {"id": call_id}, repeatable=True)
        return sorted(row["id"].split(" ")[0] for row in rows)

    await _plan(retention)
    await retention.delete_settled(ended + 364 * DAY, limit=1000)
    assert await left() == ["handled", "handled", "open", "open"]
    await retention.delete_transcripts(ended + 366 * DAY, limit=1000)
    await retention.delete_settled(ended + 366 * DAY, limit=1000)
    assert await left() == ["open", "open"], "it is still to be done"
    assert await messages.handle(acme.tenant_id, f"open {call_id}", by="Ann", at=ended)
    await retention.delete_settled(ended + 366 * DAY, limit=1000)
    assert await left() == ["open"]


async def test_nothing_goes_while_it_may_be_needed(
    retention: PostgresRetentionStore, pool: PostgresPool, calls: PostgresCallStore, acme: Tenant, postgres_dsn: str
) -> None:
    records = PostgresAfterCallRecords(pool)
    with psycopg.connect(postgres_dsn) as connection:
        version = publish(connection, acme.tenant_id, "first", retention={"transcripts": 0, "recordings": 0})
    ended = datetime.now(UTC)
    call_id = await ended_call(records, calls, acme, at=ended, agent_version=version)
    await _plan(retention)
    await retention.delete_transcripts(ended + timedelta(hours=5), limit=1000)
    assert not await _is_due(retention, call_id, ended + timedelta(hours=5))
    assert await _is_due(retention, call_id, ended + timedelta(hours=7))
    await retention.delete_transcripts(ended + timedelta(hours=7), limit=1000)
    call = await calls.get(acme.tenant_id, call_id)
    assert call is not None
    assert call.turns == ()


async def test_recordings_are_named_until_they_are_gone(
    retention: PostgresRetentionStore, pool: PostgresPool, calls: PostgresCallStore, acme: Tenant
) -> None:
    ended = datetime.now(UTC)
    call_id = await ended_call(
        PostgresAfterCallRecords(pool), calls, acme, at=ended, recording=Recording("recordings", "a.wav", 5)
    )
    theirs = ProviderRecording(
        "r", "https://x", state=RecordingState.KEPT, duration_ms=1, container="recordings", blob="b.wav"
    )
    await calls.save_provider_recording(acme.tenant_id, call_id, theirs)
    await _plan(retention)
    assert not await _is_due(retention, call_id, ended + 89 * DAY)
    due = [kept for kept in await retention.due_recordings(ended + 91 * DAY, limit=1000) if kept.call_id == call_id]
    assert [sorted(kept.blobs) for kept in due] == [["a.wav", "b.wav"]]
    await retention.recordings_deleted(due[0])
    assert not await _is_due(retention, call_id, ended + 91 * DAY)
    call = await calls.get(acme.tenant_id, call_id)
    assert call is not None
    assert call.recording is None
    assert [each.blob for each in call.provider_recordings if each.blob] == []


async def test_calls_that_nobody_followed(
    retention: PostgresRetentionStore, pool: PostgresPool, calls: PostgresCallStore, acme: Tenant
) -> None:
    records = PostgresAfterCallRecords(pool)
    ended = datetime.now(UTC) - timedelta(hours=1)
    call_id = await ended_call(records, calls, acme, at=ended)
    wanted = CallRequest(acme.tenant_id, call_id)
    assert wanted not in await retention.unfinished(ended - timedelta(seconds=1), limit=1000)
    assert wanted in await retention.unfinished(ended + timedelta(seconds=1), limit=1000)
    await records.keep(acme.tenant_id, call_id)
    assert wanted not in await retention.unfinished(ended + timedelta(seconds=1), limit=1000)


async def test_old_seals(
    retention: PostgresRetentionStore, pool: PostgresPool, calls: PostgresCallStore, acme: Tenant
) -> None:
    records = PostgresAfterCallRecords(pool)
    call_id = await ended_call(records, calls, acme)
    await records.keep(acme.tenant_id, call_id, raw=Sealed("old", b"x"))
    old = OldSeal(acme.tenant_id, call_id, Sealed("old", b"x"))
    assert old in await retention.old_seals("new", limit=1000)
    assert old not in await retention.old_seals("old", limit=1000)
    await retention.reseal(OldSeal(acme.tenant_id, call_id, Sealed("old", b"other")), Sealed("new", b"z"))
    assert await records.raw(acme.tenant_id, call_id) == Sealed("old", b"x"), "it had changed"
    await retention.reseal(old, Sealed("new", b"y"))
    assert await records.raw(acme.tenant_id, call_id) == Sealed("new", b"y")


async def _plan(retention: PostgresRetentionStore) -> None:
    while await retention.plan(limit=50):
        """Until all calls of all tests are planned."""


async def _is_due(retention: PostgresRetentionStore, call_id: str, now: datetime) -> bool:
    return any(kept.call_id == call_id for kept in await retention.due_recordings(now, limit=1000))
