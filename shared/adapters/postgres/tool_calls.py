"""Fills `ToolLedger` with PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from psycopg import errors

from shared.adapters.postgres.failures import store_error
from shared.adapters.postgres.pool import PostgresPool
from shared.adapters.postgres.text import storable
from shared.domain.errors import StoreError
from shared.ports.tool_box import ToolRequest, ToolResult
from shared.ports.tool_ledger import LedgerEntry

_BEGIN = """
with begun as (
    insert into tool_calls (tenant_id, key, call_id, name, arguments)
    values (%(tenant_id)s, %(key)s, %(call_id)s, %(name)s, %(arguments)s::jsonb)
    on conflict (tenant_id, key) do nothing
    returning key
)
select true as is_new, '' as name, null as arguments, null as content, null as failed, false as is_finished from begun
union all
select false, name, arguments, content, failed, finished_at is not null from tool_calls
where tenant_id = %(tenant_id)s and key = %(key)s
"""
_FINISH = """
update tool_calls set content = %(content)s::jsonb, failed = %(failed)s, finished_at = clock_timestamp()
where tenant_id = %(tenant_id)s and key = %(key)s and finished_at is null
"""
_FORGET = "delete from tool_calls where tenant_id = %(tenant_id)s and key = %(key)s and finished_at is null"
_SWEEP = "with gone as (delete from tool_calls where begun_at < %(before)s returning 1) select count(*) from gone"


class PostgresToolCalls:
    """The `ToolLedger` on a `PostgresPool`."""

    def __init__(self, pool: PostgresPool) -> None:
        self._pool = pool

    async def begin(self, request: ToolRequest) -> LedgerEntry | None:
        """Not sent again when its answer is lost: then nobody could tell our own row from another worker's.

        A row that comes from elsewhere while ours waits for it is not seen by the same statement, but by the next.
        """
        params = _key(request) | {
            "call_id": storable(request.call_id),
            "name": storable(request.name),
            "arguments": _json(request.arguments),
        }
        try:
            rows = await self._pool.execute(_BEGIN, params, repeatable=False)
            rows = rows or await self._pool.execute(_BEGIN, params, repeatable=False)
        except errors.IntegrityError as error:
            raise store_error(error) from error
        if not rows:
            raise StoreError("tool_call_moving", "the same call of a tool begins and is forgotten", retryable=True)
        row = rows[0]
        if row["is_new"]:
            return None
        result = ToolResult(row["content"], row["failed"]) if row["is_finished"] else None
        return LedgerEntry(row["name"], row["arguments"], result)

    async def finish(self, request: ToolRequest, result: ToolResult) -> None:
        params = _key(request) | {"content": _json(result.content), "failed": storable(result.failed)}
        await self._pool.execute(_FINISH, params, repeatable=True)

    async def forget(self, request: ToolRequest) -> None:
        await self._pool.execute(_FORGET, _key(request), repeatable=True)

    async def sweep(self, before: datetime) -> int:
        rows = await self._pool.execute(_SWEEP, {"before": before}, repeatable=True)
        return int(rows[0]["count"])


def _key(request: ToolRequest) -> dict[str, str]:
    return {"tenant_id": storable(request.tenant_id), "key": storable(request.key)}


def _json(value: Any) -> str:
    """Without what PostgreSQL's JSON cannot hold. Source: https://www.postgresql.org/docs/current/datatype-json.html"""
    return json.dumps(_cleaned(value), ensure_ascii=False)


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, Mapping):
        return {storable(str(name)): _cleaned(each) for name, each in value.items()}
    return [_cleaned(each) for each in value] if isinstance(value, list | tuple) else value
