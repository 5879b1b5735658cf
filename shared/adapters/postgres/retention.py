"""Fills `RetentionStore` with PostgreSQL. What is deleted is due never again: its moment is moved out of time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, LiteralString

from shared.adapters.postgres.pool import PostgresPool
from shared.domain.steps import CallRequest
from shared.ports.after_call_records import Kept, OldSeal
from shared.ports.vault import Sealed

# Days that a document does not name are those of `Retention`.
_PLAN: LiteralString = """
with ended as (
    select c.tenant_id, c.call_id, c.ended_at + interval '6 hours' as free_at, c.ended_at,
        coalesce(v.document -> 'retention', '{}'::jsonb) as days
    from calls c
    left join agents a on a.tenant_id = c.tenant_id and a.agent_id = c.agent_id
    left join agent_versions v on v.tenant_id = c.tenant_id and v.agent_id = c.agent_id
        and v.version = coalesce(nullif(c.agent_version, 0), a.published)
    where c.ended_at is not null and c.transcript_until is null
    order by c.ended_at limit %(limit)s
    for update of c skip locked
)
update calls set
    recording_until = greatest(free_at, ended.ended_at
        + make_interval(days => coalesce((days ->> 'recordings')::int, %(recordings)s))),
    transcript_until = greatest(free_at, ended.ended_at
        + make_interval(days => coalesce((days ->> 'transcripts')::int, %(transcripts)s))),
    raw_until = greatest(free_at, ended.ended_at
        + make_interval(days => coalesce((days ->> 'raw')::int, %(raw)s)))
from ended where calls.tenant_id = ended.tenant_id and calls.call_id = ended.call_id
returning calls.call_id
"""
_UNFINISHED: LiteralString = """
select tenant_id, call_id from calls where ended_at < %(before)s and after_call_at is null
order by ended_at limit %(limit)s
"""
_DUE_RECORDINGS: LiteralString = """
select tenant_id, call_id, array_remove(array_append((
        select array_agg(blob) from provider_recordings r
        where r.tenant_id = c.tenant_id and r.call_id = c.call_id and r.blob is not null), c.recording_blob), null)
    as blobs
from calls c where recording_until < %(now)s and recording_until < 'infinity'
order by recording_until limit %(limit)s
"""
_RECORDINGS_DELETED: LiteralString = """
with unlinked as (
    update provider_recordings set state = 'lost', container = null, blob = null, updated_at = clock_timestamp()
    where tenant_id = %(tenant_id)s and call_id = %(call_id)s and blob = any(%(blobs)s)
)
update calls set recording_until = 'infinity', updated_at = clock_timestamp(),
    recording_container = case when recording_blob = any(%(blobs)s) then null else recording_container end,
    recording_duration_ms = case when recording_blob = any(%(blobs)s) then null else recording_duration_ms end,
    recording_blob = case when recording_blob = any(%(blobs)s) then null else recording_blob end
where tenant_id = %(tenant_id)s and call_id = %(call_id)s
"""
_DELETE_TRANSCRIPTS: LiteralString = """
with due as (
    update calls set transcript_until = 'infinity', after_call_at = coalesce(after_call_at, clock_timestamp())
    where (tenant_id, call_id) in (
        select tenant_id, call_id from calls where transcript_until < %(now)s and transcript_until < 'infinity'
        order by transcript_until limit %(limit)s for update skip locked)
    returning tenant_id, call_id
), t as (delete from turns using due where turns.tenant_id = due.tenant_id and turns.call_id = due.call_id),
    s as (delete from transcripts using due
        where transcripts.tenant_id = due.tenant_id and transcripts.call_id = due.call_id),
    a as (delete from call_analyses using due
        where call_analyses.tenant_id = due.tenant_id and call_analyses.call_id = due.call_id),
    r as (delete from raw_transcripts using due
        where raw_transcripts.tenant_id = due.tenant_id and raw_transcripts.call_id = due.call_id),
    d as (delete from webhook_deliveries using due
        where webhook_deliveries.tenant_id = due.tenant_id and webhook_deliveries.call_id = due.call_id)
select call_id from due
"""
_DELETE_RAW: LiteralString = """
delete from raw_transcripts where (tenant_id, call_id) in (
    select r.tenant_id, r.call_id from raw_transcripts r join calls c using (tenant_id, call_id)
    where c.raw_until < %(now)s order by c.raw_until limit %(limit)s)
returning call_id
"""
_DELETE_SETTLED: LiteralString = """
with messages as (
    delete from messages_taken where (tenant_id, message_id) in (
        select m.tenant_id, m.message_id from messages_taken m join calls c using (tenant_id, call_id)
        where m.handled_at is not null and (c.transcript_until < %(now)s or c.transcript_until = 'infinity')
        limit %(limit)s)
    returning message_id
), promises as (
    delete from callbacks where (tenant_id, callback_id) in (
        select b.tenant_id, b.callback_id from callbacks b
        join calls c on c.tenant_id = b.tenant_id and c.call_id = b.promised_in
        where b.state <> 'planned' and (c.transcript_until < %(now)s or c.transcript_until = 'infinity')
        limit %(limit)s)
    returning callback_id
)
select message_id from messages union all select callback_id from promises
"""
_DELETE_DELIVERIES: LiteralString = """
with old as (
    delete from webhook_deliveries where (tenant_id, delivery_id) in (
        select tenant_id, delivery_id from webhook_deliveries
        where created_at < %(before)s order by created_at limit %(limit)s)
    returning event_id
), told as (
    delete from webhook_events where event_id in (
        select event_id from webhook_events where happened_at < %(before)s order by happened_at limit %(limit)s)
    returning event_id
)
select event_id from old union all select event_id from told
"""
_OLD_SEALS: LiteralString = """
select tenant_id, call_id, key_id, sealed from raw_transcripts where key_id <> %(key_id)s
order by created_at limit %(limit)s
"""
_RESEAL: LiteralString = """
update raw_transcripts set key_id = %(key_id)s, sealed = %(sealed)s
where tenant_id = %(tenant_id)s and call_id = %(call_id)s and sealed = %(old)s
returning call_id
"""


class PostgresRetentionStore:
    """The `RetentionStore` on a `PostgresPool`. The days: of agents whose documents name none."""

    def __init__(self, pool: PostgresPool, *, recordings: int, transcripts: int, raw: int) -> None:
        self._pool = pool
        self._days = {"recordings": recordings, "transcripts": transcripts, "raw": raw}

    async def plan(self, *, limit: int) -> int:
        return len(await self._pool.execute(_PLAN, {"limit": limit, **self._days}, repeatable=True))

    async def unfinished(self, before: datetime, *, limit: int) -> Sequence[CallRequest]:
        rows = await self._pool.execute(_UNFINISHED, {"before": before, "limit": limit}, repeatable=True)
        return [CallRequest(row["tenant_id"], row["call_id"]) for row in rows]

    async def due_recordings(self, now: datetime, *, limit: int) -> Sequence[Kept]:
        rows = await self._pool.execute(_DUE_RECORDINGS, {"now": now, "limit": limit}, repeatable=True)
        return [Kept(row["tenant_id"], row["call_id"], tuple(row["blobs"] or ())) for row in rows]

    async def recordings_deleted(self, kept: Kept) -> None:
        params = {"tenant_id": kept.tenant_id, "call_id": kept.call_id, "blobs": list(kept.blobs)}
        await self._pool.execute(_RECORDINGS_DELETED, params, repeatable=True)

    async def delete_transcripts(self, now: datetime, *, limit: int) -> int:
        return await self._count(_DELETE_TRANSCRIPTS, {"now": now, "limit": limit})

    async def delete_raw(self, now: datetime, *, limit: int) -> int:
        return await self._count(_DELETE_RAW, {"now": now, "limit": limit})

    async def delete_settled(self, now: datetime, *, limit: int) -> int:
        return await self._count(_DELETE_SETTLED, {"now": now, "limit": limit})

    async def delete_deliveries(self, before: datetime, *, limit: int) -> int:
        return await self._count(_DELETE_DELIVERIES, {"before": before, "limit": limit})

    async def old_seals(self, key_id: str, *, limit: int) -> Sequence[OldSeal]:
        rows = await self._pool.execute(_OLD_SEALS, {"key_id": key_id, "limit": limit}, repeatable=True)
        return [
            OldSeal(row["tenant_id"], row["call_id"], Sealed(row["key_id"], bytes(row["sealed"]))) for row in rows
        ]

    async def reseal(self, old: OldSeal, new: Sealed) -> None:
        params = {
            "tenant_id": old.tenant_id,
            "call_id": old.call_id,
            "old": old.sealed.content,
            "key_id": new.key_id,
            "sealed": new.content,
        }
        await self._pool.execute(_RESEAL, params, repeatable=True)

    async def _count(self, statement: LiteralString, params: dict[str, Any]) -> int:
        return len(await self._pool.execute(statement, params, repeatable=True))
