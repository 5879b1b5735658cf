"""The real services behind the adapters, once per run, and fresh tenants for every test."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.services import migrate, running_azurite, running_chroma, running_postgres, running_redis


@dataclass(frozen=True)
class Tenant:
    """A tenant with two agents, the older of which answers on its number."""

    tenant_id: str
    agent_id: str
    younger_agent_id: str
    number: str


@pytest.fixture(scope="session")
def postgres_dsn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_postgres(tmp_path_factory.mktemp("postgres") / "state") as dsn:
        done = migrate(dsn, "upgrade")
        assert done.returncode == 0, done.stderr
        yield dsn


@pytest.fixture(scope="session")
def blob_connection_string(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_azurite(tmp_path_factory.mktemp("azurite") / "state") as connection_string:
        yield connection_string


@pytest.fixture(scope="session")
def chroma_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_chroma(tmp_path_factory.mktemp("chroma") / "state") as url:
        yield url


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_redis(tmp_path_factory.mktemp("redis") / "state") as url:
        yield url


@pytest.fixture
def acme(postgres_dsn: str) -> Tenant:
    return add_tenant(postgres_dsn)


@pytest.fixture
def globex(postgres_dsn: str) -> Tenant:
    return add_tenant(postgres_dsn)


def add_tenant(dsn: str) -> Tenant:
    unique = uuid4()
    number = f"+1555{unique.int % 10**10:010d}"
    tenant = Tenant(str(unique), "first", "second", number)
    with psycopg.connect(dsn) as connection:
        connection.execute(
            "insert into tenants (tenant_id, slug, name) values (%s, %s, 'T')", [str(unique), f"t{unique.hex}"]
        )
        for agent_id in ("first", "second"):
            publish(connection, tenant.tenant_id, agent_id)
        connection.execute(
            "insert into numbers (number, tenant_id, agent_id) values (%s, %s, 'first')", [number, tenant.tenant_id]
        )
    return tenant


def publish(connection: psycopg.Connection[Any], tenant_id: str, agent_id: str, **traits: Any) -> int:
    """Let an agent with these traits answer, under the next number of a version."""
    key = [tenant_id, agent_id]
    document = {"name": agent_id.title(), "persona": f"persona of {agent_id}", "greeting": "Hello.", **traits}
    connection.execute(
        "insert into agents (tenant_id, agent_id, name, persona, greeting) values (%s, %s, %s, '', '')"
        " on conflict do nothing",
        [*key, document["name"]],
    )
    made = connection.execute(
        "insert into agent_versions (tenant_id, agent_id, version, document, created_by)"
        " select %s, %s, 1 + coalesce(max(version), 0), %s, 'test' from agent_versions"
        " where tenant_id = %s and agent_id = %s returning version",
        [*key, Jsonb(document), *key],
    ).fetchone()
    assert made is not None
    connection.execute("update agents set published = %s where tenant_id = %s and agent_id = %s", [made[0], *key])
    return int(made[0])
