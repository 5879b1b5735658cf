"""Fills `OutboundCalls` with PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, LiteralString

from psycopg import errors

from shared.adapters.postgres import call_rows
from shared.adapters.postgres.failures import store_error
from shared.adapters.postgres.pool import PostgresPool
from shared.adapters.postgres.text import are_storable, storable
from shared.domain.call import Call
from shared.domain.errors import NotFound
from shared.domain.telephony.commands import Voicemail
from shared.domain.telephony.outbound import Allowance, Attempt, AttemptState, Leg, OutboundPolicy, Usage

_POLICY_COLUMNS: LiteralString = (
    "prefixes, time_zone, weekdays, from_minute, until_minute, most_at_once, longest_s, daily_spend, minute_prices"
)
_POLICY: LiteralString = "select " + _POLICY_COLUMNS + " from outbound_policies where tenant_id = %(tenant_id)s"  # noqa: S608

_SAVE_POLICY: LiteralString = (
    "insert into outbound_policies (tenant_id, "
    + _POLICY_COLUMNS
    + """)
values (%(tenant_id)s, %(prefixes)s, %(time_zone)s, %(weekdays)s, %(from_minute)s, %(until_minute)s,
    %(most_at_once)s, %(longest_s)s, %(daily_spend)s, %(minute_prices)s::jsonb)
on conflict (tenant_id) do update set prefixes = excluded.prefixes, time_zone = excluded.time_zone,
    weekdays = excluded.weekdays, from_minute = excluded.from_minute, until_minute = excluded.until_minute,
    most_at_once = excluded.most_at_once, longest_s = excluded.longest_s, daily_spend = excluded.daily_spend,
    minute_prices = excluded.minute_prices, updated_at = clock_timestamp()
"""
)

# An open call costs what it may last, and so does one whose end is not known to us, since its line goes on without us
# or nobody has told of it; one that has ended what it lasted. The provider's count is the best, where there is one.
# The other end of a transfer costs what it may last, or as long as the caller's own line if that was shorter; it is
# open until its time is over, the provider has told of the line's end, or nothing has come of it.
_STANDING: LiteralString = (
    "select "  # noqa: S608  (constants only)
    + _POLICY_COLUMNS
    + """, reservations, used.open_calls + legs.open_calls as open_calls, used.spent + legs.spent as spent
from outbound_policies as policy, lateral (
    select count(*) filter (where call.ended_at is null) as open_calls,
        coalesce(sum(attempt.minute_price * ceil(case
            when call.ended_at is null then attempt.longest_s
            when call.duration_s is not null then call.duration_s
            when call.state in ('busy', 'no_answer', 'canceled') or call.end_reason = 'failed' then 0
            when call.end_reason in ('transferred', 'message_left', 'unreported') then attempt.longest_s
            else extract(epoch from call.ended_at - call.started_at) end / 60.0)), 0) as spent
    from date_trunc('day', %(at)s, policy.time_zone) as today,
        dial_attempts as attempt join calls as call using (tenant_id, call_id)
    where attempt.tenant_id = policy.tenant_id and attempt.created_at >= today - interval '1 day'
        and (call.ended_at is null or attempt.created_at >= today)
) as used, lateral (
    select count(*) filter (where leg.is_open) as open_calls,
        coalesce(sum(leg.minute_price * ceil(leg.most_s / 60.0)), 0) as spent
    from date_trunc('day', %(at)s, policy.time_zone) as today, lateral (
        select leg.minute_price, leg.created_at,
            call.duration_s is null and (call.ended_at is null or call.end_reason = 'transferred')
                and leg.created_at + (leg.ring_s + leg.longest_s) * interval '1 second' > %(at)s as is_open,
            least(leg.longest_s, coalesce(call.duration_s, case when call.end_reason = 'transferred' then null
                else extract(epoch from call.ended_at - call.started_at) end)) as most_s
        from transfer_legs as leg join calls as call using (tenant_id, call_id)
        where leg.tenant_id = policy.tenant_id and leg.over_at is null
            and leg.created_at >= today - interval '1 day'
    ) as leg
    where leg.is_open or leg.created_at >= today
) as legs
where policy.tenant_id = %(tenant_id)s
"""
)

_RESERVE = """
with turn as (
    update outbound_policies set reservations = reservations + 1
    where tenant_id = %(tenant_id)s and reservations = %(reservations)s
    returning tenant_id
), call as (
    insert into calls (call_id, tenant_id, agent_id, provider, line, direction, caller, callee, state, started_at,
        language, agent_version)
    select %(call_id)s, turn.tenant_id, %(agent_id)s, %(provider)s, %(line)s, %(direction)s, %(caller)s, %(callee)s,
        %(state)s, %(started_at)s, %(language)s, %(agent_version)s from turn
    returning tenant_id, call_id
)
insert into dial_attempts (attempt_id, tenant_id, call_id, state, idempotency_key, fingerprint, ring_s, longest_s,
    voicemail, message, minute_price, created_at)
select %(attempt_id)s, call.tenant_id, call.call_id, %(attempt_state)s, %(idempotency_key)s, %(fingerprint)s,
    %(ring_s)s, %(longest_s)s, %(voicemail)s, %(message)s, %(minute_price)s, %(started_at)s from call
returning attempt_id
"""

# Whoever reserves on what was known before comes too late then, whether or not this one asked.
_ADD_LEG = """
with turn as (
    update outbound_policies set reservations = reservations + 1
    where tenant_id = %(tenant_id)s
        and (%(reservations)s::bigint is null or reservations = %(reservations)s::bigint)
    returning tenant_id
)
insert into transfer_legs (leg_id, tenant_id, call_id, number, ring_s, longest_s, minute_price, created_at)
select %(leg_id)s, %(tenant_id)s, %(call_id)s, %(number)s, %(ring_s)s, %(longest_s)s, %(minute_price)s, %(begun_at)s
where %(reservations)s::bigint is null or exists (select from turn)
returning leg_id
"""

_END_LEGS = """
update transfer_legs set over_at = %(at)s
where tenant_id = %(tenant_id)s and call_id = %(call_id)s and over_at is null
"""

_ATTEMPTS: LiteralString = (
    "select attempt_id, tenant_id, call_id, fingerprint, idempotency_key, state, ring_s, longest_s, voicemail,"
    " message, minute_price from dial_attempts where tenant_id = %(tenant_id)s"
)

_OVERDUE = """
select call.tenant_id, call.call_id from calls as call join dial_attempts as attempt using (tenant_id, call_id)
where call.state = 'in_progress'
    and call.started_at + (attempt.ring_s + attempt.longest_s + 60) * interval '1 second' < %(at)s
order by call.started_at limit %(limit)s
"""

_MOVE = """
update dial_attempts as attempt set state = %(state)s, updated_at = clock_timestamp()
where tenant_id = %(tenant_id)s and attempt_id = %(attempt_id)s and state = %(known)s
    and (%(state)s <> 'dialling' or exists (
        select from calls where calls.tenant_id = attempt.tenant_id and calls.call_id = attempt.call_id
            and calls.ended_at is null))
returning attempt_id
"""


class PostgresOutboundCalls:
    """The `OutboundCalls` on a `PostgresPool`."""

    def __init__(self, pool: PostgresPool) -> None:
        self._pool = pool

    async def policy(self, tenant_id: str) -> OutboundPolicy:
        if not are_storable((tenant_id,)):
            return OutboundPolicy()
        rows = await self._pool.execute(_POLICY, {"tenant_id": tenant_id}, repeatable=True)
        return _policy(rows[0]) if rows else OutboundPolicy()

    async def save_policy(self, tenant_id: str, policy: OutboundPolicy) -> None:
        params = {
            "tenant_id": storable(tenant_id),
            "prefixes": list(policy.prefixes),
            "time_zone": policy.time_zone,
            "weekdays": sorted(policy.weekdays),
            "from_minute": policy.from_minute,
            "until_minute": policy.until_minute,
            "most_at_once": policy.most_at_once,
            "longest_s": policy.longest_s,
            "daily_spend": policy.daily_spend,
            "minute_prices": json.dumps({prefix: str(price) for prefix, price in policy.minute_prices.items()}),
        }
        try:
            await self._pool.execute(_SAVE_POLICY, params, repeatable=True)
        except errors.ForeignKeyViolation as error:
            raise NotFound("tenant_unknown", "there is no such tenant") from error
        except errors.IntegrityError as error:
            raise store_error(error) from error

    async def standing(self, tenant_id: str, at: datetime) -> tuple[OutboundPolicy, Usage]:
        params = {"tenant_id": storable(tenant_id), "at": at}
        rows = await self._pool.execute(_STANDING, params, repeatable=True)
        if not rows:
            return OutboundPolicy(), Usage()
        row = rows[0]
        return _policy(row), Usage(row["open_calls"], Decimal(row["spent"]), row["reservations"])

    async def reserve(self, call: Call, attempt: Attempt, usage: Usage) -> bool:
        """Raises: NotFound if the tenant has no such agent."""
        params = call_rows.call_row(call) | {
            "reservations": usage.reservations,
            "attempt_id": attempt.attempt_id,
            "attempt_state": attempt.state,
            "idempotency_key": storable(attempt.idempotency_key) or None,
            "fingerprint": attempt.fingerprint,
            "ring_s": attempt.ring_s,
            "longest_s": attempt.allowance.longest_s,
            "voicemail": attempt.voicemail,
            "message": storable(attempt.message),
            "minute_price": attempt.allowance.minute_price,
        }
        try:
            return bool(await self._pool.execute(_RESERVE, params, repeatable=False))
        except errors.UniqueViolation:
            return False
        except errors.ForeignKeyViolation as error:
            raise NotFound("agent_unknown", "the tenant has no such agent") from error
        except errors.IntegrityError as error:
            raise store_error(error) from error

    async def by_key(self, tenant_id: str, idempotency_key: str) -> Attempt | None:
        params = {"tenant_id": tenant_id, "idempotency_key": idempotency_key}
        return await self._attempt(_ATTEMPTS + " and idempotency_key = %(idempotency_key)s", params)

    async def of_call(self, tenant_id: str, call_id: str) -> Attempt | None:
        params = {"tenant_id": tenant_id, "call_id": call_id}
        return await self._attempt(_ATTEMPTS + " and call_id = %(call_id)s", params)

    async def overdue(self, at: datetime, limit: int = 100) -> list[tuple[str, str]]:
        rows = await self._pool.execute(_OVERDUE, {"at": at, "limit": limit}, repeatable=True)
        return [(row["tenant_id"], row["call_id"]) for row in rows]

    async def add_leg(self, leg: Leg, usage: Usage | None) -> bool:
        """Raises: NotFound if the tenant has no such call."""
        params = {
            "leg_id": leg.leg_id,
            "tenant_id": leg.tenant_id,
            "call_id": leg.call_id,
            "number": leg.number,
            "ring_s": leg.ring_s,
            "longest_s": leg.allowance.longest_s,
            "minute_price": leg.allowance.minute_price,
            "begun_at": leg.begun_at,
            "reservations": None if usage is None else usage.reservations,
        }
        try:
            return bool(await self._pool.execute(_ADD_LEG, params, repeatable=False))
        except errors.ForeignKeyViolation as error:
            raise NotFound("call_unknown", "the tenant has no such call") from error

    async def end_legs(self, tenant_id: str, call_id: str, at: datetime) -> None:
        await self._pool.execute(_END_LEGS, {"tenant_id": tenant_id, "call_id": call_id, "at": at}, repeatable=True)

    async def move(self, attempt: Attempt, state: AttemptState) -> bool:
        params = {
            "tenant_id": attempt.tenant_id,
            "attempt_id": attempt.attempt_id,
            "known": attempt.state,
            "state": state,
        }
        return bool(await self._pool.execute(_MOVE, params, repeatable=False))

    async def _attempt(self, statement: LiteralString, params: Mapping[str, str]) -> Attempt | None:
        rows = await self._pool.execute(statement, params, repeatable=True) if are_storable(params.values()) else []
        return _attempt(rows[0]) if rows else None


def _policy(row: Mapping[str, Any]) -> OutboundPolicy:
    return OutboundPolicy(
        prefixes=tuple(row["prefixes"]),
        time_zone=row["time_zone"],
        weekdays=frozenset(row["weekdays"]),
        from_minute=row["from_minute"],
        until_minute=row["until_minute"],
        most_at_once=row["most_at_once"],
        longest_s=row["longest_s"],
        daily_spend=row["daily_spend"],
        minute_prices={prefix: Decimal(price) for prefix, price in row["minute_prices"].items()},
    )


def _attempt(row: Mapping[str, Any]) -> Attempt:
    return Attempt(
        attempt_id=row["attempt_id"],
        tenant_id=row["tenant_id"],
        call_id=row["call_id"],
        fingerprint=row["fingerprint"],
        allowance=Allowance(row["longest_s"], row["minute_price"]),
        idempotency_key=row["idempotency_key"] or "",
        state=AttemptState(row["state"]),
        ring_s=row["ring_s"],
        voicemail=Voicemail(row["voicemail"]),
        message=row["message"],
    )
