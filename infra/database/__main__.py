"""The console's door to the schema: `python -m infra.database upgrade|downgrade|current|seed`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from infra.database import migrations
from infra.database.connection import SetupError, connect
from infra.database.seed import seed


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m infra.database",
        description="Works on the PostgreSQL database at DATABASE_URL (DATABASE_AUTH=password|entra).",
    )
    steps = parser.add_subparsers(dest="step", required=True)
    up = steps.add_parser("upgrade", help="run the migrations that are missing")
    up.add_argument("revision", nargs="?", default=migrations.NEWEST)
    up.add_argument("--seed", type=Path, metavar="FILE.json", help="then seed from this file")
    down = steps.add_parser("downgrade", help="undo migrations; data of dropped tables is lost")
    down.add_argument("revision", help="-1 for one step, base for all")
    steps.add_parser("current", help="print the version the database is at")
    put = steps.add_parser("seed", help="insert or update tenants, agents and numbers")
    put.add_argument("file", type=Path)
    return parser.parse_args(argv)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


def _run(arguments: argparse.Namespace) -> None:
    database_url = os.environ.get("DATABASE_URL", "")
    if not database_url:
        raise SetupError("DATABASE_URL is not set")
    seed_file: Path | None = None
    with connect(database_url, auth=os.environ.get("DATABASE_AUTH", "password")) as connection:
        match arguments.step:
            case "upgrade":
                migrations.upgrade(connection, arguments.revision)
                seed_file = arguments.seed
            case "downgrade":
                migrations.downgrade(connection, arguments.revision)
            case "seed":
                seed_file = arguments.file
        if seed_file is not None:
            seeded = seed(connection, seed_file)
            _say(f"{seeded.tenants} tenants, {seeded.agents} agents and {seeded.numbers} numbers are there")
        else:
            _say(f"the schema is at {migrations.current_revision(connection) or 'nothing'}")


def main(argv: list[str] | None = None) -> int:
    """0 when done; 1 with one line on stderr when not."""
    try:
        _run(_arguments(sys.argv[1:] if argv is None else argv))
    except SetupError as error:
        sys.stderr.write(f"infra.database: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
