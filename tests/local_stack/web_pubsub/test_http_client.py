"""The client keeps every request to its own deadline, though its sockets and their timers outlive requests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from local_stack.web_pubsub.http_client import HttpClient, Target, TimedOut

_REQUEST = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"
_ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"
_SOON_S = 0.15


class Handler:
    """Answers each request after `delay_s`."""

    def __init__(self) -> None:
        self.delay_s = 0.0
        self.connections = 0
        self.target = Target(False, "127.0.0.1", 0, "/")

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                await asyncio.sleep(self.delay_s)
                writer.write(_ANSWER)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@pytest.fixture
async def handler() -> AsyncIterator[Handler]:
    handler = Handler()
    server = await asyncio.start_server(handler.serve, "127.0.0.1", 0)
    handler.target = Target(False, "127.0.0.1", server.sockets[0].getsockname()[1], "/")
    async with server:
        yield handler


@pytest.fixture
async def client() -> AsyncIterator[HttpClient]:
    client = HttpClient(max_sockets=4, max_response_bytes=1000)
    yield client
    client.close()


async def _ask(client: HttpClient, handler: Handler, within_s: float) -> int:
    deadline = asyncio.get_running_loop().time() + within_s
    return (await client.request(handler.target, _REQUEST, deadline)).status


async def test_a_deadline_may_come_before_that_of_the_request_before(handler: Handler, client: HttpClient) -> None:
    assert await _ask(client, handler, 60) == 204
    handler.delay_s = 5
    async with asyncio.timeout(2):
        with pytest.raises(TimedOut):
            await _ask(client, handler, _SOON_S)
    assert handler.connections == 1


async def test_the_deadline_of_the_request_before_ends_nothing(handler: Handler, client: HttpClient) -> None:
    assert await _ask(client, handler, _SOON_S) == 204
    handler.delay_s = 2 * _SOON_S
    assert await _ask(client, handler, 60) == 204
    assert handler.connections == 1


async def test_a_deadline_holds_after_an_idle_while(handler: Handler, client: HttpClient) -> None:
    assert await _ask(client, handler, 0.5) == 204
    await asyncio.sleep(0.55)  # the timer has come and gone with nothing to wait for
    handler.delay_s = 5
    async with asyncio.timeout(2):
        with pytest.raises(TimedOut):
            await _ask(client, handler, _SOON_S)
    handler.delay_s = 0
    assert await _ask(client, handler, 60) == 204
    assert handler.connections == 2
