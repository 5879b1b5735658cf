"""Moves the schema to a version and says where it stands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg

from infra.database.connection import SetupError

_FOLDER = Path(__file__).parent
NEWEST = "head"
EMPTY = "base"


def newest_revision() -> str:
    """The last version in the folder; files are named `<revision>_<what>.py` with revisions that sort."""
    return max(path.stem.split("_")[0] for path in (_FOLDER / "versions").glob("[0-9]*.py"))


def current_revision(connection: psycopg.Connection[Any]) -> str | None:
    """The version the database is at, None before the first."""
    with connection.transaction():
        table = connection.execute("select to_regclass('alembic_version')").fetchone()
        if table is None or table[0] is None:
            return None
        row = connection.execute("select version_num from alembic_version").fetchone()
    return str(row[0]) if row else None


def upgrade(connection: psycopg.Connection[Any], revision: str = NEWEST) -> None:
    """Run what is missing up to `revision`. Raises: SetupError, with the database as it was."""
    target = newest_revision() if revision == NEWEST else revision
    if current_revision(connection) != target:  # Alembic takes longer to import than this takes to ask
        _run("upgrade", connection, revision)


def downgrade(connection: psycopg.Connection[Any], revision: str) -> None:
    """Undo down to `revision` (`-1` for one step, `base` for all). Raises: SetupError."""
    _run("downgrade", connection, revision)


def _run(step: str, connection: psycopg.Connection[Any], revision: str) -> None:
    from alembic import command  # noqa: PLC0415  half a second, spared where nothing is to do
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util.exc import CommandError  # noqa: PLC0415
    from sqlalchemy import create_engine  # noqa: PLC0415
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415
    from sqlalchemy.pool import StaticPool  # noqa: PLC0415

    engine = create_engine("postgresql+psycopg://", creator=lambda: connection, poolclass=StaticPool)
    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    try:
        with engine.connect() as opened:
            config.attributes["connection"] = opened
            getattr(command, step)(config, revision)
    except (CommandError, SQLAlchemyError) as error:
        raise SetupError(f"{step} to {revision} failed: {str(error).strip().splitlines()[0]}") from error
