"""Clients of json.webpubsub.azure.v1: events, groups, acks and permissions."""

from __future__ import annotations

import base64
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from tests.local_stack.web_pubsub.conftest import Stack
from tests.local_stack.web_pubsub.webhook import Received

JSON = "json.webpubsub.azure.v1"
ALL_ROLES = ["webpubsub.sendToGroup", "webpubsub.joinLeaveGroup"]


async def open_client(stack: Stack, **token: Any) -> tuple[aiohttp.ClientWebSocketResponse, dict[str, Any]]:
    socket = await stack.connect("clients", JSON, **token)
    return socket, await socket.receive_json(timeout=5)


async def ask(socket: aiohttp.ClientWebSocketResponse, **message: Any) -> dict[str, Any]:
    await socket.send_json(message)
    answer: dict[str, Any] = await socket.receive_json(timeout=5)
    return answer


async def test_connected_message_names_user_and_connection(stack: Stack) -> None:
    socket, connected = await open_client(stack, user_id="anna")
    assert socket.protocol == JSON
    (event,) = await stack.webhook.wait_for("connected")
    assert connected == {
        "type": "system",
        "event": "connected",
        "userId": "anna",
        "connectionId": event.connection_id,
    }


async def test_ping_is_answered_with_pong(stack: Stack) -> None:
    socket, _ = await open_client(stack)
    assert await ask(socket, type="ping") == {"type": "pong"}


@pytest.mark.parametrize(
    ("data_type", "data", "content_type", "body"),
    [
        ("text", "grüß", "text/plain", "grüß".encode()),
        ("json", {"a": [1, None]}, "application/json", b'{"a":[1,null]}'),
        ("binary", base64.b64encode(b"\x00\xff").decode(), "application/octet-stream", b"\x00\xff"),
        ("protobuf", base64.b64encode(b"\x0a\x00").decode(), "application/x-protobuf", b"\x0a\x00"),
    ],
)
async def test_event_goes_upstream_and_its_answer_back(
    stack: Stack, data_type: str, data: object, content_type: str, body: bytes
) -> None:
    async def echo(event: Received) -> web.Response:
        return web.Response(body=event.body, content_type=event.headers["content-type"])

    stack.webhook.answers["speak"] = echo
    socket, _ = await open_client(stack)
    answer = await ask(socket, type="event", event="speak", dataType=data_type, data=data, ackId=1)
    assert answer == {"type": "message", "from": "server", "dataType": data_type, "data": data}
    assert await socket.receive_json(timeout=5) == {"type": "ack", "ackId": 1, "success": True}
    (event,) = stack.webhook.named("speak")
    assert (event.headers["content-type"], event.body) == (content_type, body)
    assert event.headers["ce-type"] == "azure.webpubsub.user.speak"
    assert event.headers["ce-subprotocol"] == JSON


async def test_failed_event_is_answered_with_an_error_ack_and_may_be_sent_again(stack: Stack) -> None:
    statuses = iter([400, 204])

    async def answer(_: Received) -> web.Response:
        return web.Response(status=next(statuses))

    stack.webhook.answers["speak"] = answer
    socket, _ = await open_client(stack)
    event = {"type": "event", "event": "speak", "dataType": "text", "data": "x", "ackId": 7}
    refused = await ask(socket, **event)
    assert (refused["success"], refused["error"]["name"]) == (False, "InternalServerError")
    assert await ask(socket, **event) == {"type": "ack", "ackId": 7, "success": True}
    duplicate = await ask(socket, **event)
    assert (duplicate["success"], duplicate["error"]["name"]) == (False, "Duplicate")
    assert len(stack.webhook.named("speak")) == 2


async def test_groups_between_clients(stack: Stack) -> None:
    anna, _ = await open_client(stack, user_id="anna", roles=ALL_ROLES)
    ben, _ = await open_client(stack, user_id="ben", roles=ALL_ROLES)
    for socket in (anna, ben):
        assert (await ask(socket, type="joinGroup", group="room", ackId=1))["success"]
    message = {"type": "sendToGroup", "group": "room", "dataType": "text", "data": "hello"}
    await anna.send_json({**message, "noEcho": True, "ackId": 2})
    assert await ben.receive_json(timeout=5) == {
        "type": "message",
        "from": "group",
        "group": "room",
        "fromUserId": "anna",
        "dataType": "text",
        "data": "hello",
    }
    assert (await anna.receive_json(timeout=5))["type"] == "ack"
    assert (await ask(anna, **message))["data"] == "hello"
    assert (await ben.receive_json(timeout=5))["data"] == "hello"
    assert (await ask(ben, type="leaveGroup", group="room", ackId=3))["success"]
    assert (await ask(anna, **message))["data"] == "hello"
    assert await ask(ben, type="ping") == {"type": "pong"}


@pytest.mark.parametrize("kind", ["joinGroup", "leaveGroup", "sendToGroup"])
async def test_group_requests_without_the_role_are_forbidden(stack: Stack, kind: str) -> None:
    socket, _ = await open_client(stack, roles=["webpubsub.sendToGroup.other", "webpubsub.joinLeaveGroup.other"])
    answer = await ask(socket, type=kind, group="room", dataType="text", data="x", ackId=1)
    assert (answer["success"], answer["error"]["name"]) == (False, "Forbidden")
    allowed = await ask(socket, type=kind, group="other", dataType="text", data="x", ackId=2)
    assert allowed["success"]


@pytest.mark.parametrize(
    "message",
    [
        "no json",
        "[]",
        '{"type":"unknown"}',
        '{"type":"event","event":"e","dataType":"text"}',
        '{"type":"event","event":"e","dataType":"text","data":5}',
        '{"type":"event","event":"e","dataType":"binary","data":"not base64!"}',
        '{"type":"event","event":"","dataType":"text","data":"x"}',
        '{"type":"joinGroup","group":"g","ackId":-1}',
        '{"type":"joinGroup","group":"g","ackId":true}',
        '{"type":"sequenceAck"}',
    ],
)
async def test_invalid_message_ends_the_connection_with_a_reason(stack: Stack, message: str) -> None:
    socket, _ = await open_client(stack)
    await socket.send_str(message)
    goodbye = await socket.receive_json(timeout=5)
    assert (goodbye["type"], goodbye["event"]) == ("system", "disconnected")
    assert goodbye["message"].startswith("The message is invalid")
    await socket.receive(timeout=5)
    assert socket.close_code == 1007


async def test_binary_frame_of_a_json_client_closes_with_1003(stack: Stack) -> None:
    socket, _ = await open_client(stack)
    await socket.send_bytes(b'{"type":"ping"}')
    await socket.receive(timeout=5)
    await socket.receive(timeout=5)
    assert socket.close_code == 1003
