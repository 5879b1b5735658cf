"""A real server for the migrations, and an empty database on it for every test."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tests.services import migrate, running_postgres


@pytest.fixture(scope="session")
def postgres_dsn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_postgres(tmp_path_factory.mktemp("migrated") / "state") as dsn:
        yield dsn


@pytest.fixture(scope="session")
def migrated(postgres_dsn: str) -> str:
    """The name of a database at the newest version, which is only copied."""
    dsn = _database(postgres_dsn, template="template1")
    done = migrate(dsn, "upgrade")
    assert done.returncode == 0, done.stderr
    return str(conninfo_to_dict(dsn)["dbname"])


@pytest.fixture
def empty_dsn(postgres_dsn: str) -> str:
    return _database(postgres_dsn, template="template1")


@pytest.fixture(scope="module")
def shared_dsn(postgres_dsn: str, migrated: str) -> str:
    """A database at the newest version for all tests of a module, each of which leaves it as it was."""
    return _database(postgres_dsn, template=migrated)


@pytest.fixture
def dsn(postgres_dsn: str, migrated: str) -> str:
    """A database at the newest version."""
    return _database(postgres_dsn, template=migrated)


def _database(dsn: str, *, template: str) -> str:
    name = f"test_{uuid4().hex}"
    statement = sql.SQL("create database {} template {}").format(sql.Identifier(name), sql.Identifier(template))
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(statement)
    return make_conninfo(dsn, dbname=name)
