"""Clients of json.reliable.webpubsub.azure.v1: sequence ids, recovery, replay and its limits."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from tests.local_stack.web_pubsub.conftest import ADMIN, Stack, until
from tests.local_stack.web_pubsub.webhook import Received

RELIABLE = "json.reliable.webpubsub.azure.v1"
TEXT = {"content_type": "text/plain"}


class Client:
    """A reliable client by hand."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.connected: dict[str, Any] = {}
        self.socket: aiohttp.ClientWebSocketResponse

    @property
    def id(self) -> str:
        return str(self.connected["connectionId"])

    async def open(self, **token: Any) -> Client:
        self.socket = await self.stack.connect("clients", RELIABLE, **token)
        self.connected = await self.socket.receive_json(timeout=5)
        return self

    async def recover(self, token: str | None = None) -> None:
        given = token or self.connected["reconnectionToken"]
        self.socket = await self.stack.http.ws_connect(
            f"ws://localhost:{self.stack.port}/client/hubs/clients"
            f"?awps_connection_id={self.id}&awps_reconnection_token={given}",
            protocols=(RELIABLE,),
        )

    async def drop(self) -> None:
        """Break the TCP connection from the endpoint's side."""
        url = f"{self.stack.url}/_local/connections/{self.id}/:drop"
        async with self.stack.http.post(url, headers=ADMIN) as response:
            assert response.status == 200
        connection = self.stack.server.endpoint.registry.find("clients", self.id)
        assert connection is not None
        await until(lambda: connection.attachment is None)

    async def data(self) -> tuple[str, int]:
        message = await self.socket.receive_json(timeout=5)
        return message["data"], message["sequenceId"]

    async def acknowledge(self, sequence_id: int) -> None:
        await self.socket.send_json({"type": "sequenceAck", "sequenceId": sequence_id})
        await self.socket.send_json({"type": "ping"})
        assert (await self.socket.receive_json(timeout=5))["type"] == "pong"


async def test_recovered_client_gets_what_it_did_not_acknowledge(stack: Stack) -> None:
    client = await Client(stack).open(user_id="anna")
    async with stack.service() as service:
        for text in "abc":
            await service.send_to_connection(client.id, text, **TEXT)
        assert [await client.data() for _ in range(3)] == [("a", 1), ("b", 2), ("c", 3)]
        await client.acknowledge(2)
        await client.drop()
        await service.send_to_user("anna", "d", **TEXT)
        await client.recover()
        assert [await client.data() for _ in range(2)] == [("c", 3), ("d", 4)]
        await service.send_to_connection(client.id, "e", **TEXT)
        assert await client.data() == ("e", 5)
    assert stack.webhook.named("disconnected") == []
    assert len(stack.webhook.named("connected")) == 1


async def test_groups_and_ack_ids_outlive_the_websocket(stack: Stack) -> None:
    client = await Client(stack).open(roles=["webpubsub.joinLeaveGroup"])
    join = {"type": "joinGroup", "group": "room", "ackId": 1}
    await client.socket.send_json(join)
    assert (await client.socket.receive_json(timeout=5))["success"]
    await client.drop()
    await client.recover()
    await client.socket.send_json(join)
    assert (await client.socket.receive_json(timeout=5))["error"]["name"] == "Duplicate"
    async with stack.service() as service:
        await service.send_to_group("room", "x", **TEXT)
    assert await client.data() == ("x", 1)


@pytest.mark.parametrize("limits", [{"recoveryWindowSeconds": 0.2}])
async def test_client_that_comes_back_too_late_is_gone(stack: Stack) -> None:
    client = await Client(stack).open()
    await client.drop()
    (event,) = await stack.webhook.wait_for("disconnected")
    assert event.json() == {"reason": "The client's connection broke without a closing handshake."}
    await client.recover()
    await client.socket.receive(timeout=5)
    assert client.socket.close_code == 1008


async def test_wrong_reconnection_token_is_refused_and_does_no_harm(stack: Stack) -> None:
    client = await Client(stack).open()
    await client.drop()
    await client.recover("wrong")
    await client.socket.receive(timeout=5)
    assert client.socket.close_code == 1008
    await client.recover()
    await client.acknowledge(0)


async def test_normal_closure_ends_the_connection_at_once(stack: Stack) -> None:
    client = await Client(stack).open()
    await client.socket.close(message=b"bye")
    (event,) = await stack.webhook.wait_for("disconnected")
    assert event.json() == {"reason": "bye"}


async def test_client_that_recovers_before_the_old_websocket_is_missed(stack: Stack) -> None:
    client = await Client(stack).open()
    old = client.socket
    await client.recover()
    await old.receive(timeout=5)
    assert old.closed
    async with stack.service() as service:
        await service.send_to_connection(client.id, "x", **TEXT)
    assert await client.data() == ("x", 1)
    assert (await stack.open_connections())["count"] == 1


async def test_events_stay_serial_over_a_recovery(stack: Stack) -> None:
    released = asyncio.Event()

    async def hold(event: Received) -> web.Response:
        if event.body == b"first":
            await released.wait()
        return web.Response(status=204)

    stack.webhook.answers["speak"] = hold
    client = await Client(stack).open()
    event = {"type": "event", "event": "speak", "dataType": "text"}
    await client.socket.send_json({**event, "data": "first", "ackId": 1})
    await client.socket.send_json({**event, "data": "second", "ackId": 2})
    await stack.webhook.wait_for("speak")
    await client.recover()
    await client.socket.send_json({**event, "data": "third", "ackId": 3})
    await asyncio.sleep(0.05)
    assert len(stack.webhook.named("speak")) == 1
    released.set()
    events = await stack.webhook.wait_for("speak", 3)
    assert [each.body for each in events] == [b"first", b"second", b"third"]
    acks = [(await client.socket.receive_json(timeout=5))["ackId"] for _ in range(3)]
    assert acks == [1, 2, 3]


async def test_expired_messages_are_not_replayed(stack: Stack) -> None:
    client = await Client(stack).open()
    connection = stack.server.endpoint.registry.find("clients", client.id)
    assert connection is not None
    await client.drop()
    async with stack.service() as service:
        await service.send_to_connection(client.id, "lasting", **TEXT)
        await service.send_to_connection(client.id, "short", params={"messageTtlSeconds": 1}, **TEXT)
    await asyncio.sleep(1.1)
    await client.recover()
    assert await client.data() == ("lasting", 1)
    await client.acknowledge(1)


@pytest.mark.parametrize("limits", [{"maxUnackedMessages": 3}, {"maxUnackedBytes": 400}])
async def test_client_that_never_acknowledges_is_let_go(stack: Stack) -> None:
    client = await Client(stack).open()
    async with stack.service() as service:
        for _ in range(3):
            await service.send_to_connection(client.id, "x" * 40, **TEXT)
        assert await service.connection_exists(client.id)
        await service.send_to_connection(client.id, "x" * 40, **TEXT)
        assert not await service.connection_exists(client.id)
    (event,) = await stack.webhook.wait_for("disconnected")
    assert event.json() == {"reason": "The reliable message buffer is full."}
    while (await client.socket.receive(timeout=5)).type is aiohttp.WSMsgType.TEXT:
        pass
    assert client.socket.close_code == 1008
