"""Seeding puts in what the file names, once, and says what is wrong with a file."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest

from infra.database.connection import SetupError
from infra.database.seed import seed
from shared.domain.telephony.lines import Line
from tests.services import CHECKOUT, migrate

_SEED = CHECKOUT / "local_stack" / "seed.json"


def _content(dsn: str) -> list[tuple[object, ...]]:
    with psycopg.connect(dsn) as connection:
        return [
            row
            for table in ("tenants", "agents", "agent_versions", "agent_publications", "numbers", "number_allotments")
            for row in connection.execute(f"select * from {table} order by 1, 2").fetchall()  # type: ignore[arg-type]
        ]


def _file(path: Path, content: object) -> str:
    file = path / "seed.json"
    file.write_text(json.dumps(content), encoding="utf-8")
    return str(file)


def _agent(**changes: Any) -> dict[str, Any]:
    return {"agent_id": "ann", "name": "Ann", "persona": "P", "greeting": "Hello.", **changes}


def _tenant(**changes: Any) -> dict[str, Any]:
    return {
        "tenant_id": "t1",
        "slug": "t-one",
        "name": "Acme",
        "agents": [_agent()],
        "numbers": [{"number": "+15550100009", "agent_id": "ann"}],
        **changes,
    }


def test_the_local_stacks_tenants_are_there(dsn: str) -> None:
    done = migrate(dsn, "seed", str(_SEED))
    assert done.returncode == 0, done.stderr
    with psycopg.connect(dsn) as connection:
        rows = connection.execute(
            "select t.slug, t.tenant_id, a.name, n.number from tenants t join agents a using (tenant_id)"
            " join numbers n using (tenant_id, agent_id) where n.number < '+15550100010' order by 1"
        ).fetchall()
        greeting = connection.execute(
            "select document ->> 'greeting' from agents join agent_versions using (tenant_id, agent_id)"
            " where agents.name = 'Nora' and version = published"
        ).fetchone()
        lines = connection.execute(
            "select provider, line from numbers where agent_id = 'nora' and number > '+15550100010' order by number"
        ).fetchall()
    assert [row[0:2] for row in rows] == [
        ("acme", "00000000-0000-4000-8000-000000000001"),
        ("globex", "00000000-0000-4000-8000-000000000002"),
    ]
    assert rows[0][2:] == ("Nora", "+15550100001")
    assert rows[1][3] == "+15550100002"
    assert greeting == ("Acme Telephones, this is Nora. How can I help you?",)
    assert lines == [(line.provider, line) for line in Line if line is not Line.WEB]


def test_a_number_is_twilios_where_nobody_is_named_and_has_its_providers_first_line(dsn: str, tmp_path: Path) -> None:
    numbers = [
        {"number": "+15550100009", "agent_id": "ann"},
        {"number": "+15550100009", "agent_id": "ann", "provider": "vonage"},
        {"number": "+15550100008", "agent_id": "ann", "provider": "vonage", "line": "vonage-input"},
    ]
    done = migrate(dsn, "seed", _file(tmp_path, {"tenants": [_tenant(numbers=numbers)]}))
    assert done.returncode == 0, done.stderr
    with psycopg.connect(dsn) as connection:
        rows = connection.execute(
            "select number, provider, line from numbers where tenant_id = 't1' order by 1, 2"
        ).fetchall()
    assert rows == [
        ("+15550100008", "vonage", "vonage-input"),
        ("+15550100009", "twilio", "twilio"),
        ("+15550100009", "vonage", "vonage"),
    ]


def test_a_files_numbers_are_allotted_and_another_tenants_are_not_taken(dsn: str, tmp_path: Path) -> None:
    with psycopg.connect(dsn) as connection:
        seed(connection, Path(_file(tmp_path, {"tenants": [_tenant()]})))
        asked = "select provider, number, tenant_id from number_allotments"
        assert connection.execute(asked).fetchall() == [("twilio", "+15550100009", "t1")]
        connection.execute("delete from numbers")
        other = _tenant(tenant_id="t2", slug="t-two")
        with pytest.raises(SetupError, match="another tenant"):
            seed(connection, Path(_file(tmp_path, {"tenants": [other]})))
        assert connection.execute("select count(*) from numbers").fetchone() == (0,)


def test_seeding_again_changes_nothing(dsn: str) -> None:
    migrate(dsn, "seed", str(_SEED))
    before = _content(dsn)
    assert before
    assert migrate(dsn, "seed", str(_SEED)).returncode == 0
    assert _content(dsn) == before


def test_a_changed_file_changes_what_it_names(dsn: str, tmp_path: Path) -> None:
    migrate(dsn, "seed", str(_SEED))
    others = _content(dsn)
    migrate(dsn, "seed", _file(tmp_path, {"tenants": [_tenant()]}))
    renamed = _tenant(name="Acme Ltd", agents=[_agent(patience_ms=900)], slug="t-first")
    assert migrate(dsn, "seed", _file(tmp_path, {"tenants": [renamed]})).returncode == 0
    content = _content(dsn)
    assert all(row in content for row in others)
    with psycopg.connect(dsn) as connection:
        row = connection.execute(
            "select t.name, a.published, v.document -> 'patience_ms', a.updated_at > a.created_at"
            " from tenants t join agents a using (tenant_id) join agent_versions v using (tenant_id, agent_id)"
            " where tenant_id = 't1' and v.version = a.published"
        ).fetchone()
    assert row == ("Acme Ltd", 2, 900, True)


def test_what_an_agent_says_is_published_when_it_has_changed(dsn: str, tmp_path: Path) -> None:
    def published(**agent: Any) -> tuple[object, ...] | None:
        done = migrate(dsn, "seed", _file(tmp_path, {"tenants": [_tenant(agents=[_agent(**agent)])]}))
        assert done.returncode == 0, done.stderr
        with psycopg.connect(dsn) as connection:
            return connection.execute(
                "select published, updated_at from agents where tenant_id = 't1' and agent_id = 'ann'"
            ).fetchone()

    first = published(manner={"sensitivity": "low", "fillers": ["One moment."]})
    assert first is not None
    assert first[0] == 1
    assert published(manner={"fillers": ["One moment."], "sensitivity": "low"}) == first
    changed = published(manner={"speculates": False})
    assert changed is not None
    assert changed[0] == 2
    assert changed[1] > first[1]  # type: ignore[operator]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "must be an object"),
        ({}, "lacks tenants"),
        ({"tenants": {}}, "tenants must be a list"),
        ({"tenants": [{"tenant_id": "t1"}]}, "tenants[0] lacks slug, name"),
        ({"tenants": [_tenant(colour="red")]}, "tenants[0] has unknown colour"),
        (
            {"tenants": [_tenant(agents=[{"agent_id": "ann"}])]},
            "agents[0]: name: is needed; persona: is",
        ),
        ({"tenants": [_tenant(agents=[_agent(manner=[])])]}, "tenants[0].agents[0]: manner: "),
        (
            {"tenants": [_tenant(agents=[_agent(manner={"mood": 1})])]},
            "manner.mood: there is no such field",
        ),
        (
            {"tenants": [_tenant(agents=[_agent(manner={"filler_after_ms": "1500"})])]},
            "agents[0]: manner.filler_after_ms: ",
        ),
        (
            {"tenants": [_tenant(agents=[_agent(), _agent(manner={"fillers": [""]})])]},
            "agents[1]: manner.fillers[0]: ",
        ),
        ({"tenants": [_tenant(numbers=[{"number": "5550100009", "agent_id": "ann"}])]}, "numbers_number_check"),
        ({"tenants": [_tenant(numbers=[{"number": "+15550100009", "agent_id": "bob"}])]}, "foreign key"),
        ({"tenants": [_tenant(numbers=[{"number": "+15550100001", "agent_id": "ann"}])]}, "another tenant"),
        ({"tenants": [_tenant(name=7, slug=[])]}, "seed.json"),
    ],
)
def test_what_is_wrong_with_a_file_is_told_and_nothing_is_done(
    shared_dsn: str, tmp_path: Path, content: object, message: str
) -> None:
    with psycopg.connect(shared_dsn) as connection:
        seed(connection, _SEED)
    before = _content(shared_dsn)
    with psycopg.connect(shared_dsn) as connection, pytest.raises(SetupError) as wrong:
        seed(connection, Path(_file(tmp_path, content)))
    assert message in str(wrong.value)
    assert "\n" not in str(wrong.value)
    assert _content(shared_dsn) == before


@pytest.mark.parametrize(("content", "message"), [(None, "cannot be read"), ("{", "is not JSON")])
def test_a_file_that_is_not_there_or_not_json_is_told(
    shared_dsn: str, tmp_path: Path, content: str | None, message: str
) -> None:
    file = tmp_path / "seed.json"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    failed = migrate(shared_dsn, "seed", str(file))
    assert failed.returncode == 1
    assert message in failed.stderr
    assert failed.stderr.count("\n") == 1


def test_on_an_up_to_date_database_upgrade_and_seed_are_quick(dsn: str) -> None:
    migrate(dsn, "seed", str(_SEED))
    best_s = 99.0
    for _ in range(3):
        began = time.monotonic()
        assert migrate(dsn, "upgrade", "--seed", str(_SEED)).returncode == 0
        best_s = min(best_s, time.monotonic() - began)
    assert best_s < 1.5
