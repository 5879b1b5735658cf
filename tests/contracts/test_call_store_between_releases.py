"""Calls that the release before this one has answered, between the migration and the deployment."""

from __future__ import annotations

from datetime import UTC, datetime

import psycopg

from shared.adapters.postgres.call_store import PostgresCallStore
from shared.adapters.postgres.pool import PostgresPool
from shared.domain.call import Call, CallState
from shared.domain.telephony.lines import Line, Provider
from tests.contracts.conftest import Tenant

_NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


async def test_a_call_without_a_line_is_on_its_providers_first(acme: Tenant, postgres_dsn: str) -> None:
    call = Call(
        call_id=f"call-{acme.tenant_id}",
        tenant_id=acme.tenant_id,
        agent_id=acme.agent_id,
        provider=Provider.TWILIO,
        provider_call_id=f"CA{acme.tenant_id}",
        line=Line.TWILIO,
        direction="inbound",
        caller="+15550109999",
        callee=acme.number,
        state=CallState.RINGING,
        started_at=_NOON,
    )
    with psycopg.connect(postgres_dsn) as connection:
        connection.execute(
            "insert into calls (call_id, tenant_id, agent_id, provider, provider_call_id, direction, caller, callee,"
            " state, started_at) values (%s, %s, %s, 'twilio', %s, 'inbound', %s, %s, 'ringing', %s)",
            [call.call_id, acme.tenant_id, acme.agent_id, call.provider_call_id, call.caller, call.callee, _NOON],
        )
    pool = PostgresPool(postgres_dsn)
    store = PostgresCallStore(pool)
    assert await store.get(acme.tenant_id, call.call_id) == call
    assert await store.of_provider(Provider.TWILIO, call.provider_call_id) == call
    await pool.aclose()
