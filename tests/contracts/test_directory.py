"""What every `Directory` does, and how it fails."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import psycopg
import pytest

from shared.adapters.postgres.directory import PostgresDirectory
from shared.adapters.postgres.pool import PostgresPool
from shared.adapters.pydantic.agent_documents import PydanticAgentDocuments
from shared.domain.call import Agent
from shared.domain.errors import StoreError
from shared.domain.manner import Manner, Sensitivity
from shared.domain.telephony.lines import Line, Provider
from shared.domain.telephony.routes import Route
from shared.ports.directory import Directory
from tests.contracts.conftest import Tenant, publish
from tests.services import free_port

READ = PydanticAgentDocuments().read


@pytest.fixture(params=["postgres"])
async def directory(request: pytest.FixtureRequest, postgres_dsn: str) -> AsyncIterator[Directory]:
    pool = PostgresPool(postgres_dsn)
    yield PostgresDirectory(pool, READ)
    await pool.aclose()


def _agent(tenant: Tenant, agent_id: str) -> Agent:
    return Agent(
        agent_id=agent_id,
        tenant_id=tenant.tenant_id,
        name=agent_id.title(),
        persona=f"persona of {agent_id}",
        greeting="Hello.",
        version=1,
    )


async def test_a_number_leads_to_its_tenants_agent(directory: Directory, acme: Tenant, globex: Tenant) -> None:
    assert await directory.route(Provider.TWILIO, acme.number) == Route(_agent(acme, "first"), Line.TWILIO)
    assert await directory.route(Provider.TWILIO, globex.number) == Route(_agent(globex, "first"), Line.TWILIO)


@pytest.mark.parametrize("number", ["+19990000000", "", "not a number", "' or true --", "\0", "\ud83d"])
async def test_an_unknown_number_leads_nowhere(directory: Directory, acme: Tenant, number: str) -> None:
    assert await directory.route(Provider.TWILIO, number) is None


async def test_agents_are_found_within_their_tenant(directory: Directory, acme: Tenant, globex: Tenant) -> None:
    assert await directory.agent(acme.tenant_id, "second") == _agent(acme, "second")
    assert await directory.agent(globex.tenant_id, "second") == _agent(globex, "second")
    assert await directory.agent(acme.tenant_id, "third") is None
    assert await directory.agent("unknown", "second") is None


async def test_without_an_id_the_oldest_agent_answers(directory: Directory, acme: Tenant) -> None:
    assert await directory.agent(acme.tenant_id, None) == _agent(acme, "first")
    assert await directory.agent("unknown", None) is None


async def test_every_trait_of_an_agent_is_kept(directory: Directory, acme: Tenant, postgres_dsn: str) -> None:
    manner = {"sensitivity": "low", "fillers": ["One moment."], "race_after_ms": 0}
    with psycopg.connect(postgres_dsn) as connection:
        publish(connection, acme.tenant_id, "first", language="hi-IN", interruptible=False, manner=manner)
    expected = replace(
        _agent(acme, "first"),
        version=2,
        language="hi-IN",
        interruptible=False,
        manner=Manner(sensitivity=Sensitivity.LOW, fillers=("One moment.",), race_after_ms=0),
    )
    assert await directory.agent(acme.tenant_id, "first") == expected


async def test_a_version_stays_as_it_was(directory: Directory, acme: Tenant, postgres_dsn: str) -> None:
    with psycopg.connect(postgres_dsn) as connection:
        publish(connection, acme.tenant_id, "first", greeting="Welcome.")
    assert await directory.agent(acme.tenant_id, "first", 1) == _agent(acme, "first")
    assert await directory.agent(acme.tenant_id, "first") == replace(
        _agent(acme, "first"), version=2, greeting="Welcome."
    )
    assert await directory.agent(acme.tenant_id, "first", 3) is None


async def test_an_agent_that_was_never_published_answers_nowhere(
    directory: Directory, acme: Tenant, postgres_dsn: str
) -> None:
    with psycopg.connect(postgres_dsn) as connection:
        connection.execute("update agents set published = null where tenant_id = %s", [acme.tenant_id])
    assert await directory.agent(acme.tenant_id, "first") is None
    assert await directory.agent(acme.tenant_id, None) is None
    assert await directory.route(Provider.TWILIO, acme.number) is None


@pytest.mark.parametrize(
    "manner",
    [
        {"sensitivity": "loud"},
        {"fillers": "One moment."},
        {"reply_limit_ms": 1e3 + 0.5},
        {"speculates": None},
        {"q": 1},
    ],
)
async def test_an_agent_with_a_part_that_is_not_right_answers_without_it(
    directory: Directory,
    acme: Tenant,
    postgres_dsn: str,
    caplog: pytest.LogCaptureFixture,
    manner: dict[str, object],
) -> None:
    with psycopg.connect(postgres_dsn) as connection:
        publish(connection, acme.tenant_id, "first", manner=manner, patience_ms=900)
    with caplog.at_level(logging.ERROR):
        agents = [await directory.agent(acme.tenant_id, "first") for _ in range(3)]
    assert agents == [replace(_agent(acme, "first"), version=2, patience_ms=900)] * 3
    (line,) = caplog.messages
    assert f"manner.{next(iter(manner))}" in line


async def test_an_agent_without_what_it_must_have_does_not_answer(
    directory: Directory, acme: Tenant, postgres_dsn: str
) -> None:
    with psycopg.connect(postgres_dsn) as connection:
        publish(connection, acme.tenant_id, "first", greeting=7)
    assert await directory.agent(acme.tenant_id, "first") is None


async def test_an_answer_is_kept_for_a_while_and_unknown_is_not(postgres_dsn: str, acme: Tenant) -> None:
    now = 1000.0
    pool = PostgresPool(postgres_dsn)
    directory = PostgresDirectory(pool, READ, cache_s=30.0, clock=lambda: now)
    assert await directory.agent(acme.tenant_id, "third") is None
    assert await directory.agent(acme.tenant_id, "first") == _agent(acme, "first")
    with psycopg.connect(postgres_dsn) as connection:
        publish(connection, acme.tenant_id, "first", name="Renamed")
        publish(connection, acme.tenant_id, "third")
    assert await directory.agent(acme.tenant_id, "third") == _agent(acme, "third")
    assert await directory.agent(acme.tenant_id, "first") == _agent(acme, "first")
    now += 31
    renamed = await directory.agent(acme.tenant_id, "first")
    assert renamed is not None
    assert renamed.name == "Renamed"
    await pool.aclose()


async def test_a_stopped_directory_says_so_soon() -> None:
    pool = PostgresPool(f"postgresql://voice@127.0.0.1:{free_port()}/voice", connect_timeout_s=1.0)
    directory = PostgresDirectory(pool, READ)
    began = time.monotonic()
    outcomes = await asyncio.gather(
        directory.route(Provider.TWILIO, "+15550100001"), directory.agent("t", None), return_exceptions=True
    )
    assert time.monotonic() - began < 3.0
    assert all(isinstance(outcome, StoreError) and outcome.retryable for outcome in outcomes)
