"""How Alembic runs the versions: on the connection it is given, one migrator at a time, all or nothing."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection, text

# Any constant will do; it is the name of the lock that keeps two migrators apart.
_LOCK_KEY = 7_431_002_184

connection: Connection = context.config.attributes["connection"]
context.configure(connection=connection, transactional_ddl=True)
with context.begin_transaction():
    connection.execute(text(f"select pg_advisory_xact_lock({_LOCK_KEY})"))
    context.run_migrations()
