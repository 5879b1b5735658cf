"""Fills `EarlierCalls` with PostgreSQL: what calls were, and what was made of them when they were over."""

from __future__ import annotations

from datetime import UTC, datetime

from shared.adapters.postgres.pool import PostgresPool
from shared.adapters.postgres.text import are_storable
from shared.ports.earlier_calls import EarlierCall

_LONGEST_SUMMARY = 1_000
_OF = """
select call.started_at, call.direction, coalesce(call.end_reason, '') as end_reason,
    coalesce(analysis.document ->> 'summary', '') as summary, coalesce(analysis.document ->> 'outcome', '') as outcome
from calls as call left join call_analyses as analysis using (tenant_id, call_id)
where call.tenant_id = %(tenant_id)s and call.started_at >= %(since)s and call.ended_at is not null
    and call.call_id <> %(but)s
    and ((call.direction = 'inbound' and call.caller = %(party)s)
        or (call.direction = 'outbound' and call.callee = %(party)s))
order by call.started_at desc limit %(limit)s
"""


class PostgresEarlierCalls:
    """The `EarlierCalls` on a `PostgresPool`."""

    def __init__(self, pool: PostgresPool) -> None:
        self._pool = pool

    async def of(
        self, tenant_id: str, caller: str, *, since: datetime, but: str, limit: int = 5
    ) -> list[EarlierCall]:
        if not are_storable((tenant_id, caller, but)):
            return []
        params = {"tenant_id": tenant_id, "party": caller, "since": since, "but": but, "limit": limit}
        return [
            EarlierCall(
                started_at=row["started_at"].astimezone(UTC),
                direction=row["direction"],
                end_reason=row["end_reason"],
                summary=row["summary"][:_LONGEST_SUMMARY],
                outcome=row["outcome"],
            )
            for row in await self._pool.execute(_OF, params, repeatable=True)
        ]
