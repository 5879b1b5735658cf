"""Keep-alive pings, and clients that vanish without a word."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from aiohttp import web

from tests.local_stack.web_pubsub.conftest import Stack, until
from tests.local_stack.web_pubsub.webhook import Received

pytestmark = pytest.mark.parametrize("limits", [{"keepAliveIntervalSeconds": 0.1, "recoveryWindowSeconds": 0.1}])


async def test_silent_client_is_pinged_and_stays(stack: Stack) -> None:
    socket = await stack.connect()
    socket._autoping = False
    for _ in range(3):
        ping = await socket.receive(timeout=5)
        assert ping.type is aiohttp.WSMsgType.PING
        await socket.pong(ping.data)
    await asyncio.sleep(0.15)
    assert (await stack.open_connections())["count"] == 1


@pytest.mark.parametrize("protocol", ["", "json.webpubsub.azure.v1", "json.reliable.webpubsub.azure.v1"])
async def test_vanished_client_is_given_up_and_the_handler_told(stack: Stack, protocol: str) -> None:
    socket = await stack.connect("clients", *([protocol] if protocol else []))
    await stack.webhook.wait_for("connected")
    socket._autoping = False  # the TCP connection stays open, but nobody answers
    (event,) = await stack.webhook.wait_for("disconnected")
    assert event.json() == {"reason": "The client did not answer keep-alive pings."}
    assert (await stack.open_connections())["count"] == 0


async def test_client_whose_frame_is_being_handled_for_long_is_not_given_up(stack: Stack) -> None:
    async def slow(_: Received) -> web.Response:
        await asyncio.sleep(0.5)
        return web.Response(text="done")

    stack.webhook.answers["message"] = slow
    socket = await stack.connect()
    await socket.send_str("x")
    assert (await socket.receive(timeout=5)).data == "done"


async def test_ping_of_a_client_is_answered(stack: Stack) -> None:
    socket = await stack.connect()
    socket._autoping = False
    await socket.ping(b"there?")
    while (message := await socket.receive(timeout=5)).type is aiohttp.WSMsgType.PING:
        await socket.pong()
    assert (message.type, message.data) == (aiohttp.WSMsgType.PONG, b"there?")
    await socket.close()
    await until(lambda: len(stack.server.endpoint.registry) == 0)
