"""Fills `MessagesTaken` with PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from psycopg import errors

from shared.adapters.postgres.failures import store_error
from shared.adapters.postgres.pool import PostgresPool
from shared.adapters.postgres.text import are_storable, storable
from shared.ports.messages_taken import MessageTaken

_ADD = """
insert into messages_taken (tenant_id, message_id, call_id, agent_id, caller, text, name, number, is_urgent, taken_at)
values (%(tenant_id)s, %(message_id)s, %(call_id)s, %(agent_id)s, %(caller)s, %(text)s, %(name)s, %(number)s,
    %(is_urgent)s, %(taken_at)s)
on conflict (tenant_id, message_id) do nothing
"""
_FIND = """
select message_id, tenant_id, call_id, agent_id, caller, text, taken_at, name, number, is_urgent, handled_at,
    handled_by
from messages_taken
where tenant_id = %(tenant_id)s and (not %(unhandled)s or handled_at is null)
    and (%(before)s::timestamptz is null or taken_at < %(before)s)
order by taken_at desc, message_id limit %(limit)s
"""
_HANDLE = """
update messages_taken set handled_at = coalesce(handled_at, %(at)s), handled_by = coalesce(handled_by, %(by)s)
where tenant_id = %(tenant_id)s and message_id = %(message_id)s
returning message_id
"""


class PostgresMessagesTaken:
    """The `MessagesTaken` on a `PostgresPool`."""

    def __init__(self, pool: PostgresPool) -> None:
        self._pool = pool

    async def add(self, message: MessageTaken) -> None:
        texts = ("tenant_id", "message_id", "call_id", "agent_id", "caller", "text", "name", "number")
        params: dict[str, Any] = {name: storable(getattr(message, name)) for name in texts}
        params |= {"is_urgent": message.is_urgent, "taken_at": message.taken_at}
        try:
            await self._pool.execute(_ADD, params, repeatable=True)
        except errors.IntegrityError as error:
            raise store_error(error) from error

    async def find(
        self, tenant_id: str, *, unhandled: bool = False, before: datetime | None = None, limit: int = 50
    ) -> list[MessageTaken]:
        params = {"tenant_id": storable(tenant_id), "unhandled": unhandled, "before": before, "limit": limit}
        return [_message(row) for row in await self._pool.execute(_FIND, params, repeatable=True)]

    async def handle(self, tenant_id: str, message_id: str, *, by: str, at: datetime) -> bool:
        if not are_storable((tenant_id, message_id)):
            return False
        params = {"tenant_id": tenant_id, "message_id": message_id, "by": storable(by), "at": at}
        return bool(await self._pool.execute(_HANDLE, params, repeatable=True))


def _message(row: Mapping[str, Any]) -> MessageTaken:
    taken_at, handled_at = row["taken_at"].astimezone(UTC), row["handled_at"]
    return MessageTaken(
        **{
            **row,
            "taken_at": taken_at,
            "handled_at": handled_at.astimezone(UTC) if handled_at else None,
            "handled_by": row["handled_by"] or "",
        }
    )
