"""Fills `Callbacks` with PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, LiteralString

from psycopg import errors

from shared.adapters.postgres.failures import store_error
from shared.adapters.postgres.pool import PostgresPool
from shared.adapters.postgres.text import are_storable, storable
from shared.domain.errors import NotFound
from shared.ports.callbacks import Callback, CallbackState

_ADD = """
with planned as (
    select count(*) as calls from callbacks where tenant_id = %(tenant_id)s and "to" = %(to)s and state = 'planned'
), known as (
    select callback_id from callbacks where tenant_id = %(tenant_id)s and callback_id = %(callback_id)s
), added as (
    insert into callbacks
        (tenant_id, callback_id, agent_id, promised_in, "to", caller_id, due_at, not_before, reason)
    select %(tenant_id)s, %(callback_id)s, %(agent_id)s, %(promised_in)s, %(to)s, %(caller_id)s, %(due_at)s,
        %(due_at)s, %(reason)s
    from planned where planned.calls < %(most)s
    on conflict (tenant_id, callback_id) do nothing
    returning callback_id
)
select callback_id from known union select callback_id from added
"""
_SELECT: LiteralString = """
select callback_id, tenant_id, agent_id, promised_in, "to", caller_id, due_at, reason, state, call_id, trouble
from callbacks
"""
_DUE: LiteralString = (
    _SELECT + " where state = 'planned' and not_before <= %(at)s order by not_before limit %(limit)s"
)
_FIND: LiteralString = (
    _SELECT + " where tenant_id = %(tenant_id)s and (not %(planned)s or state = 'planned')"
    " order by due_at desc, callback_id limit %(limit)s"
)
_ONE: LiteralString = _SELECT + " where tenant_id = %(tenant_id)s and callback_id = %(callback_id)s"
_MOVE = """
update callbacks set state = %(state)s, call_id = %(call_id)s, trouble = %(trouble)s, updated_at = clock_timestamp()
where tenant_id = %(tenant_id)s and callback_id = %(callback_id)s and state = %(known)s
returning callback_id
"""
_PUT_OFF = """
update callbacks set not_before = %(until)s, trouble = %(trouble)s, updated_at = clock_timestamp()
where tenant_id = %(tenant_id)s and callback_id = %(callback_id)s and state = 'planned'
returning callback_id
"""


class PostgresCallbacks:
    """The `Callbacks` on a `PostgresPool`."""

    def __init__(self, pool: PostgresPool) -> None:
        self._pool = pool

    async def add(self, callback: Callback, *, most: int) -> bool:
        """Raises: NotFound if the tenant has no such agent."""
        texts = ("tenant_id", "callback_id", "agent_id", "promised_in", "to", "caller_id", "reason")
        params: dict[str, Any] = {name: storable(getattr(callback, name)) for name in texts}
        params |= {"due_at": callback.due_at, "most": most}
        try:
            return bool(await self._pool.execute(_ADD, params, repeatable=True))
        except errors.ForeignKeyViolation as error:
            raise NotFound("agent_unknown", "the tenant has no such agent") from error
        except errors.IntegrityError as error:
            raise store_error(error) from error

    async def due(self, at: datetime, limit: int = 50) -> list[Callback]:
        return _callbacks(await self._pool.execute(_DUE, {"at": at, "limit": limit}, repeatable=True))

    async def find(self, tenant_id: str, *, planned: bool = False, limit: int = 50) -> list[Callback]:
        params = {"tenant_id": storable(tenant_id), "planned": planned, "limit": limit}
        return _callbacks(await self._pool.execute(_FIND, params, repeatable=True))

    async def one(self, tenant_id: str, callback_id: str) -> Callback | None:
        if not are_storable((tenant_id, callback_id)):
            return None
        params = {"tenant_id": tenant_id, "callback_id": callback_id}
        return next(iter(_callbacks(await self._pool.execute(_ONE, params, repeatable=True))), None)

    async def move(self, callback: Callback, state: CallbackState, *, call_id: str = "", trouble: str = "") -> bool:
        params = _key(callback) | {"known": callback.state, "state": state, "call_id": call_id, "trouble": trouble}
        return bool(await self._pool.execute(_MOVE, params, repeatable=False))

    async def put_off(self, callback: Callback, until: datetime, trouble: str) -> bool:
        params = _key(callback) | {"until": until, "trouble": trouble}
        return bool(await self._pool.execute(_PUT_OFF, params, repeatable=True))


def _key(callback: Callback) -> dict[str, Any]:
    return {"tenant_id": callback.tenant_id, "callback_id": storable(callback.callback_id)}


def _callbacks(rows: list[dict[str, Any]]) -> list[Callback]:
    return [_callback(row) for row in rows]


def _callback(row: Mapping[str, Any]) -> Callback:
    return Callback(**{**row, "due_at": row["due_at"].astimezone(UTC), "state": CallbackState(row["state"])})
