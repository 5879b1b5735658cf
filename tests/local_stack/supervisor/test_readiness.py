"""A part is ready when it answers in its own protocol, not when its port is open."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from local_stack.supervisor.part import ReadyCheck
from local_stack.supervisor.readiness import is_ready
from tests.local_stack.running_part import free_ports


@asynccontextmanager
async def _answering(reply: bytes, wants: bytes) -> AsyncIterator[int]:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(wants)
        writer.write(reply)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(handle, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize(
    ("kind", "wants", "reply", "ready"),
    [
        ("http", b"\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n", True),
        ("http", b"\r\n\r\n", b"HTTP/1.1 503 Not Yet\r\n\r\n", False),
        ("http", b"\r\n\r\n", b"", False),
        ("redis", b"\r\n", b"+PONG\r\n", True),
        ("redis", b"\r\n", b"-LOADING Redis is loading the dataset in memory\r\n", False),
        ("postgres", b"voice\0\0", b"R\0\0\0\x08\0\0\0\0", True),
        ("postgres", b"voice\0\0", b"E\0\0\0\x08\0\0\0\0", False),
        ("postgres", b"voice\0\0", b"", False),
    ],
)
async def test_only_the_right_answer_counts(kind: str, wants: bytes, reply: bytes, ready: bool) -> None:
    async with _answering(reply, wants) as port:
        assert await is_ready(ReadyCheck(kind, port)) is ready  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["http", "redis", "postgres", "tcp"])
async def test_where_nobody_listens_nothing_is_ready(kind: str) -> None:
    [port] = free_ports(1)
    assert not await is_ready(ReadyCheck(kind, port))  # type: ignore[arg-type]
