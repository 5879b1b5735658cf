"""The role of the app, made on a real PostgreSQL; only Azure's own function for it is replaced."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from infra.hooks import app_role
from tests.infra.bicep_source import ROOT

pytestmark = pytest.mark.slow

ROLE = "id-app-test"
AZURES_FUNCTION = """
CREATE FUNCTION pgaadauth_create_principal_with_oid(text, text, text, boolean, boolean) RETURNS text
LANGUAGE plpgsql AS $$ BEGIN EXECUTE format('CREATE ROLE %I LOGIN', $1); RETURN 'created'; END $$
"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a database of its own, without a password."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = (tmp_path_factory.mktemp("postgres-log") / "log").open("w+b")
    state = tmp_path_factory.mktemp("postgres")
    command = [sys.executable, "-m", "local_stack.postgres", "--port", str(port), "--state-dir", str(state)]
    server = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
    found = f"postgresql://voice@127.0.0.1:{port}/voice"
    try:
        _wait_until_it_answers(found, server, Path(log.name))
        yield found
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=20)
        log.close()


def _wait_until_it_answers(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            psycopg.connect(address, connect_timeout=2).close()
            return
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"PostgreSQL does not come up:\n{log.read_text()[-2000:]}")
            time.sleep(0.1)


def _run(monkeypatch: pytest.MonkeyPatch, address: str) -> int:
    monkeypatch.setenv("DATABASE_URL", address)
    monkeypatch.setenv("DATABASE_AUTH", "password")
    monkeypatch.setenv("DATABASE_APP_ROLE", ROLE)
    monkeypatch.setenv("DATABASE_APP_OBJECT_ID", "00000000-0000-0000-0000-000000000001")
    return app_role.main()


def test_role_uses_rows_and_nothing_else(
    address: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with psycopg.connect(f"{address.removesuffix('/voice')}/postgres") as connection:
        connection.execute(AZURES_FUNCTION)
    with psycopg.connect(address) as connection:
        connection.execute("CREATE TABLE before_the_role (id bigserial PRIMARY KEY, word text)")

    assert _run(monkeypatch, address) == 0
    assert _run(monkeypatch, address) == 0, "a second deployment finds it there"
    assert capsys.readouterr().out.splitlines() == [
        f"the role {ROLE} was created and may use the rows",
        f"the role {ROLE} is there and may use the rows",
    ]

    with psycopg.connect(address) as connection:
        connection.execute("CREATE TABLE after_the_role (id bigserial PRIMARY KEY, word text)")
    with psycopg.connect(address.replace("//voice@", f"//{ROLE}@")) as connection:
        for table in ("before_the_role", "after_the_role"):
            connection.execute(f"INSERT INTO {table} (word) VALUES ('heard')")
            assert connection.execute(f"SELECT word FROM {table}").fetchone() == ("heard",)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("CREATE TABLE of_its_own (id bigint)")


def test_missing_settings_are_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("DATABASE_URL", "DATABASE_APP_ROLE", "DATABASE_APP_OBJECT_ID"):
        monkeypatch.delenv(name, raising=False)
    assert app_role.main() == 1
    assert capsys.readouterr().err == ("app_role: DATABASE_URL, DATABASE_APP_ROLE, DATABASE_APP_OBJECT_ID not set\n")


def test_unreachable_server_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(monkeypatch, "postgresql://voice@127.0.0.1:1/voice") == 1
    assert capsys.readouterr().err.count("\n") == 1
