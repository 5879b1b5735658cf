"""Fills `NumberAllotments` with PostgreSQL."""

from __future__ import annotations

from psycopg import errors

from shared.adapters.postgres.failures import store_error
from shared.adapters.postgres.pool import PostgresPool
from shared.adapters.postgres.text import are_storable
from shared.domain.errors import NotFound
from shared.domain.telephony.lines import Provider
from shared.domain.telephony.routes import Allotment

_ALL = "select provider, number, tenant_id from number_allotments order by number, provider"
# A row that was inserted has never been updated (its xmax is 0).
_PUT = """
with gone as (
    delete from numbers
    where provider = %(provider)s and number = %(number)s and tenant_id <> %(tenant_id)s
)
insert into number_allotments (provider, number, tenant_id) values (%(provider)s, %(number)s, %(tenant_id)s)
on conflict (provider, number) do update
    set tenant_id = excluded.tenant_id, updated_at = clock_timestamp()
returning xmax = 0 as is_new
"""
_DELETE = """
with gone as (delete from numbers where provider = %(provider)s and number = %(number)s)
delete from number_allotments where provider = %(provider)s and number = %(number)s returning number
"""


class PostgresNumberAllotments:
    """The `NumberAllotments` on a `PostgresPool`."""

    def __init__(self, pool: PostgresPool) -> None:
        self._pool = pool

    async def all(self) -> list[Allotment]:
        rows = await self._pool.execute(_ALL, {}, repeatable=True)
        return [Allotment(Provider(row["provider"]), row["number"], row["tenant_id"]) for row in rows]

    async def put(self, allotment: Allotment) -> bool:
        params = {
            "provider": allotment.provider.value,
            "number": allotment.number,
            "tenant_id": allotment.tenant_id,
        }
        if not are_storable(params.values()):
            raise _tenant_unknown()
        try:
            rows = await self._pool.execute(_PUT, params, repeatable=False)
        except errors.ForeignKeyViolation as error:
            raise _tenant_unknown() from error
        except errors.IntegrityError as error:
            raise store_error(error) from error
        return bool(rows[0]["is_new"])

    async def delete(self, provider: Provider, number: str) -> bool:
        params = {"provider": provider.value, "number": number}
        if not are_storable(params.values()):
            return False
        return bool(await self._pool.execute(_DELETE, params, repeatable=False))


def _tenant_unknown() -> NotFound:
    return NotFound("tenant_unknown", "there is no such tenant")
