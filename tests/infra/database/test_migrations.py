"""The schema goes up, down and up again, and says where it stands."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from infra.database.migrations import newest_revision
from shared.adapters.pydantic.agent_documents import PydanticAgentDocuments
from shared.domain.agents.document import AgentDocument
from shared.domain.manner import Delegate, Manner, Platform
from tests.services import free_port, migrate

_TABLES = {
    *("tenants", "agents", "numbers", "number_allotments", "calls", "turns", "transcripts", "provider_recordings"),
    *("outbound_policies", "dial_attempts", "transfer_legs", "agent_versions", "agent_publications"),
    "knowledge_documents",
    *("call_analyses", "raw_transcripts", "webhook_endpoints", "webhook_events", "webhook_deliveries"),
    *("tool_calls", "messages_taken", "callbacks", "model_usage", "spend_caps", "caller_memories"),
    "caller_memories",
}


def _tables(dsn: str) -> set[str]:
    with psycopg.connect(dsn) as connection:
        rows = connection.execute("select tablename from pg_tables where schemaname = 'public'").fetchall()
    return {row[0] for row in rows} - {"alembic_version"}


def _shape(dsn: str) -> list[tuple[object, ...]]:
    with psycopg.connect(dsn) as connection:
        columns = connection.execute(
            "select table_name, column_name, data_type, is_nullable, column_default"
            " from information_schema.columns where table_schema = 'public' order by 1, 2"
        ).fetchall()
        rules = connection.execute(
            "select conrelid::regclass::text, conname, pg_get_constraintdef(oid) from pg_constraint"
            " where connamespace = 'public'::regnamespace order by 1, 2"
        ).fetchall()
        indexes = connection.execute("select indexdef from pg_indexes where schemaname = 'public' order by 1")
        return [*columns, *rules, *indexes.fetchall()]


@pytest.mark.slow
def test_up_down_up(empty_dsn: str) -> None:
    assert migrate(empty_dsn, "current").stdout == "the schema is at nothing\n"
    assert migrate(empty_dsn, "upgrade").stdout == f"the schema is at {newest_revision()}\n"
    assert _tables(empty_dsn) == _TABLES
    shape = _shape(empty_dsn)
    assert migrate(empty_dsn, "downgrade", "base").stdout == "the schema is at nothing\n"
    assert _tables(empty_dsn) == set()
    assert migrate(empty_dsn, "upgrade").returncode == 0
    assert _shape(empty_dsn) == shape
    assert migrate(empty_dsn, "current").stdout == f"the schema is at {newest_revision()}\n"


def test_upgrading_again_changes_nothing(dsn: str) -> None:
    shape = _shape(dsn)
    assert migrate(dsn, "upgrade").returncode == 0
    assert _shape(dsn) == shape


def test_several_migrators_at_once_do_not_disturb_each_other(empty_dsn: str) -> None:
    with ThreadPoolExecutor(3) as pool:
        done = list(pool.map(lambda _: migrate(empty_dsn, "upgrade"), range(3)))
    assert [one.returncode for one in done] == [0, 0, 0], [one.stderr for one in done]
    assert _tables(empty_dsn) == _TABLES


def test_a_failed_upgrade_leaves_nothing_behind(empty_dsn: str) -> None:
    with psycopg.connect(empty_dsn) as connection:
        connection.execute("create table transcripts (in_the_way integer)")
    failed = migrate(empty_dsn, "upgrade")
    assert failed.returncode == 1
    assert failed.stderr.count("\n") == 1
    assert "transcripts" in failed.stderr
    assert _tables(empty_dsn) == {"transcripts"}
    assert migrate(empty_dsn, "current").stdout == "the schema is at nothing\n"


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("", "DATABASE_URL is not set"),
        ("http://example.com", "DATABASE_URL is not a PostgreSQL address"),
        (f"postgresql://voice@127.0.0.1:{free_port()}/voice", "the database cannot be reached"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(url: str, message: str) -> None:
    failed = migrate(url, "upgrade")
    assert failed.returncode == 1
    assert failed.stdout == ""
    assert failed.stderr.startswith(f"infra.database: {message}")
    assert failed.stderr.count("\n") == 1


def test_an_unknown_version_is_told(dsn: str) -> None:
    failed = migrate(dsn, "upgrade", "9999")
    assert failed.returncode == 1
    assert failed.stderr.count("\n") == 1
    assert _tables(dsn) == _TABLES


_BEFORE_LINES = """
insert into tenants values ('acme', 'acme', 'Acme');
insert into agents (tenant_id, agent_id, name, persona, greeting) values ('acme', 'ann', 'N', 'P', 'G');
insert into numbers values ('+15550100001', 'acme', 'ann');
insert into calls (call_id, tenant_id, agent_id, provider, provider_call_id, direction, caller, callee, state,
    started_at, ended_at) values
    ('c1', 'acme', 'ann', 'twilio', 'CA1', 'inbound', '', '', 'ringing', now(), null),
    ('c2', 'acme', 'ann', 'web', 'w', 'inbound', '', '', 'failed', now(), now());
"""
_WITH_LINES = """
insert into numbers values ('+15550100001', 'acme', 'ann', now(), now(), 'vonage', 'vonage-input');
update calls set state = 'busy', ended_at = now() where call_id = 'c1';
insert into calls (call_id, tenant_id, agent_id, provider, line, direction, caller, callee, state, started_at)
    values ('c3', 'acme', 'ann', 'twilio', 'twilio-relay', 'outbound', '', '', 'created', now());
"""


@pytest.mark.slow
def test_numbers_that_are_set_up_stay_their_tenants(empty_dsn: str) -> None:
    assert migrate(empty_dsn, "upgrade", "0003").returncode == 0
    with psycopg.connect(empty_dsn) as connection:
        connection.execute("insert into tenants values ('acme', 'acme', 'Acme')")
        connection.execute(
            "insert into agents (tenant_id, agent_id, name, persona, greeting)"
            " values ('acme', 'ann', 'Ann', 'P', 'Hello.')"
        )
        connection.execute("insert into numbers values ('+15550100001', 'acme', 'ann')")
    assert migrate(empty_dsn, "upgrade").returncode == 0
    with psycopg.connect(empty_dsn) as connection:
        found = connection.execute("select provider, number, tenant_id from number_allotments").fetchall()
    assert found == [("twilio", "+15550100001", "acme")]


@pytest.mark.slow
def test_what_is_there_gets_its_line_and_goes_back_without_it(empty_dsn: str) -> None:
    def rows(question: str) -> list[tuple[object, ...]]:
        with psycopg.connect(empty_dsn) as connection:
            return connection.execute(question).fetchall()  # type: ignore[call-overload, no-any-return]

    def run(statements: str) -> None:
        with psycopg.connect(empty_dsn) as connection:
            connection.execute(statements)  # type: ignore[call-overload]

    assert migrate(empty_dsn, "upgrade", "0002").returncode == 0
    run(_BEFORE_LINES)
    assert migrate(empty_dsn, "upgrade", "0003").returncode == 0
    assert rows("select provider, line from numbers") == [("twilio", "twilio")]
    assert rows("select call_id, line from calls order by 1") == [("c1", "twilio"), ("c2", "web")]
    run(_WITH_LINES)
    done = migrate(empty_dsn, "downgrade", "0002")
    assert done.returncode == 0, done.stderr
    assert rows("select number from numbers") == [("+15550100001",)]
    assert rows("select call_id, state, provider_call_id from calls order by 1") == [
        ("c1", "failed", "CA1"), ("c2", "failed", "w"), ("c3", "ringing", "c3"),
    ]  # fmt: skip


@pytest.mark.slow
def test_what_an_agent_was_is_its_first_version(empty_dsn: str) -> None:
    assert migrate(empty_dsn, "upgrade", "0003").returncode == 0
    with psycopg.connect(empty_dsn) as connection:
        connection.execute("insert into tenants values ('acme', 'acme', 'Acme')")
        connection.execute(
            "insert into agents (tenant_id, agent_id, name, persona, greeting, patience_ms, manner) values"
            """ ('acme', 'ann', 'Ann', 'P', 'G', 900, '{"fillers": ["Well"]}'),"""
            """ ('acme', 'sam', 'Sam', 'P', 'G', 700, '{"delegate": {"samvaad": {"app_id": "a", "version": 2}}}')"""
        )
    assert migrate(empty_dsn, "upgrade", "0009").returncode == 0
    with psycopg.connect(empty_dsn) as connection:
        found = connection.execute(
            "select agent_id, document from agents join agent_versions using (tenant_id, agent_id)"
            " where version = published order by agent_id"
        ).fetchall()
    read = {agent_id: PydanticAgentDocuments().read(document) for agent_id, document in found}
    ann = AgentDocument(name="Ann", persona="P", greeting="G", patience_ms=900, manner=Manner(fillers=("Well",)))
    assert read["ann"] == ann
    assert read["sam"].manner == Manner(delegate=Delegate(Platform.SAMVAAD, "a", 2))
