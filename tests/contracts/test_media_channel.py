"""What every way back to the caller does, over a real Web PubSub endpoint and a real socket, and how it fails."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from local_stack.web_pubsub.configuration import parse_configuration
from local_stack.web_pubsub.defaults import LOCAL_ACCESS_KEY, connection_string, default_config
from local_stack.web_pubsub.server import Server
from shared.adapters.twilio.media_channel import TwilioMediaChannel
from shared.adapters.web.media import WebMediaChannel
from shared.adapters.web_pubsub.service import WebPubSubConnection, WebPubSubService
from shared.domain.audio import decode_mulaw
from shared.domain.errors import MediaError
from shared.ports.media_channel import MediaChannel
from tests.contracts.speech_service import stub_service
from tests.contracts.tcp_proxy import tcp_proxy
from tests.fakes.call import voice
from tests.fakes.clock import FakeClock
from tests.fakes.telephony import FakeMediaChannel
from tests.services import free_port

_DEADLINE_S = 5.0


@dataclass
class Line:
    """A client on its socket, and the channel that reaches it."""

    channel: MediaChannel
    socket: aiohttp.ClientWebSocketResponse
    port: int
    connection_id: str

    async def received(self) -> Any:
        """The next message, unwrapped."""
        async with asyncio.timeout(_DEADLINE_S):
            message = json.loads((await self.socket.receive()).data)
        return message["data"] if message.get("type") == "message" else message

    async def closed(self) -> None:
        async with asyncio.timeout(_DEADLINE_S):
            while not self.socket.closed:
                await self.socket.receive()


def service_on(port: int, hub: str = "clients", **options: float) -> WebPubSubService:
    return WebPubSubService(hub, connection_string=connection_string(port), **options)


@asynccontextmanager
async def endpoint() -> AsyncIterator[int]:
    config = default_config()
    for hub in config["hubs"].values():
        hub["eventHandlers"] = []
    server = Server(parse_configuration(config))
    port = await server.start("127.0.0.1", 0)
    yield port
    await server.stop()


@asynccontextmanager
async def web_line(port: int) -> AsyncIterator[Line]:
    service = service_on(port)
    url = await service.client_url("call-1", minutes=5)
    protocols = ["json.webpubsub.azure.v1"]
    async with aiohttp.ClientSession() as http, http.ws_connect(url, protocols=protocols) as socket:
        connected = json.loads((await socket.receive()).data)
        assert connected["userId"] == "call-1"
        connection = WebPubSubConnection(service, connected["connectionId"])
        yield Line(WebMediaChannel(connection), socket, port, connected["connectionId"])
    await service.aclose()


@asynccontextmanager
async def twilio_line(port: int) -> AsyncIterator[Line]:
    """A plain socket, as a carrier's; what lets it in is not the channel's affair."""
    service = service_on(port, "carriers")
    url = await service.client_url("twilio", minutes=5)
    listing = f"http://localhost:{port}/_local/connections?hub=carriers"
    async with aiohttp.ClientSession() as http, http.ws_connect(url) as socket:
        async with http.get(listing, headers={"X-Access-Key": LOCAL_ACCESS_KEY}) as answer:
            (known,) = (await answer.json())["connections"]
        connection = WebPubSubConnection(service, known["connectionId"])
        yield Line(TwilioMediaChannel(connection, "MZ1"), socket, port, known["connectionId"])
    await service.aclose()


LINES = {"web": web_line, "twilio": twilio_line}


@pytest.fixture(params=list(LINES))
async def line(request: pytest.FixtureRequest) -> AsyncIterator[Line]:
    async with endpoint() as port, LINES[request.param](port) as line:
        yield line


def is_web(line: Line) -> bool:
    return isinstance(line.channel, WebMediaChannel)


async def test_sound_and_its_mark_arrive(line: Line) -> None:
    await line.channel.play(voice(200), "1-2-3")
    if is_web(line):
        message = await line.received()
        assert (message["type"], message["mark"]) == ("audio", "1-2-3")
        assert base64.b64decode(message["payload"]) == voice(200)
        return
    media, mark = await line.received(), await line.received()
    assert (media["event"], media["streamSid"]) == ("media", "MZ1")
    assert len(decode_mulaw(base64.b64decode(media["media"]["payload"]))) / 8 == pytest.approx(200, abs=2)
    assert mark == {"event": "mark", "streamSid": "MZ1", "mark": {"name": "1-2-3"}}


async def test_a_piece_without_a_mark_is_one_message(line: Line) -> None:
    await line.channel.play(voice(20), None)
    await line.channel.clear()
    first, second = await line.received(), await line.received()
    if is_web(line):
        assert (first["type"], "mark" in first, second["type"]) == ("audio", False, "clear")
    else:
        assert (first["event"], second["event"]) == ("media", "clear")


async def test_everything_arrives_in_order(line: Line) -> None:
    for number in range(5):
        await line.channel.play(voice(20), str(number))
    await line.channel.clear()
    messages = [await line.received() for _ in range(6 if is_web(line) else 11)]
    if is_web(line):
        assert [message.get("mark") for message in messages] == ["0", "1", "2", "3", "4", None]
        assert messages[-1] == {"type": "clear"}
    else:
        marks = [message["mark"]["name"] for message in messages if message["event"] == "mark"]
        assert marks == ["0", "1", "2", "3", "4"]
        assert messages[-1] == {"event": "clear", "streamSid": "MZ1"}


async def test_only_screens_are_shown_something(line: Line) -> None:
    await line.channel.show({"type": "said", "turn": 1, "text": "Grüße, नमस्ते"})
    await line.channel.clear()
    first = await line.received()
    if is_web(line):
        assert first == {"type": "said", "turn": 1, "text": "Grüße, नमस्ते"}
    else:
        assert first["event"] == "clear"


async def test_hanging_up_closes_the_socket_and_again_is_no_error(line: Line) -> None:
    await line.channel.hang_up("operator_hung_up")
    await line.closed()
    await line.channel.hang_up("operator_hung_up")


async def test_a_line_that_is_gone_is_gone_for_good(line: Line) -> None:
    await line.socket.close()
    codes = set()
    async with asyncio.timeout(_DEADLINE_S):
        while not codes:
            try:
                await line.channel.play(voice(20), "1")
            except MediaError as error:
                codes.add((error.code, error.retryable))
            await asyncio.sleep(0.02)
    assert codes == {("connection_gone", False)}


async def test_pieces_of_many_connections_go_to_their_own() -> None:
    async with endpoint() as port, web_line(port) as one, web_line(port) as other:
        await asyncio.gather(one.channel.play(voice(20), "one"), other.channel.play(voice(20), "other"))
        assert (await one.received())["mark"] == "one"
        assert (await other.received())["mark"] == "other"


async def test_a_service_that_is_not_there_may_come_back() -> None:
    service = service_on(free_port())
    began = time.monotonic()
    with pytest.raises(MediaError) as error:
        await WebMediaChannel(WebPubSubConnection(service, "conn")).play(voice(20), "1")
    assert (error.value.code, error.value.retryable) == ("web_pubsub_unavailable", True)
    with pytest.raises(MediaError, match="web_pubsub_unavailable"):
        await service.ping()
    assert time.monotonic() - began < 5.0
    await service.aclose()


async def test_a_wrong_key_is_refused_for_good() -> None:
    async with endpoint() as port:
        wrong = connection_string(port, "d3JvbmcgbG9jYWwga2V5IHdyb25nIGxvY2FsIGtleQ==")
        service = WebPubSubService("clients", connection_string=wrong)
        with pytest.raises(MediaError) as error:
            await service.ping()
        assert (error.value.code, error.value.retryable) == ("web_pubsub_refused", False)
        await service.aclose()


async def test_a_service_that_is_there_is_ready() -> None:
    async with endpoint() as port:
        service = service_on(port)
        await service.ping()
        await service.aclose()


async def test_a_service_that_is_silent_costs_the_deadline_and_no_more() -> None:
    async with endpoint() as port, tcp_proxy(port) as proxy:
        service = service_on(proxy.port, read_timeout_s=0.3)
        await service.ping()
        proxy.freeze()
        began = time.monotonic()
        with pytest.raises(MediaError) as error:
            await service.send("conn", b"x", "text/plain")
        assert error.value.retryable
        assert time.monotonic() - began < 2.0
        proxy.thaw()
        await service.aclose()


@pytest.mark.parametrize(("status", "tries", "retryable"), [(503, 1, True), (429, 1, True), (400, 1, False)])
async def test_a_piece_is_sent_again_only_if_it_was_not_taken(status: int, tries: int, retryable: bool) -> None:
    asked: list[str] = []

    async def refusing(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(status=status)

    async with stub_service(refusing) as stub:
        service = service_on(int(stub.url.rsplit(":", 1)[1]))
        with pytest.raises(MediaError) as error:
            await service.send("conn", b"x", "text/plain")
        assert (error.value.code, error.value.retryable) == ("web_pubsub_refused", retryable)
        assert len(asked) == tries
        await service.aclose()


async def test_a_fake_plays_by_the_clock_and_fails_as_told() -> None:
    channel = FakeMediaChannel(FakeClock())
    channel.errors = [None, MediaError("connection_gone", "gone")]
    await channel.play(voice(40), "1")
    with pytest.raises(MediaError):
        await channel.play(voice(40), "2")
    assert len(channel.heard()) < len(voice(40))
    await asyncio.sleep(0.06)
    assert channel.heard() == voice(40)
    assert [piece.mark for piece in channel.played] == ["1"]
