"""What PostgreSQL's and the driver's errors mean to us."""

from __future__ import annotations

import psycopg
from psycopg import errors

from shared.domain.errors import StoreError


def store_error(error: Exception) -> StoreError:
    """The `StoreError` for an error of the driver; its message names no data and no address."""
    if isinstance(error, errors.QueryCanceled | TimeoutError):
        return StoreError("database_timeout", "the database did not answer in time", retryable=True)
    if isinstance(error, psycopg.IntegrityError | psycopg.DataError | UnicodeError):
        return StoreError("database_rejected", f"the database rejects this record ({_kind(error)})")
    if isinstance(error, psycopg.ProgrammingError | psycopg.NotSupportedError):
        return StoreError("database_schema", f"the database does not have what we ask for ({_kind(error)})")
    # The rest is of the moment: connection lost or refused, failover, deadlock, too many connections.
    return StoreError("database_unavailable", f"the database is not available ({_kind(error)})", retryable=True)


def _kind(error: Exception) -> str:
    """The class of the error and, where the server names it, the constraint: never values."""
    constraint = error.diag.constraint_name if isinstance(error, psycopg.Error) else None
    return f"{type(error).__name__}, {constraint}" if constraint else type(error).__name__
