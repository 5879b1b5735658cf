"""Clients without a Web PubSub subprotocol: every frame is a `message` event."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import aiohttp
import pytest
from aiohttp import web

from tests.local_stack.web_pubsub.conftest import Stack, until
from tests.local_stack.web_pubsub.webhook import Received


async def echo(event: Received) -> web.Response:
    return web.Response(body=event.body, content_type=event.headers["content-type"])


async def test_text_frame_becomes_an_event_and_the_answer_a_text_frame(stack: Stack) -> None:
    stack.webhook.answers["message"] = echo
    socket = await stack.connect(user_id="anna")
    await socket.send_str("grüß dich")
    answer = await socket.receive(timeout=5)
    assert (answer.type, answer.data) == (aiohttp.WSMsgType.TEXT, "grüß dich")
    (event,) = stack.webhook.named("message")
    assert event.headers["content-type"] == "text/plain"
    assert event.headers["ce-type"] == "azure.webpubsub.user.message"
    assert event.headers["ce-userid"] == "anna"
    assert event.path == "/api/realtime/events/clients/message"


async def test_binary_frame_becomes_an_octet_stream_and_comes_back_binary(stack: Stack) -> None:
    stack.webhook.answers["message"] = echo
    socket = await stack.connect()
    frame = bytes(range(256)) * 3
    await socket.send_bytes(frame)
    answer = await socket.receive(timeout=5)
    assert (answer.type, answer.data) == (aiohttp.WSMsgType.BINARY, frame)
    assert stack.webhook.named("message")[0].headers["content-type"] == "application/octet-stream"


async def test_json_answer_goes_to_a_raw_client_as_text(stack: Stack) -> None:
    async def answer(_: Received) -> web.Response:
        return web.json_response({"event": "clear"})

    stack.webhook.answers["message"] = answer
    socket = await stack.connect()
    await socket.send_str("x")
    message = await socket.receive(timeout=5)
    assert (message.type, message.json()) == (aiohttp.WSMsgType.TEXT, {"event": "clear"})


async def test_frames_of_one_connection_are_served_one_at_a_time_and_in_order(stack: Stack) -> None:
    running = 0
    most_running = 0

    async def slow(_: Received) -> web.Response:
        nonlocal running, most_running
        running += 1
        most_running = max(most_running, running)
        await asyncio.sleep(0.002)
        running -= 1
        return web.Response(status=204)

    stack.webhook.answers["message"] = slow
    socket = await stack.connect()
    for number in range(60):
        await socket.send_bytes(number.to_bytes(2, "big"))
    events = await stack.webhook.wait_for("message", 60)
    assert [int.from_bytes(event.body, "big") for event in events] == list(range(60))
    ids = [event.event_id for event in events]
    assert ids == sorted(set(ids))
    assert most_running == 1


async def test_two_connections_do_not_wait_for_each_other(stack: Stack) -> None:
    released = asyncio.Event()

    async def answer(event: Received) -> web.Response:
        if event.body == b"slow":
            await released.wait()
        return web.Response(text="done")

    stack.webhook.answers["message"] = answer
    slow, quick = await stack.connect(), await stack.connect()
    await slow.send_str("slow")
    await stack.webhook.wait_for("message")
    await quick.send_str("quick")
    assert (await quick.receive(timeout=5)).data == "done"
    released.set()
    assert (await slow.receive(timeout=5)).data == "done"


async def test_refused_event_closes_a_raw_client_with_1011(stack: Stack) -> None:
    async def refuse(_: Received) -> web.Response:
        return web.Response(status=400)

    stack.webhook.answers["message"] = refuse
    socket = await stack.connect()
    await socket.send_str("x")
    closing = await socket.receive(timeout=5)
    assert (closing.type, socket.close_code) == (aiohttp.WSMsgType.CLOSE, 1011)
    (event,) = await stack.webhook.wait_for("disconnected")
    assert event.json() == {"reason": "The event handler returned 400."}
    assert len(stack.webhook.named("message")) == 1


@pytest.mark.parametrize("limits", [{"maxFrameBytes": 4096}])
async def test_frame_over_the_limit_closes_with_1009(stack: Stack) -> None:
    socket = await stack.connect()
    await socket.send_bytes(bytes(4096))
    await stack.webhook.wait_for("message")
    await socket.send_bytes(bytes(4097))
    await socket.receive(timeout=5)
    assert socket.close_code == 1009
    (event,) = await stack.webhook.wait_for("disconnected")
    assert event.json() == {"reason": "The client message is too large."}
    assert len(stack.webhook.named("message")) == 1


@pytest.mark.parametrize("size_bytes", [1024 * 1024 + 1, 5 * 1024 * 1024, 12 * 1024 * 1024])
async def test_frames_far_over_the_limit_are_refused_in_an_orderly_way(stack: Stack, size_bytes: int) -> None:
    socket = await stack.connect()
    await stack.webhook.wait_for("connected")
    with suppress(ConnectionError):
        await socket.send_bytes(bytes(size_bytes))
    await socket.receive(timeout=5)
    if size_bytes < 8 * 1024 * 1024:
        assert socket.close_code == 1009
    assert socket.closed
    await stack.webhook.wait_for("disconnected")
    assert stack.webhook.named("message") == []


async def test_a_frame_of_one_mebibyte_passes_by_default(stack: Stack) -> None:
    socket = await stack.connect()
    await socket.send_bytes(bytes(1024 * 1024))
    (event,) = await stack.webhook.wait_for("message")
    assert len(event.body) == 1024 * 1024


async def test_text_that_is_not_utf8_closes_with_1007(stack: Stack) -> None:
    socket = await stack.connect()
    await socket.send_frame(b"\xff\xfe", aiohttp.WSMsgType.TEXT)
    await socket.receive(timeout=5)
    assert socket.close_code == 1007


async def test_frames_that_nobody_handles_close_the_client(stack: Stack) -> None:
    socket = await stack.connect("quiet")
    await socket.send_str("x")
    await socket.receive(timeout=5)
    assert socket.close_code == 1011


async def test_send_to_group_mode_publishes_frames_to_the_group(stack: Stack) -> None:
    listener = await stack.connect(groups=["stage"])
    talker = await stack.connect(
        query="&webpubsub_mode=sendToGroup&group=stage", roles=["webpubsub.sendToGroup.stage"]
    )
    await talker.send_bytes(b"\x01\x02")
    await talker.send_str("hi")
    assert (await listener.receive_bytes(timeout=5)) == b"\x01\x02"
    assert (await listener.receive_str(timeout=5)) == "hi"
    assert stack.webhook.named("message") == []


async def test_send_to_group_mode_without_the_role_closes_with_1008(stack: Stack) -> None:
    talker = await stack.connect(query="&webpubsub_mode=sendToGroup&group=stage")
    await talker.send_str("hi")
    await talker.receive(timeout=5)
    assert talker.close_code == 1008


async def test_custom_subprotocol_that_the_handler_chose(stack: Stack) -> None:
    async def choose(event: Received) -> web.Response:
        return web.json_response({"subprotocol": event.json()["subprotocols"][1]})

    stack.webhook.answers["connect"] = choose
    socket = await stack.connect("clients", "ours.v1", "ours.v2")
    assert socket.protocol == "ours.v2"
    (event,) = await stack.webhook.wait_for("connected")
    assert event.headers["ce-subprotocol"] == "ours.v2"


async def test_client_that_does_not_read_is_let_go(stack: Stack) -> None:
    socket = await stack.connect()
    (event,) = await stack.webhook.wait_for("connected")
    connection = stack.server.endpoint.registry.find("clients", event.connection_id)
    assert connection is not None
    client_transport = socket._response.connection.transport  # aiohttp would read ahead
    client_transport.pause_reading()
    async with stack.service() as service:
        for _ in range(60):
            if connection.closed_because is None:
                await service.send_to_connection(
                    event.connection_id, memoryview(bytes(1024 * 1024)), content_type="application/octet-stream"
                )
    assert connection.closed_because == "The outbound message queue is full."
    await until(lambda: len(stack.server.endpoint.registry) == 0)
