"""Fills `CallerMemories` with PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from shared.adapters.postgres.pool import PostgresPool
from shared.adapters.postgres.text import are_storable
from shared.ports.caller_memories import CallerMemory
from shared.ports.vault import Sealed

_KEEP = """
insert into caller_memories (tenant_id, agent_id, caller, call_id, key_id, content, kept_at, forget_at)
values (%(tenant_id)s, %(agent_id)s, %(caller)s, %(call_id)s, %(key_id)s, %(content)s, %(kept_at)s, %(forget_at)s)
on conflict (tenant_id, agent_id, caller) do update set call_id = excluded.call_id, key_id = excluded.key_id,
    content = excluded.content, kept_at = excluded.kept_at, forget_at = excluded.forget_at
where caller_memories.kept_at <= excluded.kept_at
returning caller
"""
_RECALL = """
select tenant_id, agent_id, caller, call_id, key_id, content, kept_at, forget_at from caller_memories
where tenant_id = %(tenant_id)s and agent_id = %(agent_id)s and caller = any(%(callers)s) and forget_at > %(at)s
order by kept_at desc limit 1
"""
_FORGET = """
delete from caller_memories
where tenant_id = %(tenant_id)s and agent_id = %(agent_id)s and caller = any(%(callers)s) returning caller
"""
_FORGET_OLD = """
delete from caller_memories where (tenant_id, agent_id, caller) in (
    select tenant_id, agent_id, caller from caller_memories where forget_at <= %(at)s order by forget_at
    limit %(limit)s for update skip locked
) returning caller
"""


class PostgresCallerMemories:
    """The `CallerMemories` on a `PostgresPool`."""

    def __init__(self, pool: PostgresPool) -> None:
        self._pool = pool

    async def keep(self, memory: CallerMemory) -> None:
        params: dict[str, Any] = {
            "tenant_id": memory.tenant_id,
            "agent_id": memory.agent_id,
            "caller": memory.caller,
            "call_id": memory.call_id,
            "key_id": memory.sealed.key_id,
            "content": memory.sealed.content,
            "kept_at": memory.kept_at,
            "forget_at": memory.forget_at,
        }
        await self._pool.execute(_KEEP, params, repeatable=True)

    async def recall(
        self, tenant_id: str, agent_id: str, callers: Sequence[str], at: datetime
    ) -> CallerMemory | None:
        if not are_storable((tenant_id, agent_id, *callers)):
            return None
        params = {"tenant_id": tenant_id, "agent_id": agent_id, "callers": list(callers), "at": at}
        rows = await self._pool.execute(_RECALL, params, repeatable=True)
        return next((_memory(row) for row in rows), None)

    async def forget(self, tenant_id: str, agent_id: str, callers: Sequence[str]) -> None:
        params = {"tenant_id": tenant_id, "agent_id": agent_id, "callers": list(callers)}
        await self._pool.execute(_FORGET, params, repeatable=True)

    async def forget_old(self, at: datetime, *, limit: int) -> int:
        return len(await self._pool.execute(_FORGET_OLD, {"at": at, "limit": limit}, repeatable=True))


def _memory(row: dict[str, Any]) -> CallerMemory:
    sealed = Sealed(row.pop("key_id"), bytes(row.pop("content")))
    times = {name: row.pop(name).astimezone(UTC) for name in ("kept_at", "forget_at")}
    return CallerMemory(**row, **times, sealed=sealed)
