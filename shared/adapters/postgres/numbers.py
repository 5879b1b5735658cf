"""Fills `Numbers` with PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from psycopg import errors

from shared.adapters.postgres.failures import store_error
from shared.adapters.postgres.pool import PostgresPool
from shared.adapters.postgres.text import are_storable
from shared.domain.errors import NotFound
from shared.domain.telephony.lines import Line, Provider
from shared.domain.telephony.routes import Number, not_allotted

_ALL = "select number, line, agent_id from numbers where tenant_id = %(tenant_id)s order by number, provider"
_ONE = (
    "select number, line, agent_id from numbers"
    " where tenant_id = %(tenant_id)s and provider = %(provider)s and number = %(number)s"
)
_DELETE = (
    "delete from numbers"
    " where tenant_id = %(tenant_id)s and provider = %(provider)s and number = %(number)s returning number"
)
# All numbers are those of an only tenant. A row that was inserted has never been updated (its xmax is 0); another
# tenant's is left as it is.
_PUT = """
with mine as (
    insert into number_allotments (provider, number, tenant_id)
    select %(provider)s, %(number)s, %(tenant_id)s
    where not exists (select from tenants where tenant_id <> %(tenant_id)s)
    on conflict (provider, number) do nothing
    returning number
)
insert into numbers as present (provider, number, line, tenant_id, agent_id)
select %(provider)s, %(number)s, %(line)s, %(tenant_id)s, %(agent_id)s
where exists (select from mine) or exists (
    select from number_allotments
    where provider = %(provider)s and number = %(number)s and tenant_id = %(tenant_id)s)
on conflict (provider, number) do update
    set line = excluded.line, agent_id = excluded.agent_id, updated_at = clock_timestamp()
    where present.tenant_id = excluded.tenant_id
returning xmax = 0 as is_new
"""


class PostgresNumbers:
    """The `Numbers` on a `PostgresPool`."""

    def __init__(self, pool: PostgresPool) -> None:
        self._pool = pool

    async def all(self, tenant_id: str) -> list[Number]:
        if not are_storable((tenant_id,)):
            return []
        return [_number(row) for row in await self._pool.execute(_ALL, {"tenant_id": tenant_id}, repeatable=True)]

    async def one(self, tenant_id: str, provider: Provider, number: str) -> Number | None:
        params = {"tenant_id": tenant_id, "provider": provider.value, "number": number}
        rows = await self._pool.execute(_ONE, params, repeatable=True) if are_storable(params.values()) else []
        return _number(rows[0]) if rows else None

    async def put(self, tenant_id: str, number: Number) -> bool:
        params = {
            "tenant_id": tenant_id,
            "provider": number.line.provider.value,
            "number": number.number,
            "line": number.line.value,
            "agent_id": number.agent_id,
        }
        if not are_storable(params.values()):
            raise _agent_unknown()
        try:
            rows = await self._pool.execute(_PUT, params, repeatable=False)
        except errors.ForeignKeyViolation as error:
            raise _agent_unknown() from error
        except errors.IntegrityError as error:
            raise store_error(error) from error
        if not rows:
            raise not_allotted()
        return bool(rows[0]["is_new"])

    async def delete(self, tenant_id: str, provider: Provider, number: str) -> bool:
        params = {"tenant_id": tenant_id, "provider": provider.value, "number": number}
        if not are_storable(params.values()):
            return False
        return bool(await self._pool.execute(_DELETE, params, repeatable=False))


def _number(row: Mapping[str, Any]) -> Number:
    return Number(row["number"], Line(row["line"]), row["agent_id"])


def _agent_unknown() -> NotFound:
    return NotFound("agent_unknown", "the tenant has no such agent")
