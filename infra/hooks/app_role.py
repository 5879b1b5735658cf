"""Gives the app's identity a PostgreSQL role that reads and writes rows and can do nothing else."""

from __future__ import annotations

import os
import sys

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from infra.database.connection import SetupError, connect

# Arguments: role, object id, kind, is administrator, needs multi-factor sign-in.
# Source: https://learn.microsoft.com/azure/postgresql/flexible-server/how-to-manage-azure-ad-users
_CREATE = "SELECT * FROM pgaadauth_create_principal_with_oid(%s, %s, 'service', false, false)"
_GRANTS = (
    "GRANT CONNECT ON DATABASE {database} TO {role}",
    "GRANT USAGE ON SCHEMA public TO {role}",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
    "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role}",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {role}",
)


def create_role(address: str, role: str, object_id: str, *, auth: str) -> bool:
    """Create `role` for the identity `object_id` if it is not there; tell whether it was created.

    Azure's function for it exists in the database `postgres` only.
    """
    with connect(make_conninfo(address, dbname="postgres"), auth=auth, autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).fetchone():
            return False
        connection.execute(_CREATE, (role, object_id))
        return True


def grant_rows(address: str, role: str, *, auth: str) -> None:
    """Let `role` use the rows of all tables, those that later migrations make included."""
    with connect(address, auth=auth) as connection:
        names = {"database": sql.Identifier(connection.info.dbname), "role": sql.Identifier(role)}
        for grant in _GRANTS:
            connection.execute(sql.SQL(grant).format(**names))


def main() -> int:
    """Work on DATABASE_URL (DATABASE_AUTH, as the migrations do); 0 when done, 1 with one line when not."""
    missing = [
        name for name in ("DATABASE_URL", "DATABASE_APP_ROLE", "DATABASE_APP_OBJECT_ID") if not os.environ.get(name)
    ]
    if missing:
        sys.stderr.write(f"app_role: {', '.join(missing)} not set\n")
        return 1
    address, auth = os.environ["DATABASE_URL"], os.environ.get("DATABASE_AUTH", "password")
    role = os.environ["DATABASE_APP_ROLE"]
    try:
        created = create_role(address, role, os.environ["DATABASE_APP_OBJECT_ID"], auth=auth)
        grant_rows(address, role, auth=auth)
    except (SetupError, psycopg.Error) as problem:
        sys.stderr.write(f"app_role: {str(problem).strip().splitlines()[0]}\n")
        return 1
    sys.stdout.write(f"the role {role} {'was created' if created else 'is there'} and may use the rows\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
