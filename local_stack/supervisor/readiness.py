"""Asks a part, in its own protocol, whether it works."""

from __future__ import annotations

import asyncio
import struct

from local_stack.supervisor.part import ReadyCheck

_ATTEMPT_SECONDS = 2.0
_PAUSE_SECONDS = 0.04
_POSTGRES_PROTOCOL = 3 << 16


async def wait_until_ready(checks: tuple[ReadyCheck, ...]) -> None:
    """Return when every check has succeeded once; the caller sets the deadline."""
    for check in checks:
        while not await is_ready(check):  # noqa: ASYNC110 - the event is in another process
            await asyncio.sleep(_PAUSE_SECONDS)


async def is_ready(check: ReadyCheck) -> bool:
    """Tell whether the part behind the check works now."""
    ask = {"http": _ask_http, "postgres": _ask_postgres, "redis": _ask_redis, "tcp": _ask_tcp}[check.kind]
    try:
        async with asyncio.timeout(_ATTEMPT_SECONDS):
            reader, writer = await asyncio.open_connection("127.0.0.1", check.port)
            try:
                return await ask(check, reader, writer)
            finally:
                writer.close()
    except (OSError, TimeoutError, asyncio.IncompleteReadError):
        return False


async def _ask_http(check: ReadyCheck, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    head = f"GET {check.path} HTTP/1.1\r\nHost: localhost:{check.port}\r\nConnection: close\r\n\r\n"
    writer.write(head.encode("ascii"))
    status_line = await reader.readline()
    return status_line.split(b" ")[1:2] == [b"200"]


async def _ask_redis(_check: ReadyCheck, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    writer.write(b"PING\r\n")
    return await reader.readline() == b"+PONG\r\n"


async def _ask_postgres(_check: ReadyCheck, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    # While it recovers the server refuses the start-up message ("E"); when it works it answers "R".
    # Source: https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-START-UP
    names = b"user\0voice\0database\0voice\0\0"
    writer.write(struct.pack("!ii", 8 + len(names), _POSTGRES_PROTOCOL) + names)
    answer = await reader.readexactly(1)
    writer.write(b"X\0\0\0\4")
    return answer == b"R"


async def _ask_tcp(_check: ReadyCheck, _reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> bool:
    return True
