"""One connection to PostgreSQL that can be trusted to answer or fail within its deadlines."""

from __future__ import annotations

import asyncio
import os
import select
import socket
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, LiteralString

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import TransactionStatus
from psycopg.rows import DictRow, dict_row

# The server gives a statement up on its own first; this much later the client waits no longer to be told.
_GRACE_S = 0.5
# Azure's network drops idle connections silently after 4 minutes; a dead peer is noticed in 30 s.
_TCP: Mapping[str, int] = {
    "keepalives": 1,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}


@dataclass(frozen=True, slots=True)
class Door:
    """Where the database is and how one gets in.

    `dsn` is a libpq URL or keyword string. `password`, where given, is asked for each new connection (an
    Entra token), and then TLS is required unless the DSN says otherwise.
    """

    dsn: str
    connect_timeout_s: float
    statement_timeout_s: float
    password: Callable[[], Awaitable[str]] | None = None
    params: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        params: dict[str, Any] = dict(conninfo_to_dict(self.dsn))
        if self.password is not None:
            params.setdefault("sslmode", "require")
        params.setdefault("application_name", "voice-agent")
        object.__setattr__(self, "params", {**_TCP, **params})

    async def open(self) -> OpenConnection:
        """A new connection, ready for statements.

        Raises: psycopg.Error, TimeoutError, or what `password` raises.
        """
        async with asyncio.timeout(self.connect_timeout_s):
            params = dict(self.params)
            if self.password is not None:
                params["password"] = await self.password()
            raw = await psycopg.AsyncConnection.connect(**params, autocommit=True, row_factory=dict_row)
        connection = OpenConnection(raw, self.statement_timeout_s)
        try:
            await connection.execute(
                "select set_config('timezone', 'UTC', false), set_config('statement_timeout', %(ms)s, false)",
                {"ms": str(round(self.statement_timeout_s * 1000))},
            )
        except BaseException:
            await raw.close()
            raise
        return connection


class OpenConnection:
    """A connection in autocommit: a statement is a transaction."""

    def __init__(self, raw: psycopg.AsyncConnection[DictRow], statement_timeout_s: float) -> None:
        self._raw = raw
        self._patience_s = statement_timeout_s + _GRACE_S
        self.opened_at = self.used_at = monotonic()

    async def execute(self, statement: LiteralString, params: Mapping[str, Any]) -> list[DictRow]:
        """The statement's rows (none where it returns none). Raises: psycopg.Error, TimeoutError."""
        severed = False

        def sever() -> None:
            nonlocal severed
            severed = True
            self._cut()

        timer = asyncio.get_running_loop().call_later(self._patience_s, sever)
        try:
            cursor = await self._raw.execute(statement, params)
            rows = await cursor.fetchall() if cursor.description else []
        except psycopg.Error as error:
            if severed:
                raise TimeoutError("the database did not answer in time") from error
            raise
        finally:
            timer.cancel()
        self.used_at = monotonic()
        return rows

    @property
    def is_broken(self) -> bool:
        return self._raw.closed or self._raw.broken

    @property
    def is_reusable(self) -> bool:
        return not self.is_broken and self._raw.info.transaction_status is TransactionStatus.IDLE

    @property
    def has_news(self) -> bool:
        """Whether the server said something on an idle connection: good-bye, as a rule. No round trip."""
        poll = select.poll()
        poll.register(self._raw.fileno(), select.POLLIN)
        return bool(poll.poll(0))

    async def close(self) -> None:
        await self._raw.close()

    def _cut(self) -> None:
        """Shut the socket down under a waiting statement, which then fails at once.

        A cancelled statement would be waited for (psycopg asks the server to end it), which takes long when
        it is the server that does not answer. The descriptor stays open: its number must not be given away.
        """
        if self._raw.closed:
            return
        with socket.socket(fileno=os.dup(self._raw.fileno())) as duplicate:
            try:
                duplicate.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # the peer was faster
