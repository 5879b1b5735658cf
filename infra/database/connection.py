"""The migrator's way to the database: `DATABASE_URL`, with a password or with an Entra token."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

CONNECT_TIMEOUT_S = 10
STATEMENT_TIMEOUT_MS = 60_000
_ENTRA_SCOPE = "https://ossrdbms-aad.database.windows.net/.default"


class SetupError(Exception):
    """What is asked for cannot be done; the message is one line for the person at the console."""


def connect(database_url: str, *, auth: str = "password", autocommit: bool = False) -> psycopg.Connection[Any]:
    """Open a connection; `auth` is `password` (what the URL says) or `entra` (a token of this identity).

    Raises: SetupError where the settings are wrong or the server does not let us in.
    """
    if auth not in ("password", "entra"):
        raise SetupError(f"DATABASE_AUTH must be password or entra, not {auth!r}")
    try:
        params: dict[str, Any] = dict(conninfo_to_dict(database_url))
    except psycopg.ProgrammingError as error:
        raise SetupError(f"DATABASE_URL is not a PostgreSQL address: {_first_line(error)}") from error
    if auth == "entra":
        params["password"] = _entra_token()
        params.setdefault("sslmode", "require")
    params.setdefault("connect_timeout", CONNECT_TIMEOUT_S)
    params.setdefault("application_name", "voice-agent-migrations")
    try:
        connection = psycopg.connect(**params, autocommit=autocommit)
        with connection.transaction():
            connection.execute("select set_config('statement_timeout', %s, false)", [str(STATEMENT_TIMEOUT_MS)])
    except psycopg.Error as error:
        raise SetupError(f"the database cannot be reached: {_first_line(error)}") from error
    return connection


def _entra_token() -> str:
    """An access token for Azure Database for PostgreSQL.

    Source: https://learn.microsoft.com/azure/postgresql/flexible-server/security-entra-configure
    """
    from azure.core.exceptions import AzureError  # noqa: PLC0415  slow to import, and rarely needed
    from azure.identity import DefaultAzureCredential  # noqa: PLC0415

    try:
        with DefaultAzureCredential() as credential:
            return credential.get_token(_ENTRA_SCOPE).token
    except AzureError as error:
        raise SetupError(f"no Entra token for the database: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
