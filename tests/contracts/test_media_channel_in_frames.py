"""The way back to a caller in frames of 20 ms: many messages in one go, in order, none of them twice."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from local_stack.web_pubsub.defaults import LOCAL_ACCESS_KEY
from shared.adapters.vonage.media_channel import VonageMediaChannel
from shared.adapters.vonage.media_codec import FRAME_BYTES
from shared.adapters.web_pubsub.service import WebPubSubConnection
from shared.domain.errors import MediaError
from shared.ports.connection import BINARY, TEXT
from tests.contracts.speech_service import stub_service
from tests.contracts.tcp_proxy import tcp_proxy
from tests.contracts.test_media_channel import Line, endpoint, service_on
from tests.fakes.call import voice
from tests.services import free_port

CLEAR = {"action": "clear"}


@asynccontextmanager
async def vonage_line(port: int) -> AsyncIterator[Line]:
    service = service_on(port, "vonage")
    token = await service.client_token("call-1", minutes=2)
    url, headers = f"ws://localhost:{port}/client/hubs/vonage", {"Authorization": f"Bearer {token}"}
    listing = f"http://localhost:{port}/_local/connections?hub=vonage"
    async with aiohttp.ClientSession() as http, http.ws_connect(url, headers=headers) as socket:
        async with http.get(listing, headers={"X-Access-Key": LOCAL_ACCESS_KEY}) as answer:
            (known,) = (await answer.json())["connections"]
        assert known["userId"] == "call-1"
        connection = WebPubSubConnection(service, known["connectionId"])
        yield Line(VonageMediaChannel(connection), socket, port, known["connectionId"])
    await service.aclose()


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    async with endpoint() as port, vonage_line(port) as line:
        yield line


async def got(line: Line, count: int) -> list[Any]:
    """The next messages; text read as JSON."""
    found: list[Any] = []
    async with asyncio.timeout(5):
        while len(found) < count:
            message = await line.socket.receive()
            assert message.type in (aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.TEXT)
            found.append(message.data if message.type is aiohttp.WSMsgType.BINARY else json.loads(message.data))
    return found


def notice(mark: str) -> dict[str, Any]:
    return {"action": "notify", "payload": {"mark": mark}}


async def test_a_piece_comes_in_frames_and_its_mark_behind_them(line: Line) -> None:
    pcm = voice(410)
    await line.channel.play(pcm, "1-2")
    *frames, last = await got(line, 22)
    assert {len(frame) for frame in frames} == {FRAME_BYTES}
    assert b"".join(frames) == pcm + bytes(FRAME_BYTES // 2)
    assert last == notice("1-2")


async def test_what_fills_no_frame_waits_for_the_next_piece(line: Line) -> None:
    pcm = voice(50)
    await line.channel.play(pcm[:960], None)
    await line.channel.play(pcm[960:], "1-1")
    *frames, last = await got(line, 4)
    assert b"".join(frames) == pcm + bytes(320)
    assert last == notice("1-1")


async def test_what_was_kept_back_is_thrown_away_with_the_rest(line: Line) -> None:
    await line.channel.play(voice(10), None)
    await line.channel.clear()
    await line.channel.play(b"\1" * FRAME_BYTES, None)
    assert await got(line, 2) == [CLEAR, b"\1" * FRAME_BYTES]


async def test_everything_arrives_in_order(line: Line) -> None:
    for number in range(40):
        await line.channel.play(bytes([number]) * 10 * FRAME_BYTES, str(number) if number % 4 == 0 else None)
    await line.channel.clear()
    messages = await got(line, 411)
    frames = [message[0] for message in messages if isinstance(message, bytes)]
    assert frames == sorted(frames)
    assert [message for message in messages if not isinstance(message, bytes)][-1] == CLEAR


async def test_a_telephone_is_shown_nothing_and_is_hung_up(line: Line) -> None:
    await line.channel.show({"type": "said"})
    await line.channel.hang_up("over")
    await line.closed()
    await line.channel.hang_up("over")


async def test_a_line_that_is_gone_is_gone_for_good(line: Line) -> None:
    await line.socket.close()
    codes = set()
    async with asyncio.timeout(5):
        while not codes:
            try:
                await line.channel.play(voice(20), "1")
            except MediaError as error:
                codes.add((error.code, error.retryable))
            await asyncio.sleep(0.02)
    assert codes == {("connection_gone", False)}


async def test_calls_do_not_wait_for_each_other_nor_mix() -> None:
    async with endpoint() as port, vonage_line(port) as one:
        service = service_on(port, "vonage")
        connection = WebPubSubConnection(service, one.connection_id)
        await asyncio.gather(*(connection.send_all([(bytes([n]) * 640, BINARY)] * 5) for n in range(8)))
        frames = [frame[0] for frame in await got(one, 40)]
        assert sorted(frames) == [n for n in range(8) for _ in range(5)]
        await service.aclose()


Respond = Callable[[int], bytes]
ACCEPTED = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"


@asynccontextmanager
async def raw_service(respond: Respond) -> AsyncIterator[tuple[int, list[int], list[bytes]]]:
    """Answers the nth request (from 0) with `respond(n)`, whatever it is; b"" cuts the connection. Gives its port,
    how many requests each connection brought, and the bodies that were answered.
    """
    counts: list[int] = []
    bodies: list[bytes] = []
    total = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal total
        counts.append(0)
        place = len(counts) - 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                size = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                body = await reader.readexactly(size)
                answer, total = respond(total), total + 1
                counts[place] += 1
                if not answer:
                    writer.transport.abort()
                    return
                bodies.append(body)
                writer.write(answer)
                await writer.drain()
                if b"close" in answer.lower():
                    writer.close()
                    return
        except (asyncio.IncompleteReadError, OSError):
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1], counts, bodies
    server.close()


FRAMES = [(bytes([n]) * 8, BINARY) for n in range(10)]


async def test_a_batch_goes_over_one_connection_which_is_kept() -> None:
    async with raw_service(lambda _: ACCEPTED) as (port, counts, bodies):
        service = service_on(port)
        await service.send_all("conn", FRAMES)
        await service.send_all("conn", FRAMES)
        assert counts == [20]
        assert bodies == [body for body, _ in FRAMES] * 2
        await service.aclose()


async def test_what_the_service_did_not_look_at_before_it_closed_goes_out_on_another_connection() -> None:
    closing = b"HTTP/1.1 202 Accepted\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    async with raw_service(lambda n: closing if n == 3 else ACCEPTED) as (port, counts, bodies):
        service = service_on(port)
        await service.send_all("conn", FRAMES)
        assert bodies == [body for body, _ in FRAMES]
        assert counts == [4, 6]
        await service.aclose()


async def test_what_may_have_been_taken_is_not_sent_again() -> None:
    async with raw_service(lambda n: b"" if n == 4 else ACCEPTED) as (port, counts, bodies):
        service = service_on(port)
        with pytest.raises(MediaError) as error:
            await service.send_all("conn", FRAMES)
        assert error.value.retryable
        assert (counts, len(bodies)) == ([5], 4)
        await service.aclose()


@pytest.mark.parametrize(
    "accepted",
    [
        b"HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nokay\r\n0\r\n\r\n",
        b"HTTP/1.1 202 Accepted\r\ncontent-length: 4\r\nDate: now\r\n\r\nokay",
        b"HTTP/1.1 202 \r\nContent-Length:0\r\n\r\n",
    ],
)
async def test_answers_may_have_bodies(accepted: bytes) -> None:
    async with raw_service(lambda _: accepted) as (port, counts, bodies):
        service = service_on(port)
        await service.send_all("conn", FRAMES)
        await service.send_all("conn", FRAMES)
        assert (counts, len(bodies)) == ([20], 20)
        await service.aclose()


@pytest.mark.parametrize(
    "answer",
    [
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 202 OK\r\nContent-Length: x\r\n\r\n",
        b"HTTP/1.1 202 OK\r\nContent-Length: 99999999\r\n\r\n",
        b"HTTP/1.1 202 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 202 OK\r\nX: " + b"x" * 40_000 + b"\r\n\r\n",
    ],
    ids=lambda answer: str(answer[:40]),
)
async def test_an_answer_that_is_none_is_told(answer: bytes) -> None:
    async with raw_service(lambda _: answer) as (port, _, _bodies):
        service = service_on(port)
        with pytest.raises(MediaError) as error:
            await service.send_all("conn", FRAMES[:1])
        assert error.value.code == "web_pubsub_unavailable"
        await service.aclose()


@pytest.mark.parametrize(("status", "code", "retryable"), [
    (404, "connection_gone", False), (503, "web_pubsub_refused", True),
    (429, "web_pubsub_refused", True), (401, "web_pubsub_refused", False),
])  # fmt: skip
async def test_a_refusal_in_the_midst_is_told(status: int, code: str, retryable: bool) -> None:
    refusal = b"HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n" % status
    async with raw_service(lambda n: refusal if n == 2 else ACCEPTED) as (port, _, _bodies):
        service = service_on(port)
        with pytest.raises(MediaError) as error:
            await service.send_all("conn", FRAMES)
        assert (error.value.code, error.value.retryable) == (code, retryable)
        await service.aclose()


async def test_a_silent_service_costs_the_deadline_and_its_connection() -> None:
    async with endpoint() as port, tcp_proxy(port) as proxy:
        service = service_on(proxy.port, read_timeout_s=0.3)
        with pytest.raises(MediaError):
            await service.send_all("conn", FRAMES)
        proxy.freeze()
        with pytest.raises(MediaError) as error:
            await service.send_all("conn", FRAMES)
        assert error.value.retryable
        connections = proxy.connections
        proxy.thaw()
        with pytest.raises(MediaError, match="connection_gone"):
            await service.send_all("conn", FRAMES)
        assert proxy.connections == connections + 1
        await service.aclose()


async def test_a_service_that_is_not_there_is_told() -> None:
    service = service_on(free_port())
    with pytest.raises(MediaError) as error:
        await service.send_all("conn", FRAMES)
    assert error.value.retryable
    await service.aclose()


async def test_the_requests_are_those_of_single_messages() -> None:
    asked: list[tuple[str, str, dict[str, str], bytes]] = []

    async def answer(request: web.Request) -> web.Response:
        wanted = ("Host", "Authorization", "Content-Type", "Content-Length")
        headers = {name: request.headers[name] for name in wanted}
        asked.append((request.method, request.path_qs, headers, await request.read()))
        return web.Response(status=202)

    async with stub_service(answer) as stub:
        service = service_on(int(stub.url.rsplit(":", 1)[1]))
        await service.send("a b/ö", b"one", TEXT)
        await service.send_all("a b/ö", [(b"one", TEXT)])
        await service.aclose()
    assert asked[0] == asked[1]


async def test_a_server_that_has_waited_for_too_long() -> None:
    """It may say so before it closes the connection: that is no answer to what is sent then."""
    taken: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(2):
            head = await reader.readuntil(b"\r\n\r\n")
            size = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
            taken.append(await reader.readexactly(size))
            writer.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
        writer.write(b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    service = service_on(server.sockets[0].getsockname()[1], "vonage")
    try:
        for number in range(3):
            await service.send_all("connection-1", [(b"%d-1" % number, BINARY), (b"%d-2" % number, BINARY)])
            await asyncio.sleep(0.05)
    finally:
        await service.aclose()
        server.close()
    assert taken == [b"0-1", b"0-2", b"1-1", b"1-2", b"2-1", b"2-2"]
