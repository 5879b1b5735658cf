"""What the tables themselves do not allow, whatever the code does."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import errors

_CALL = (
    "insert into calls (call_id, tenant_id, agent_id, provider, provider_call_id, direction, caller, callee, state,"
    " started_at, line) values ('c1', 'acme', 'ann', 'twilio', 'CA1', 'inbound', '+15550109999', '+15550100001',"
    " 'ringing', now(), 'twilio')"
)


@pytest.fixture
def database(shared_dsn: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """Two tenants with what they own, in a transaction that is never committed."""
    with psycopg.connect(shared_dsn) as connection:
        for tenant_id, agent_id, number in (("acme", "ann", "+15550100001"), ("globex", "gus", "+15550100002")):
            connection.execute("insert into tenants values (%s, %s, %s)", [tenant_id, tenant_id, tenant_id])
            connection.execute(
                "insert into agents (tenant_id, agent_id, name, persona, greeting) values (%s, %s, 'N', 'P', 'G')",
                [tenant_id, agent_id],
            )
            connection.execute("insert into numbers values (%s, %s, %s)", [number, tenant_id, agent_id])
        connection.execute(_CALL)
        connection.execute(
            "insert into turns (tenant_id, call_id, number, said, outcome) values ('acme', 'c1', 0, '', 'running')"
        )
        connection.execute("insert into transcripts values ('acme', 'c1', 'text')")
        connection.execute("insert into outbound_policies (tenant_id) values ('acme')")
        connection.execute(
            "insert into dial_attempts (attempt_id, tenant_id, call_id, state, fingerprint, ring_s, longest_s,"
            " voicemail, minute_price) values ('a1', 'acme', 'c1', 'planned', 'f', 30, 60, 'ignore', 0)"
        )
        connection.execute(
            "insert into provider_recordings (tenant_id, call_id, name, url, state)"
            " values ('acme', 'c1', 'RE1', 'https://api.example.com/RE1', 'announced')"
        )
        yield connection
        connection.rollback()


@pytest.mark.parametrize(
    "crossing",
    [
        "insert into numbers values ('+15550100003', 'globex', 'ann')",
        "update numbers set tenant_id = 'globex' where number = '+15550100001'",
        "update calls set tenant_id = 'globex'",
        "update calls set agent_id = 'gus'",
        "insert into turns (tenant_id, call_id, number, said, outcome) values ('globex', 'c1', 1, '', 'running')",
        "update turns set tenant_id = 'globex'",
        "insert into transcripts values ('globex', 'c1', 'text')",
        "update transcripts set tenant_id = 'globex'",
        "update dial_attempts set tenant_id = 'globex'",
        "update provider_recordings set tenant_id = 'globex'",
        "update outbound_policies set tenant_id = 'nobody'",
        "update agents set tenant_id = 'globex' where agent_id = 'ann'",
        "delete from agents where agent_id = 'ann'",
        "delete from tenants where tenant_id = 'acme'",
    ],
)
def test_no_row_points_at_another_tenants_or_at_nothing(
    database: psycopg.Connection[tuple[object, ...]], crossing: str
) -> None:
    with pytest.raises(errors.ForeignKeyViolation):
        database.execute(crossing)  # type: ignore[call-overload]


@pytest.mark.parametrize(
    "nonsense",
    [
        "update calls set state = 'lost'",
        "update calls set state = 'completed'",
        "update calls set ended_at = now()",
        "update calls set end_reason = 'silent'",
        "update calls set direction = 'sideways'",
        "update calls set callee = '+1-555'",
        "update calls set provider = 'Twilio Inc.'",
        "update calls set recording_blob = 'half'",
        "update numbers set number = '15550100001'",
        "update numbers set number = '+05550100001'",
        "update numbers set number = '+1555010000123456'",
        "update numbers set line = 'morse'",
        "update numbers set line = 'vonage'",
        "update numbers set line = 'web', provider = 'web'",
        "update calls set line = 'vonage-input'",
        "update calls set state = 'busy'",
        "update calls set state = 'queued', ended_at = now()",
        "update calls set provider_call_id = null",
        "update calls set answered_by = 'ghost'",
        "update calls set duration_s = -1",
        "update calls set price = ''",
        "update outbound_policies set prefixes = '{1415}'",
        "update outbound_policies set prefixes = '{+1415,+}'",
        "update outbound_policies set weekdays = '{0}'",
        "update outbound_policies set from_minute = 600, until_minute = 600",
        "update outbound_policies set daily_spend = -1",
        "update outbound_policies set minute_prices = '[]'",
        "update dial_attempts set state = 'perhaps'",
        "update dial_attempts set voicemail = 'talk'",
        "update provider_recordings set state = 'half'",
        "update provider_recordings set state = 'kept'",
        "update provider_recordings set blob = 'b', container = 'c'",
        "update provider_recordings set state = 'kept', blob = 'b'",
        "update provider_recordings set duration_ms = -1",
        "update turns set outcome = 'fine'",
        "update turns set number = -1",
        "update turns set moments = '[]'",
        "update turns set costs = '7'",
        "update agents set manner = '[]'",
        "update agents set manner = 'null'",
        "update agents set patience_ms = 0",
        "update agents set language = 'English'",
        "update tenants set slug = 'Acme Inc.'",
    ],
)
def test_no_row_says_nonsense(database: psycopg.Connection[tuple[object, ...]], nonsense: str) -> None:
    with pytest.raises(errors.CheckViolation):
        database.execute(nonsense)  # type: ignore[call-overload]


def test_a_providers_call_is_one_call(database: psycopg.Connection[tuple[object, ...]]) -> None:
    with pytest.raises(errors.UniqueViolation):
        database.execute(_CALL.replace("'c1'", "'c2'"))  # type: ignore[arg-type]


def test_a_number_is_one_tenants_at_each_provider(database: psycopg.Connection[tuple[object, ...]]) -> None:
    database.execute(
        "insert into numbers (number, tenant_id, agent_id, provider, line)"
        " values ('+15550100001', 'globex', 'gus', 'vonage', 'vonage')"
    )
    with pytest.raises(errors.UniqueViolation):
        database.execute("insert into numbers values ('+15550100001', 'globex', 'gus')")


def test_what_belongs_to_a_call_goes_with_it(database: psycopg.Connection[tuple[object, ...]]) -> None:
    database.execute("delete from calls")
    for table in ("turns", "transcripts", "dial_attempts"):
        assert database.execute(f"select count(*) from {table}").fetchone() == (0,)  # type: ignore[arg-type]


def test_every_tenant_owned_table_names_the_tenant_and_every_moment_its_zone(
    database: psycopg.Connection[tuple[object, ...]],
) -> None:
    without_tenant = database.execute(
        "select tablename from pg_tables where schemaname = 'public' and tablename <> 'alembic_version' except"
        " select table_name::name from information_schema.columns"
        " where column_name = 'tenant_id' and is_nullable = 'NO'"
    ).fetchall()
    assert without_tenant == []
    without_zone = database.execute(
        "select table_name, column_name from information_schema.columns"
        " where table_schema = 'public' and data_type = 'timestamp without time zone'"
    ).fetchall()
    assert without_zone == []


@pytest.mark.parametrize(
    ("question", "index"),
    [
        ("tenant_id = 'acme' order by started_at desc, call_id desc limit 50", "calls_newest"),
        (
            "tenant_id = 'acme' and state = 'ringing' order by started_at desc, call_id desc limit 50",
            "calls_newest_in_state",
        ),
        ("tenant_id = 'acme' and provider_call_id = 'CA1'", "calls_of_provider"),
        ("tenant_id = 'acme' and call_id = 'c1'", "calls_"),
    ],
)
def test_no_question_reads_the_whole_table(
    database: psycopg.Connection[tuple[object, ...]], question: str, index: str
) -> None:
    database.execute(
        "insert into calls (call_id, tenant_id, agent_id, provider, provider_call_id, direction, caller, callee,"
        " state, started_at, ended_at, line) select 'x' || i, t, a, 'twilio', 'CAx' || i, 'inbound', '', '',"
        " 'completed', now() - i * interval '1 s', now(), 'twilio' from generate_series(1, 4000) i,"
        " lateral (select case i % 2 when 0 then 'acme' else 'globex' end t,"
        " case i % 2 when 0 then 'ann' else 'gus' end a) as owner"
    )
    database.execute("analyze calls")
    plan = database.execute(f"explain select * from calls where {question}").fetchall()  # type: ignore[arg-type]
    lines = "\n".join(str(row[0]) for row in plan)
    assert f"using {index}" in lines or f"on {index}" in lines, lines
    assert "Seq Scan" not in lines
