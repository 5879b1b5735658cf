"""Fills `Webhooks` with PostgreSQL: endpoints, what happened, and what was told of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, LiteralString

from psycopg import errors

from shared.adapters.postgres.failures import store_error
from shared.adapters.postgres.pool import PostgresPool
from shared.adapters.postgres.text import are_storable, storable
from shared.domain.after_call.records import DeliveryRequest
from shared.domain.after_call.webhooks import (
    Delivery,
    DeliveryState,
    Endpoint,
    Event,
    EventKind,
    delivery_id_of,
)
from shared.ports.vault import Sealed
from shared.ports.webhooks import Addressed

_ENDPOINTS: LiteralString = """
select endpoint_id, url, events, failures, coalesce(disabled_reason, '') as disabled_reason, created_at, key_id,
    sealed
from webhook_endpoints where tenant_id = %(tenant_id)s
"""
_ADD: LiteralString = """
insert into webhook_endpoints (tenant_id, endpoint_id, url, events, key_id, sealed, created_at)
select tenant_id, %(endpoint_id)s, %(url)s, %(events)s, %(key_id)s, %(sealed)s, %(created_at)s
from tenants where tenant_id = %(tenant_id)s
    and (select count(*) from webhook_endpoints e where e.tenant_id = %(tenant_id)s) < %(most)s
returning endpoint_id
"""
_SET_SECRETS: LiteralString = """
update webhook_endpoints set key_id = %(key_id)s, sealed = %(sealed)s, updated_at = clock_timestamp()
where tenant_id = %(tenant_id)s and endpoint_id = %(endpoint_id)s and sealed = %(old)s
returning endpoint_id
"""
_ENABLE: LiteralString = """
update webhook_endpoints set disabled_reason = null, failures = 0, updated_at = clock_timestamp()
where tenant_id = %(tenant_id)s and endpoint_id = %(endpoint_id)s returning endpoint_id
"""
_DISABLE: LiteralString = """
update webhook_endpoints set disabled_reason = %(reason)s, updated_at = clock_timestamp()
where tenant_id = %(tenant_id)s and endpoint_id = %(endpoint_id)s and disabled_reason is null
"""
_REMOVE: LiteralString = """
delete from webhook_endpoints where tenant_id = %(tenant_id)s and endpoint_id = %(endpoint_id)s returning endpoint_id
"""
_UNTOLD: LiteralString = """
select event_id, tenant_id, call_id, kind, happened_at from webhook_events where told_at is null
order by happened_at limit %(limit)s
"""
_LISTENING: LiteralString = """
select endpoint_id from webhook_endpoints
where tenant_id = %(tenant_id)s and disabled_reason is null and %(kind)s = any(events) order by endpoint_id
"""
_TELL: LiteralString = """
with told as (
    update webhook_events set told_at = clock_timestamp() where event_id = %(event_id)s and told_at is null
    returning event_id, tenant_id, call_id, kind
)
insert into webhook_deliveries (tenant_id, delivery_id, endpoint_id, event_id, call_id, kind, body)
select told.tenant_id, d.delivery_id, d.endpoint_id, told.event_id, told.call_id, told.kind, d.body
from told, jsonb_to_recordset(%(deliveries)s::jsonb) as d (delivery_id text, endpoint_id text, body text)
    join webhook_endpoints e on e.tenant_id = %(tenant_id)s and e.endpoint_id = d.endpoint_id
on conflict do nothing
returning delivery_id
"""
_OF_EVENT: LiteralString = """
select delivery_id from webhook_deliveries
where tenant_id = %(tenant_id)s and event_id = %(event_id)s and state = 'pending' order by delivery_id
"""
_ADDRESSED: LiteralString = """
select d.delivery_id, d.endpoint_id, d.event_id, d.call_id, d.kind, d.state, d.attempts, d.last_status, d.last_fault,
    d.created_at, d.updated_at, d.body, e.url, e.events, e.failures,
    coalesce(e.disabled_reason, '') as disabled_reason, e.created_at as endpoint_created_at, e.key_id, e.sealed
from webhook_deliveries d join webhook_endpoints e using (tenant_id, endpoint_id)
where d.tenant_id = %(tenant_id)s and d.delivery_id = %(delivery_id)s
"""
_NOTE: LiteralString = """
with noted as (
    update webhook_deliveries set state = %(state)s, attempts = attempts + %(counts)s::int, last_status = %(status)s,
        last_fault = %(fault)s, updated_at = clock_timestamp()
    where tenant_id = %(tenant_id)s and delivery_id = %(delivery_id)s and state = 'pending'
    returning tenant_id, endpoint_id
)
update webhook_endpoints e set
    failures = case when %(state)s = 'delivered' then 0 else failures + %(counts)s::int end,
    disabled_reason = case when %(state)s <> 'delivered' and failures + %(counts)s::int >= %(most_failures)s
        then coalesce(disabled_reason, 'too_many_failures') else disabled_reason end,
    updated_at = clock_timestamp()
from noted where e.tenant_id = noted.tenant_id and e.endpoint_id = noted.endpoint_id
"""
_DELIVERIES: LiteralString = """
select delivery_id, endpoint_id, event_id, call_id, kind, state, attempts, last_status, last_fault, created_at,
    updated_at
from webhook_deliveries where tenant_id = %(tenant_id)s
    and (%(state)s::text is null or state = %(state)s) and (%(endpoint_id)s = '' or endpoint_id = %(endpoint_id)s)
    and (%(before)s::timestamptz is null or created_at < %(before)s)
order by created_at desc, delivery_id limit %(limit)s
"""
_REVIVE: LiteralString = """
update webhook_deliveries set state = 'pending', attempts = 0, last_fault = '', updated_at = clock_timestamp()
where tenant_id = %(tenant_id)s and delivery_id = %(delivery_id)s returning delivery_id
"""
_FORGOTTEN: LiteralString = """
select tenant_id, delivery_id from webhook_deliveries where state = 'pending' and updated_at < %(before)s
order by updated_at limit %(limit)s
"""


class PostgresWebhooks:
    """The `Webhooks` on a `PostgresPool`."""

    def __init__(self, pool: PostgresPool) -> None:
        self._pool = pool

    async def endpoints(self, tenant_id: str) -> Sequence[Endpoint]:
        rows = await self._ask(_ENDPOINTS + " order by created_at, endpoint_id", {"tenant_id": tenant_id})
        return [_endpoint(row) for row in rows]

    async def endpoint(self, tenant_id: str, endpoint_id: str) -> tuple[Endpoint, Sealed] | None:
        statement = _ENDPOINTS + " and endpoint_id = %(endpoint_id)s"
        rows = await self._ask(statement, {"tenant_id": tenant_id, "endpoint_id": endpoint_id})
        return (_endpoint(rows[0]), _sealed(rows[0])) if rows else None

    async def add(self, tenant_id: str, endpoint: Endpoint, secrets: Sealed, *, most: int) -> bool:
        params = {
            "tenant_id": tenant_id,
            "endpoint_id": endpoint.endpoint_id,
            "url": endpoint.url,
            "events": [event.value for event in endpoint.events],
            "key_id": secrets.key_id,
            "sealed": secrets.content,
            "created_at": endpoint.created_at,
            "most": most,
        }
        try:
            return bool(await self._ask(_ADD, params, repeatable=False))
        except errors.IntegrityError as error:
            raise store_error(error) from error

    async def set_secrets(self, tenant_id: str, endpoint_id: str, old: Sealed, new: Sealed) -> bool:
        params = {"tenant_id": tenant_id, "endpoint_id": endpoint_id, "old": old.content}
        params |= {"key_id": new.key_id, "sealed": new.content}
        return bool(await self._ask(_SET_SECRETS, params, repeatable=False))

    async def enable(self, tenant_id: str, endpoint_id: str) -> bool:
        return bool(await self._ask(_ENABLE, {"tenant_id": tenant_id, "endpoint_id": endpoint_id}))

    async def disable(self, tenant_id: str, endpoint_id: str, reason: str) -> None:
        await self._ask(_DISABLE, {"tenant_id": tenant_id, "endpoint_id": endpoint_id, "reason": reason})

    async def remove(self, tenant_id: str, endpoint_id: str) -> bool:
        return bool(await self._ask(_REMOVE, {"tenant_id": tenant_id, "endpoint_id": endpoint_id}, repeatable=False))

    async def untold(self, *, limit: int) -> Sequence[Event]:
        rows = await self._ask(_UNTOLD, {"limit": limit})
        return [
            Event(
                row["event_id"],
                row["tenant_id"],
                row["call_id"],
                EventKind(row["kind"]),
                row["happened_at"].astimezone(UTC),
            )
            for row in rows
        ]

    async def listening(self, tenant_id: str, kind: EventKind) -> Sequence[str]:
        rows = await self._ask(_LISTENING, {"tenant_id": tenant_id, "kind": kind.value})
        return [row["endpoint_id"] for row in rows]

    async def tell(self, event: Event, bodies: Sequence[tuple[str, str]]) -> Sequence[str]:
        deliveries = [
            {
                "delivery_id": delivery_id_of(event.event_id, endpoint_id),
                "endpoint_id": endpoint_id,
                "body": storable(body),
            }
            for endpoint_id, body in bodies
        ]
        params = {"tenant_id": event.tenant_id, "event_id": event.event_id}
        await self._ask(_TELL, params | {"deliveries": json.dumps(deliveries, ensure_ascii=False)})
        return [row["delivery_id"] for row in await self._ask(_OF_EVENT, params)]

    async def addressed(self, tenant_id: str, delivery_id: str) -> Addressed | None:
        rows = await self._ask(_ADDRESSED, {"tenant_id": tenant_id, "delivery_id": delivery_id})
        if not rows:
            return None
        endpoint = _endpoint(rows[0] | {"created_at": rows[0]["endpoint_created_at"]})
        return Addressed(_delivery(rows[0]), endpoint, _sealed(rows[0]))

    async def note(
        self,
        tenant_id: str,
        delivery_id: str,
        state: DeliveryState,
        *,
        status: int,
        fault: str,
        counts: bool = True,
        most_failures: int,
    ) -> None:
        params = {
            "tenant_id": tenant_id,
            "delivery_id": delivery_id,
            "state": state.value,
            "status": status,
            "fault": storable(fault)[:200],
            "counts": int(counts),
            "most_failures": most_failures,
        }
        await self._ask(_NOTE, params, repeatable=False)

    async def deliveries(
        self,
        tenant_id: str,
        *,
        state: DeliveryState | None = None,
        endpoint_id: str = "",
        before: datetime | None = None,
        limit: int = 50,
    ) -> Sequence[Delivery]:
        params = {"tenant_id": tenant_id, "state": state.value if state else None, "endpoint_id": endpoint_id}
        rows = await self._ask(_DELIVERIES, params | {"before": before, "limit": limit})
        return [_delivery(row) for row in rows]

    async def revive(self, tenant_id: str, delivery_id: str) -> bool:
        return bool(await self._ask(_REVIVE, {"tenant_id": tenant_id, "delivery_id": delivery_id}))

    async def forgotten(self, before: datetime, *, limit: int) -> Sequence[DeliveryRequest]:
        rows = await self._ask(_FORGOTTEN, {"before": before, "limit": limit})
        return [DeliveryRequest(row["tenant_id"], row["delivery_id"]) for row in rows]

    async def _ask(
        self, statement: LiteralString, params: Mapping[str, Any], *, repeatable: bool = True
    ) -> list[dict[str, Any]]:
        """What no row can hold finds none."""
        if not are_storable(params.values()):
            return []
        return [dict(row) for row in await self._pool.execute(statement, params, repeatable=repeatable)]


def _endpoint(row: Mapping[str, Any]) -> Endpoint:
    return Endpoint(
        row["endpoint_id"],
        row["url"],
        tuple(EventKind(event) for event in row["events"]),
        row["created_at"].astimezone(UTC),
        row["failures"],
        row["disabled_reason"],
    )


def _sealed(row: Mapping[str, Any]) -> Sealed:
    return Sealed(row["key_id"], bytes(row["sealed"]))


def _delivery(row: Mapping[str, Any]) -> Delivery:
    return Delivery(
        delivery_id=row["delivery_id"],
        endpoint_id=row["endpoint_id"],
        event_id=row["event_id"],
        call_id=row["call_id"],
        kind=EventKind(row["kind"]),
        state=DeliveryState(row["state"]),
        attempts=row["attempts"],
        last_status=row["last_status"],
        last_fault=row["last_fault"],
        created_at=row["created_at"].astimezone(UTC),
        updated_at=row["updated_at"].astimezone(UTC),
        body=row.get("body", ""),
    )
