"""Fills `CallStore` with PostgreSQL: one statement per question, the tenant in each of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, LiteralString

from psycopg import errors
from psycopg.rows import DictRow

from shared.adapters.postgres import call_rows
from shared.adapters.postgres.failures import store_error
from shared.adapters.postgres.pool import PostgresPool
from shared.adapters.postgres.text import are_storable, storable
from shared.domain.call import Call, CallState, EndReason, Recording, Turn, moves_forward
from shared.domain.errors import InvalidRequest, NotFound
from shared.domain.provider_recording import ProviderRecording
from shared.domain.steps import FetchRequest
from shared.domain.telephony.lines import Provider
from shared.domain.telephony.progress import AnsweredBy

_CREATE = """
with added as (
    insert into calls (call_id, tenant_id, agent_id, provider, provider_call_id, direction, caller, callee,
        state, started_at, ended_at, end_reason, recording_container, recording_blob, recording_duration_ms,
        line, answered_by, duration_s, price, language, agent_version)
    values (%(call_id)s, %(tenant_id)s, %(agent_id)s, %(provider)s, %(provider_call_id)s, %(direction)s,
        %(caller)s, %(callee)s, %(state)s, %(started_at)s, %(ended_at)s, %(end_reason)s,
        %(recording_container)s, %(recording_blob)s, %(recording_duration_ms)s,
        %(line)s, %(answered_by)s, %(duration_s)s, %(price)s, %(language)s,
        %(agent_version)s)
    on conflict do nothing
    returning tenant_id, call_id
), turned as (
    insert into turns (tenant_id, call_id, number, heard, said, outcome, moments, costs, citations)
    select added.tenant_id, added.call_id, t.number, t.heard, t.said, t.outcome, t.moments, t.costs, t.citations
    from added, jsonb_to_recordset(%(turns)s::jsonb)
        as t (number integer, heard text, said text, outcome text, moments jsonb, costs jsonb,
            citations jsonb)
)
select call_id from added
"""

# What a tenant wants to be told of is written with the state itself, so that it is told once and never lost.
_ADVANCE = """
with moved as (
    update calls set state = %(state)s, ended_at = %(ended_at)s, end_reason = %(end_reason)s,
        updated_at = clock_timestamp()
    where tenant_id = %(tenant_id)s and call_id = %(call_id)s and state = any(%(from_states)s)
    returning tenant_id, call_id
), told as (
    insert into webhook_events (tenant_id, call_id, kind) select tenant_id, call_id, %(event)s from moved
    where %(event)s::text is not null and exists (select from webhook_endpoints e
        where e.tenant_id = moved.tenant_id and e.disabled_reason is null and %(event)s = any(e.events))
)
select call_id from moved
"""
_STARTED, _ENDED = "call.started", "call.ended"

_ENRICH: LiteralString = """
update calls set
    answered_by = case
        when array_position(%(certainty)s, %(answered_by)s) > coalesce(array_position(%(certainty)s, answered_by), 0)
        then %(answered_by)s else answered_by end,
    duration_s = greatest(duration_s, %(duration_s)s),
    price = coalesce(nullif(%(price)s, ''), price),
    language = coalesce(nullif(%(language)s, ''), language),
    updated_at = clock_timestamp()
where tenant_id = %(tenant_id)s and call_id = %(call_id)s
returning call_id
"""

_NAME = """
update calls set provider_call_id = %(provider_call_id)s, updated_at = clock_timestamp()
where tenant_id = %(tenant_id)s and call_id = %(call_id)s and direction = 'outbound'
    and coalesce(provider_call_id, %(provider_call_id)s) = %(provider_call_id)s
returning call_id
"""

_UNENDED: LiteralString = (
    call_rows.SELECT_CALLS
    + " where state in ('created', 'queued', 'ringing', 'in_progress')"
    + " and started_at < case state when 'in_progress' then %(running)s else %(ringing)s end"
    + " order by started_at limit %(limit)s"
)

_SAVE_TURN = """
insert into turns (tenant_id, call_id, number, heard, said, outcome, moments, costs, citations)
values (%(tenant_id)s, %(call_id)s, %(number)s, %(heard)s, %(said)s, %(outcome)s, %(moments)s::jsonb,
    %(costs)s::jsonb, %(citations)s::jsonb)
on conflict (tenant_id, call_id, number) do update set heard = excluded.heard, said = excluded.said,
    outcome = excluded.outcome, moments = excluded.moments, costs = excluded.costs, citations = excluded.citations,
    updated_at = clock_timestamp()
"""

_SAVE_RECORDING = """
update calls set recording_container = %(container)s, recording_blob = %(blob)s,
    recording_duration_ms = %(duration_ms)s, updated_at = clock_timestamp()
where tenant_id = %(tenant_id)s and call_id = %(call_id)s
returning call_id
"""

_SAVE_PROVIDER_RECORDING = """
insert into provider_recordings (tenant_id, call_id, name, url, state, duration_ms, container, blob)
values (%(tenant_id)s, %(call_id)s, %(name)s, %(url)s, %(state)s, %(duration_ms)s, %(container)s, %(blob)s)
on conflict (tenant_id, call_id, name) do update set url = excluded.url, state = excluded.state,
    duration_ms = excluded.duration_ms, container = excluded.container, blob = excluded.blob,
    updated_at = clock_timestamp()
where provider_recordings.state not in ('kept', 'elsewhere')
"""

_ANNOUNCED = """
select tenant_id, call_id, name from provider_recordings
where state = 'announced' and created_at < %(before)s order by created_at limit %(limit)s
"""

_SAVE_TRANSCRIPT = """
insert into transcripts (tenant_id, call_id, content) values (%(tenant_id)s, %(call_id)s, %(content)s)
on conflict (tenant_id, call_id) do update set content = excluded.content, updated_at = clock_timestamp()
"""

_GET: LiteralString = (
    "with found as ("  # noqa: S608  (constants only)
    + call_rows.SELECT_CALLS
    + """ where tenant_id = %(tenant_id)s and call_id = %(call_id)s)
select found.*, coalesce((
    select jsonb_agg(jsonb_build_object('number', number, 'heard', heard, 'said', said, 'outcome', outcome,
        'moments', moments, 'costs', costs, 'citations', citations) order by number)
    from turns where turns.tenant_id = found.tenant_id and turns.call_id = found.call_id), '[]') as turns,
coalesce((
    select jsonb_agg(jsonb_build_object('name', r.name, 'url', r.url, 'state', r.state,
        'duration_ms', r.duration_ms, 'container', r.container, 'blob', r.blob) order by r.created_at, r.name)
    from provider_recordings r where r.tenant_id = found.tenant_id and r.call_id = found.call_id), '[]') as recordings
from found
"""
)


class PostgresCallStore:
    """The `CallStore` on a `PostgresPool`."""

    def __init__(self, pool: PostgresPool) -> None:
        self._pool = pool

    async def create(self, call: Call) -> bool:
        """As the port says; also False where the provider's call is recorded already, under whatever id.

        Raises: NotFound if the tenant has no such agent.
        """
        row = call_rows.call_row(call)
        row["turns"] = json.dumps([call_rows.turn_row(turn) for turn in call.turns], allow_nan=False)
        try:
            return bool(await self._pool.execute(_CREATE, row, repeatable=False))
        except errors.ForeignKeyViolation as error:
            raise NotFound("agent_unknown", "the tenant has no such agent") from error
        except errors.IntegrityError as error:
            raise store_error(error) from error

    async def advance(
        self, tenant_id: str, call_id: str, state: CallState, *, at: datetime, reason: EndReason | None = None
    ) -> bool:
        ends = not any(moves_forward(state, later) for later in CallState)
        params = {
            "tenant_id": tenant_id,
            "call_id": call_id,
            "state": state,
            "from_states": [earlier.value for earlier in CallState if moves_forward(earlier, state)],
            "ended_at": at if ends else None,
            "end_reason": reason if ends else None,
            "event": _ENDED if ends else _STARTED if state is CallState.IN_PROGRESS else None,
        }
        return bool(await self._rows(_ADVANCE, params, repeatable=False))

    async def enrich(
        self,
        tenant_id: str,
        call_id: str,
        *,
        answered_by: AnsweredBy | None = None,
        duration_s: float | None = None,
        price: str = "",
        language: str = "",
    ) -> bool:
        params = {
            "tenant_id": tenant_id,
            "call_id": call_id,
            "answered_by": answered_by,
            "certainty": [by.value for by in AnsweredBy],
            "duration_s": duration_s,
            "price": price,
            "language": language,
        }
        try:
            return bool(await self._rows(_ENRICH, params))
        except errors.IntegrityError as error:
            raise store_error(error) from error

    async def name(self, tenant_id: str, call_id: str, provider_call_id: str) -> bool:
        params = {"tenant_id": tenant_id, "call_id": call_id, "provider_call_id": provider_call_id}
        try:
            return bool(await self._rows(_NAME, params))
        except errors.UniqueViolation:
            return False
        except errors.IntegrityError as error:
            raise store_error(error) from error

    async def save_turn(self, tenant_id: str, call_id: str, turn: Turn) -> None:
        row = call_rows.turn_row(turn)
        row |= {name: json.dumps(row[name], allow_nan=False) for name in ("moments", "costs", "citations")}
        await self._save_beside(_SAVE_TURN, {"tenant_id": tenant_id, "call_id": call_id, **row})

    async def save_recording(self, tenant_id: str, call_id: str, recording: Recording) -> None:
        """Raises: NotFound for an unknown call."""
        params = {
            "tenant_id": tenant_id,
            "call_id": call_id,
            "container": recording.container,
            "blob": recording.blob,
            "duration_ms": recording.duration_ms,
        }
        try:
            rows = await self._rows(_SAVE_RECORDING, params)
        except errors.IntegrityError as error:
            raise store_error(error) from error
        if not rows:
            raise _call_unknown()

    async def save_provider_recording(self, tenant_id: str, call_id: str, recording: ProviderRecording) -> None:
        row = {"tenant_id": tenant_id, "call_id": call_id, **call_rows.provider_recording_row(recording)}
        await self._save_beside(_SAVE_PROVIDER_RECORDING, row)

    async def announced_recordings(self, *, before: datetime, limit: int = 100) -> list[FetchRequest]:
        rows = await self._rows(_ANNOUNCED, {"before": before, "limit": limit})
        return [FetchRequest(row["tenant_id"], row["call_id"], row["name"]) for row in rows]

    async def save_transcript(self, tenant_id: str, call_id: str, text: str) -> None:
        """Raises: NotFound for an unknown call."""
        content = storable(text)
        await self._save_beside(_SAVE_TRANSCRIPT, {"tenant_id": tenant_id, "call_id": call_id, "content": content})

    async def get(self, tenant_id: str, call_id: str) -> Call | None:
        rows = await self._rows(_GET, {"tenant_id": tenant_id, "call_id": call_id})
        return call_rows.call_of(rows[0], rows[0]["turns"], rows[0]["recordings"]) if rows else None

    async def of_provider(self, provider: Provider, provider_call_id: str) -> Call | None:
        statement = call_rows.SELECT_CALLS + " where provider = %(provider)s and provider_call_id = %(id)s"
        rows = await self._rows(statement, {"provider": provider.value, "id": provider_call_id})
        return call_rows.call_of(rows[0]) if rows else None

    async def of_id(self, call_id: str) -> Call | None:
        rows = await self._rows(call_rows.SELECT_CALLS + " where call_id = %(call_id)s", {"call_id": call_id})
        return call_rows.call_of(rows[0]) if rows else None

    async def unended(self, *, ringing: datetime, running: datetime, limit: int = 100) -> list[Call]:
        rows = await self._rows(_UNENDED, {"ringing": ringing, "running": running, "limit": limit})
        return [call_rows.call_of(row) for row in rows]

    async def find(
        self,
        tenant_id: str,
        *,
        provider_call_id: str | None = None,
        state: CallState | None = None,
        before: datetime | None = None,
        limit: int = 50,
    ) -> list[Call]:
        """Raises: InvalidRequest if `limit` is out of range."""
        if not 1 <= limit <= 200:
            raise InvalidRequest("limit_out_of_range", "limit must be between 1 and 200")
        statement = call_rows.SELECT_CALLS + " where tenant_id = %(tenant_id)s"
        if provider_call_id is not None:
            statement += " and provider_call_id = %(provider_call_id)s"
        if state is not None:
            statement += " and state = %(state)s"
        if before is not None:
            statement += " and started_at < %(before)s"
        statement += " order by started_at desc, call_id desc limit %(limit)s"
        params = {
            "tenant_id": tenant_id,
            "provider_call_id": provider_call_id,
            "state": state,
            "before": before,
            "limit": limit,
        }
        rows = await self._rows(statement, params)
        return [call_rows.call_of(row) for row in rows]

    async def ping(self) -> None:
        await self._pool.execute("select from calls limit 0", repeatable=True)

    async def _rows(
        self, statement: LiteralString, params: Mapping[str, Any], *, repeatable: bool = True
    ) -> list[DictRow]:
        """The rows of a statement that looks for ids, which finds none by a text that cannot be stored."""
        if not are_storable(params.values()):
            return []
        return await self._pool.execute(statement, params, repeatable=repeatable)

    async def _save_beside(self, statement: LiteralString, params: dict[str, object]) -> None:
        """Write what hangs on a call. Raises: NotFound where the foreign key finds no call of this tenant."""
        if not are_storable(params.values()):
            raise _call_unknown()
        try:
            await self._pool.execute(statement, params, repeatable=True)
        except errors.ForeignKeyViolation as error:
            raise _call_unknown() from error
        except errors.IntegrityError as error:
            raise store_error(error) from error


def _call_unknown() -> NotFound:
    return NotFound("call_unknown", "there is no such call")
