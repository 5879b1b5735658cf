"""The HTTP/1.1 side of a connection, on real sockets with a handler of the test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from local_stack.functions_host.http_messages import RawRequest, encode
from local_stack.functions_host.http_protocol import ConnectionSet, HttpConnection

LIMIT = 100_000


class Recorder:
    """Answers every request with its method, path and body length; `hold` answers when told."""

    def __init__(self) -> None:
        self.requests: list[RawRequest] = []
        self.held: list[tuple[RawRequest, HttpConnection]] = []

    def handle(self, request: RawRequest, connection: HttpConnection) -> None:
        self.requests.append(request)
        if request.path == "/hold":
            self.held.append((request, connection))
        else:
            self.answer(request, connection)

    @staticmethod
    def answer(request: RawRequest, connection: HttpConnection) -> None:
        body = f"{request.method} {request.path} {len(request.body)}\n".encode()
        connection.answer(encode(200, (), body, head_only=connection.head_only, keep_alive=connection.keep_alive))


class Server:
    def __init__(self, recorder: Recorder, connections: ConnectionSet, port: int) -> None:
        self.recorder = recorder
        self.connections = connections
        self.port = port

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def exchange(self, data: bytes, *, lines: int = 1) -> bytes:
        """Send `data`, read until `lines` bodies came or the server closed."""
        reader, writer = await self.open()
        writer.write(data)
        received = b""
        async with asyncio.timeout(5):
            while received.count(b"\r\n\r\n") < lines or not received.endswith(b"\n"):
                chunk = await reader.read(65_536)
                if not chunk:
                    break
                received += chunk
        writer.close()
        return received


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    recorder, connections = Recorder(), ConnectionSet(LIMIT)
    listening = await asyncio.get_running_loop().create_server(
        lambda: HttpConnection(recorder, connections), "127.0.0.1", 0
    )
    yield Server(recorder, connections, listening.sockets[0].getsockname()[1])
    listening.close()
    connections.abort_all()


async def test_bodies_with_length_in_chunks_and_in_pieces(server: Server) -> None:
    whole = b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n\x00\x01\x02\xff\n"
    assert (await server.exchange(whole)).endswith(b"POST /a 5\n")
    chunked = b"POST /b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    assert (await server.exchange(chunked)).endswith(b"POST /b 5\n")
    assert [request.body for request in server.recorder.requests] == [b"\x00\x01\x02\xff\n", b"abcde"]
    reader, writer = await server.open()
    for byte in whole:
        writer.write(bytes([byte]))
        await writer.drain()
    assert b"200 OK" in await reader.readline()
    writer.close()


async def test_pipelined_requests_are_answered_in_order(server: Server) -> None:
    requests = b"".join(b"GET /%d HTTP/1.1\r\nHost: h\r\n\r\n" % n for n in range(40))
    received = await server.exchange(requests, lines=40)
    bodies = [line for line in received.split(b"\n") if line.startswith(b"GET")]
    assert bodies == [b"GET /%d 0" % n for n in range(40)]


async def test_a_later_request_waits_for_the_answer_to_the_one_before(server: Server) -> None:
    reader, writer = await server.open()
    writer.write(b"GET /hold HTTP/1.1\r\nHost: h\r\n\r\nGET /next HTTP/1.1\r\nHost: h\r\n\r\n")
    async with asyncio.timeout(5):
        while not server.recorder.held:
            await asyncio.sleep(0.005)
        assert len(server.recorder.requests) == 1
        server.recorder.answer(*server.recorder.held.pop())
        received = b""
        while b"/next" not in received:
            received += await reader.read(1000)
    assert received.index(b"/hold") < received.index(b"/next")
    writer.close()


async def test_head_has_a_length_but_no_body(server: Server) -> None:
    received = await server.exchange(b"HEAD /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
    assert b"Content-Length: 10\r\n" in received
    assert received.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
        b"GET /x HTTP/1.0\r\n\r\n",
    ],
)
async def test_the_connection_closes_when_asked(server: Server, request_bytes: bytes) -> None:
    reader, writer = await server.open()
    writer.write(request_bytes)
    async with asyncio.timeout(5):
        received = await reader.read()
    assert received.endswith(b"GET /x 0\n")
    assert b"Connection: close" in received
    writer.close()


async def test_a_websocket_upgrade_is_a_plain_request(server: Server) -> None:
    reader, writer = await server.open()
    writer.write(b"GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nframes")
    async with asyncio.timeout(5):
        received = await reader.read()
    assert received.startswith(b"HTTP/1.1 200")
    assert len(server.recorder.requests) == 1
    writer.close()


async def test_expect_continue(server: Server) -> None:
    reader, writer = await server.open()
    writer.write(b"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
    async with asyncio.timeout(5):
        assert await reader.readline() == b"HTTP/1.1 100 Continue\r\n"
        writer.write(b"ab")
        await reader.readline()
        assert b"200" in await reader.readline()
    writer.close()


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (b"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 100001\r\n\r\n", b"413"),
        (
            b"POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
            + b"10000\r\n"
            + b"x" * 65_536
            + b"\r\n10000\r\n"
            + b"x" * 65_536
            + b"\r\n0\r\n\r\n",
            b"413",
        ),
        (b"GET /x HTTP/1.1\r\nHost: h\r\nX-Long: " + b"x" * 40_000 + b"\r\n\r\n", b"431"),
    ],
)
async def test_what_breaks_a_limit_is_refused_and_closed(server: Server, request_bytes: bytes, status: bytes) -> None:
    received = await server.exchange(request_bytes, lines=2)
    assert received.startswith(b"HTTP/1.1 " + status)
    assert server.recorder.requests == []


async def test_a_body_at_the_limit_is_taken(server: Server) -> None:
    head = b"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % LIMIT
    assert (await server.exchange(head + b"x" * LIMIT)).endswith(b"POST /x 100000\n")


async def test_a_drain_closes_idle_connections_at_once_and_busy_ones_after_their_answer(server: Server) -> None:
    idle_reader, idle_writer = await server.open()
    reader, writer = await server.open()
    writer.write(b"GET /hold HTTP/1.1\r\nHost: h\r\n\r\n")
    async with asyncio.timeout(5):
        while not server.recorder.held:
            await asyncio.sleep(0.005)
        server.connections.begin_drain()
        assert await idle_reader.read() == b""
        server.recorder.answer(*server.recorder.held.pop())
        assert (await reader.read()).endswith(b"GET /hold 0\n")
    idle_writer.close()
    writer.close()


async def test_an_answer_to_a_client_that_left_goes_nowhere(server: Server) -> None:
    _, writer = await server.open()
    writer.write(b"GET /hold HTTP/1.1\r\nHost: h\r\n\r\n")
    async with asyncio.timeout(5):
        while not server.recorder.held:
            await asyncio.sleep(0.005)
        writer.transport.abort()
        server.recorder.answer(*server.recorder.held.pop())
        while server.connections._connections:
            await asyncio.sleep(0.005)
