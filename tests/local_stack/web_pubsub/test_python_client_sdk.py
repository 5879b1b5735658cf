"""The official Python client SDK, synchronous and asynchronous, plain and reliable."""

from __future__ import annotations

import asyncio
import queue
import threading
from typing import Any

import pytest
from aiohttp import web
from azure.messaging.webpubsubclient import WebPubSubClient
from azure.messaging.webpubsubclient.aio import WebPubSubClient as AsyncWebPubSubClient
from azure.messaging.webpubsubclient.models import (
    CallbackType,
    SendMessageError,
    WebPubSubDataType,
    WebPubSubProtocolType,
)

from tests.local_stack.web_pubsub.conftest import ADMIN, Stack
from tests.local_stack.web_pubsub.webhook import Received

ROLES = ["webpubsub.joinLeaveGroup", "webpubsub.sendToGroup.room"]
PROTOCOLS = [WebPubSubProtocolType.JSON, WebPubSubProtocolType.JSON_RELIABLE]
TEXT = {"content_type": "text/plain"}


async def answer(event: Received) -> web.Response:
    return web.Response(text=f"heard {event.body.decode()}")


async def drop(stack: Stack) -> None:
    async with stack.http.post(f"{stack.url}/_local/connections/:drop", headers=ADMIN) as response:
        assert response.status == 200


def drive(url: str, protocol: WebPubSubProtocolType, said: queue.Queue[tuple[str, Any]]) -> str:
    """What a program does with the synchronous client; gives the error of a forbidden request."""
    connected = threading.Event()
    client = WebPubSubClient(url, protocol_type=protocol, message_retry_total=0)
    client.subscribe(CallbackType.CONNECTED, lambda _: connected.set())
    client.subscribe(CallbackType.SERVER_MESSAGE, lambda e: said.put(("server", e.data)))
    client.subscribe(CallbackType.GROUP_MESSAGE, lambda e: said.put((e.group, e.data)))
    error = ""
    with client:
        assert connected.wait(5)
        client.join_group("room")
        client.send_to_group("room", "hello", WebPubSubDataType.TEXT)
        client.send_to_group("room", {"a": 1}, WebPubSubDataType.JSON)
        client.send_to_group("room", memoryview(b"\x00\xff"), WebPubSubDataType.BINARY)
        client.send_event("speak", "hello", WebPubSubDataType.TEXT)
        try:
            client.send_to_group("other", "x", WebPubSubDataType.TEXT)
        except SendMessageError as caught:
            error = caught.error_detail.name if caught.error_detail else ""
        client.leave_group("room")
    return error


@pytest.mark.slow
@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_synchronous_client(stack: Stack, protocol: WebPubSubProtocolType) -> None:
    stack.webhook.answers["speak"] = answer
    said: queue.Queue[tuple[str, Any]] = queue.Queue()
    url = await stack.client_url(user_id="anna", roles=ROLES)
    assert await asyncio.to_thread(drive, url, protocol, said) == "Forbidden"
    received = [said.get_nowait() for _ in range(said.qsize())]
    assert received == [
        ("room", "hello"),
        ("room", {"a": 1}),
        ("room", b"\x00\xff"),
        ("server", "heard hello"),
    ]
    await stack.webhook.wait_for("disconnected")


@pytest.mark.slow
async def test_asynchronous_reliable_client_recovers_without_losing_a_message(stack: Stack) -> None:
    said: asyncio.Queue[str] = asyncio.Queue()
    ids: list[str] = []
    client = AsyncWebPubSubClient(await stack.client_url(user_id="anna", roles=ROLES))

    async def on_connected(event: Any) -> None:
        ids.append(event.connection_id)

    async def on_message(event: Any) -> None:
        said.put_nowait(event.data)

    await client.subscribe(CallbackType.CONNECTED, on_connected)
    await client.subscribe(CallbackType.SERVER_MESSAGE, on_message)
    async with client, stack.service() as service, asyncio.timeout(15):
        await stack.webhook.wait_for("connected")
        await client.join_group("room")
        await service.send_to_user("anna", "1", **TEXT)
        assert await said.get() == "1"
        await drop(stack)
        await service.send_to_user("anna", "2", **TEXT)
        await service.send_to_user("anna", "3", **TEXT)
        assert [await said.get(), await said.get()] == ["2", "3"]
        await client.send_to_group("room", "still a member", WebPubSubDataType.TEXT)
    assert len(ids) == 1
    assert len(stack.webhook.named("connected")) == 1
    await stack.webhook.wait_for("disconnected")


@pytest.mark.slow
async def test_asynchronous_plain_client_reconnects_as_a_new_connection(stack: Stack) -> None:
    client = AsyncWebPubSubClient(
        await stack.client_url(user_id="anna"),
        protocol_type=WebPubSubProtocolType.JSON,
        reconnect_retry_backoff_factor=0.05,
    )
    async with client, asyncio.timeout(15):
        (first,) = await stack.webhook.wait_for("connected")
        await drop(stack)
        second = (await stack.webhook.wait_for("connected", 2))[1]
        assert first.connection_id != second.connection_id
        await stack.webhook.wait_for("disconnected")
