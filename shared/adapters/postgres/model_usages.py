"""Fills `ModelUsages` with PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date

from psycopg import errors

from shared.adapters.postgres.failures import store_error
from shared.adapters.postgres.pool import PostgresPool
from shared.adapters.postgres.text import storable
from shared.ports.model_usage import ModelUsage

# Sorted, so that two who add at once take the rows in the same order.
_ADD = """
insert into model_usage as usage
    (tenant_id, day, provider, model, answers, input_tokens, output_tokens, microcents)
select %(tenant_id)s, %(day)s, provider, model, sum(answers), sum(input_tokens), sum(output_tokens), sum(microcents)
from jsonb_to_recordset(%(usages)s::jsonb) as added
    (provider text, model text, answers bigint, input_tokens bigint, output_tokens bigint, microcents bigint)
where exists (select from tenants where tenant_id = %(tenant_id)s)
group by provider, model order by provider, model
on conflict (tenant_id, day, provider, model) do update set
    answers = usage.answers + excluded.answers,
    input_tokens = usage.input_tokens + excluded.input_tokens,
    output_tokens = usage.output_tokens + excluded.output_tokens,
    microcents = usage.microcents + excluded.microcents
"""
_OF_DAY = """
select provider, model, answers, input_tokens, output_tokens, microcents
from model_usage where tenant_id = %(tenant_id)s and day = %(day)s
order by provider, model
"""
_CAP = "select daily_cents from spend_caps where tenant_id = %(tenant_id)s"
_SET_CAP = """
insert into spend_caps (tenant_id, daily_cents) values (%(tenant_id)s, %(cents)s)
on conflict (tenant_id) do update set daily_cents = excluded.daily_cents
"""
_CLEAR_CAP = "delete from spend_caps where tenant_id = %(tenant_id)s"
_IS_SPENT = """
select coalesce((select sum(microcents) from model_usage where tenant_id = %(tenant_id)s and day = %(day)s), 0)
    >= daily_cents * 1000000::bigint as is_spent
from spend_caps where tenant_id = %(tenant_id)s
"""


class PostgresModelUsages:
    """The `ModelUsages` on a `PostgresPool`."""

    def __init__(self, pool: PostgresPool) -> None:
        self._pool = pool

    async def add(self, tenant_id: str, day: date, usages: Sequence[ModelUsage]) -> None:
        rows = [
            asdict(usage) | {"provider": storable(usage.provider), "model": storable(usage.model)} for usage in usages
        ]
        params = {"tenant_id": storable(tenant_id), "day": day, "usages": json.dumps(rows)}
        try:
            await self._pool.execute(_ADD, params, repeatable=False)
        except errors.IntegrityError as error:
            raise store_error(error) from error

    async def of_day(self, tenant_id: str, day: date) -> list[ModelUsage]:
        params = {"tenant_id": storable(tenant_id), "day": day}
        return [ModelUsage(**row) for row in await self._pool.execute(_OF_DAY, params, repeatable=True)]

    async def cap(self, tenant_id: str) -> int | None:
        rows = await self._pool.execute(_CAP, {"tenant_id": storable(tenant_id)}, repeatable=True)
        return int(rows[0]["daily_cents"]) if rows else None

    async def set_cap(self, tenant_id: str, cents: int | None) -> None:
        params = {"tenant_id": storable(tenant_id), "cents": cents}
        try:
            await self._pool.execute(_CLEAR_CAP if cents is None else _SET_CAP, params, repeatable=True)
        except errors.IntegrityError as error:
            raise store_error(error) from error

    async def is_spent(self, tenant_id: str, day: date) -> bool:
        params = {"tenant_id": storable(tenant_id), "day": day}
        rows = await self._pool.execute(_IS_SPENT, params, repeatable=True)
        return bool(rows) and bool(rows[0]["is_spent"])
