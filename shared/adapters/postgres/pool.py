"""The app's connections to PostgreSQL: few, shared, opened by whoever needs one.

Nothing runs in the background, since a function app's process may be frozen between events: a connection is
made by the statement that needs it, so a refused one is told at once and the next statement tries anew.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any, LiteralString
from weakref import WeakKeyDictionary

import psycopg
from psycopg.rows import DictRow

from shared.adapters.postgres.connection import Door, OpenConnection
from shared.adapters.postgres.failures import store_error
from shared.domain.errors import StoreError, VoiceAgentError

_LOG = logging.getLogger(__name__)


class _Shelf:
    """One event loop's connections: those in use are counted, the others stand here, last used first."""

    def __init__(self, max_connections: int) -> None:
        self.slots = asyncio.Semaphore(max_connections)
        self.idle: deque[OpenConnection] = deque()


class PostgresPool:
    """At most `max_connections` per event loop, none before the first statement.

    `connect_timeout_s` bounds the wait for a free connection and, again, the making of a new one;
    `statement_timeout_s` each statement. `password` is asked for each new connection (see `EntraPassword`).
    """

    def __init__(
        self,
        dsn: str,
        *,
        max_connections: int = 8,
        connect_timeout_s: float = 5.0,
        statement_timeout_s: float = 5.0,
        max_idle_s: float = 180.0,
        max_age_s: float = 1800.0,
        password: Callable[[], Awaitable[str]] | None = None,
    ) -> None:
        try:
            self._door = Door(dsn, connect_timeout_s, statement_timeout_s, password)
        except psycopg.ProgrammingError:  # its message would repeat the DSN, password and all
            raise StoreError("database_address", "the database address is not a PostgreSQL DSN") from None
        self._max_connections = max_connections
        self._max_idle_s = max_idle_s
        self._max_age_s = max_age_s
        self._shelves: WeakKeyDictionary[asyncio.AbstractEventLoop, _Shelf] = WeakKeyDictionary()

    async def execute(
        self, statement: LiteralString, params: Mapping[str, Any] | None = None, *, repeatable: bool
    ) -> list[DictRow]:
        """Run one statement in a transaction of its own and give its rows.

        `repeatable` says that running it twice does no harm and gives the same answer: then it is run once
        more, on a new connection, if the pooled one turns out to be lost.
        Raises: StoreError. Constraint violations come as psycopg.IntegrityError, for the caller to name.
        """
        try:
            async with self._slot() as shelf:
                return await self._run(shelf, statement, params or {}, repeatable=repeatable)
        except (VoiceAgentError, psycopg.IntegrityError):
            raise
        except (psycopg.Error, TimeoutError, OSError, UnicodeError) as error:
            raise store_error(error) from error

    async def aclose(self) -> None:
        """Close the running event loop's idle connections; those in use are closed when given back."""
        shelf = self._shelves.pop(asyncio.get_running_loop(), None)
        while shelf is not None and shelf.idle:
            await shelf.idle.pop().close()

    @asynccontextmanager
    async def _slot(self) -> AsyncIterator[_Shelf]:
        loop = asyncio.get_running_loop()
        shelf = self._shelves.get(loop)
        if shelf is None:
            shelf = self._shelves[loop] = _Shelf(self._max_connections)
        async with asyncio.timeout(self._door.connect_timeout_s):
            await shelf.slots.acquire()
        try:
            yield shelf
        finally:
            shelf.slots.release()

    async def _run(
        self, shelf: _Shelf, statement: LiteralString, params: Mapping[str, Any], *, repeatable: bool
    ) -> list[DictRow]:
        pooled = await self._take(shelf)
        if pooled is not None:
            try:
                return await self._execute_on(pooled, shelf, statement, params)
            except psycopg.OperationalError:
                if not (repeatable and pooled.is_broken):
                    raise
                _LOG.info("database connection lost, trying once more on a new one")
        return await self._execute_on(await self._open(), shelf, statement, params)

    async def _open(self) -> OpenConnection:
        try:
            return await self._door.open()
        except (psycopg.Error, TimeoutError, OSError):
            raise
        except Exception as error:  # the password's source failed, in its own vendor's way
            if self._door.password is None:
                raise
            raise StoreError(
                "database_credential", f"no token for the database ({type(error).__name__})", retryable=True
            ) from error

    async def _take(self, shelf: _Shelf) -> OpenConnection | None:
        """The idle connection last used, if it is young and silent; the others are closed on the way."""
        now = monotonic()
        while shelf.idle:
            connection = shelf.idle.pop()
            idle_s, age_s = now - connection.used_at, now - connection.opened_at
            fresh = idle_s < self._max_idle_s and age_s < self._max_age_s
            if fresh and connection.is_reusable and not connection.has_news:
                return connection
            await connection.close()
        return None

    async def _execute_on(
        self, connection: OpenConnection, shelf: _Shelf, statement: LiteralString, params: Mapping[str, Any]
    ) -> list[DictRow]:
        try:
            return await connection.execute(statement, params)
        finally:
            if connection.is_reusable and self._shelves.get(asyncio.get_running_loop()) is shelf:
                shelf.idle.append(connection)
            else:
                await connection.close()
