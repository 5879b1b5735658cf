"""Clients of the protobuf subprotocols, with messages encoded independently of the endpoint's codec."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from hypothesis import given
from hypothesis import strategies as st

from local_stack.web_pubsub.messages import Frame, InvalidMessage
from local_stack.web_pubsub.protocol_protobuf import ProtobufProtocol
from tests.local_stack.web_pubsub.conftest import Stack
from tests.local_stack.web_pubsub.test_reliable_clients import Client
from tests.local_stack.web_pubsub.webhook import Received

PROTOBUF = "protobuf.webpubsub.azure.v1"
RELIABLE = "protobuf.reliable.webpubsub.azure.v1"
Kind = descriptor_pb2.FieldDescriptorProto

# name: (number, type or message name); a "?" marks a field with presence.
SCHEMA: dict[str, dict[str, tuple[int, Any]]] = {
    "Data": {"text": (1, "string"), "binary": (2, "bytes"), "any": (3, "bytes"), "json": (4, "string")},
    "SendToGroup": {"group": (1, "string"), "ack": (2, "uint64?"), "data": (3, "Data"), "no_echo": (4, "bool")},
    "Event": {"event": (1, "string"), "data": (2, "Data"), "ack": (3, "uint64?")},
    "Group": {"group": (1, "string"), "ack": (2, "uint64?")},
    "SequenceAck": {"id": (1, "uint64")},
    "Empty": {},
    "Up": {
        "send": (1, "SendToGroup"),
        "event": (5, "Event"),
        "join": (6, "Group"),
        "leave": (7, "Group"),
        "sequence": (8, "SequenceAck"),
        "ping": (9, "Empty"),
    },
    "Error": {"name": (1, "string"), "message": (2, "string")},
    "Ack": {"ack": (1, "uint64"), "success": (2, "bool"), "error": (3, "Error")},
    "Message": {"origin": (1, "string"), "group": (2, "string?"), "data": (3, "Data"), "sequence": (4, "uint64?")},
    "Connected": {"id": (1, "string"), "user": (2, "string"), "token": (3, "string?")},
    "Disconnected": {"reason": (2, "string")},
    "System": {"connected": (1, "Connected"), "disconnected": (2, "Disconnected")},
    "Down": {"ack": (1, "Ack"), "message": (2, "Message"), "system": (3, "System"), "pong": (4, "Empty")},
}


def build(schema: dict[str, dict[str, tuple[int, Any]]]) -> dict[str, Any]:
    """Message classes of Google's protobuf runtime for the schema above."""
    scalars = {
        "string": Kind.TYPE_STRING,
        "bytes": Kind.TYPE_BYTES,
        "uint64": Kind.TYPE_UINT64,
        "bool": Kind.TYPE_BOOL,
    }
    file = descriptor_pb2.FileDescriptorProto(name="test.proto", package="test", syntax="proto3")
    for name, fields in schema.items():
        message = file.message_type.add(name=name)
        for field_name, (number, kind) in fields.items():
            field = message.field.add(name=field_name, number=number, label=Kind.LABEL_OPTIONAL)
            bare = kind.rstrip("?")
            if bare in scalars:
                field.type = scalars[bare]
            else:
                field.type, field.type_name = Kind.TYPE_MESSAGE, f".test.{bare}"
            if kind.endswith("?"):
                field.proto3_optional = True
                field.oneof_index = len(message.oneof_decl)
                message.oneof_decl.add(name=f"_{field_name}")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    classes = message_factory.GetMessageClassesForFiles(["test.proto"], pool)
    return {name.removeprefix("test."): made for name, made in classes.items()}


PB = build(SCHEMA)


async def receive(socket: aiohttp.ClientWebSocketResponse) -> Any:
    return PB["Down"].FromString(await socket.receive_bytes(timeout=5))


async def ask(socket: aiohttp.ClientWebSocketResponse, **request: Any) -> Any:
    await socket.send_bytes(PB["Up"](**request).SerializeToString())
    return await receive(socket)


async def test_groups_acks_and_ping(stack: Stack) -> None:
    socket = await stack.connect("clients", PROTOBUF, user_id="anna", roles=["webpubsub.joinLeaveGroup.room"])
    connected = (await receive(socket)).system.connected
    (event,) = await stack.webhook.wait_for("connected")
    assert (connected.id, connected.user, connected.token) == (event.connection_id, "anna", "")
    assert event.headers["ce-subprotocol"] == PROTOBUF
    ack = (await ask(socket, join={"group": "room", "ack": 1})).ack
    assert (ack.ack, ack.success) == (1, True)
    assert (await ask(socket, join={"group": "other", "ack": 2})).ack.error.name == "Forbidden"
    assert (await ask(socket, join={"group": "room", "ack": 1})).ack.error.name == "Duplicate"
    assert (await ask(socket, ping={})).HasField("pong")
    async with stack.service() as service:
        await service.send_to_group("room", {"a": 1})
    message = (await receive(socket)).message
    assert (message.origin, message.group, message.data.json) == ("group", "room", '{"a": 1}')
    assert not message.HasField("sequence")
    assert (await ask(socket, leave={"group": "room", "ack": 3})).ack.success


@pytest.mark.parametrize(
    ("data", "content_type", "body"),
    [
        ({"text": "grüß"}, "text/plain", "grüß".encode()),
        ({"binary": b"\x00\xff" * 300}, "application/octet-stream", b"\x00\xff" * 300),
        ({"any": b"\x0a\x01x"}, "application/x-protobuf", b"\x0a\x01x"),
        ({"json": '{"a":1}'}, "application/json", b'{"a":1}'),
    ],
)
async def test_events_and_their_answers(stack: Stack, data: Any, content_type: str, body: bytes) -> None:
    async def echo(event: Received) -> web.Response:
        return web.Response(body=event.body, content_type=event.headers["content-type"])

    stack.webhook.answers["speak"] = echo
    socket = await stack.connect("clients", PROTOBUF)
    await receive(socket)
    answer = await ask(socket, event={"event": "speak", "data": data, "ack": 0})
    assert answer.message.origin == "server"
    assert answer.message.data == PB["Data"](**data)
    assert (await receive(socket)).ack.success
    (event,) = stack.webhook.named("speak")
    assert (event.headers["content-type"], event.body) == (content_type, body)


async def test_json_and_protobuf_clients_understand_each_other(stack: Stack) -> None:
    roles = ["webpubsub.sendToGroup"]
    speaker = await stack.connect("clients", PROTOBUF, roles=roles, groups=["room"])
    listener = await stack.connect("clients", "json.webpubsub.azure.v1", roles=roles, groups=["room"])
    await receive(speaker)
    await listener.receive_json(timeout=5)
    await speaker.send_bytes(
        PB["Up"](send={"group": "room", "data": {"binary": b"\x01"}, "no_echo": True}).SerializeToString()
    )
    heard = await listener.receive_json(timeout=5)
    assert (heard["dataType"], heard["data"]) == ("binary", "AQ==")
    await listener.send_json({"type": "sendToGroup", "group": "room", "dataType": "text", "data": "hi"})
    assert (await receive(speaker)).message.data.text == "hi"


async def test_reliable_client_recovers(stack: Stack) -> None:
    client = Client(stack)
    client.socket = await stack.connect("clients", RELIABLE)
    connected = (await receive(client.socket)).system.connected
    client.connected = {"connectionId": connected.id, "reconnectionToken": connected.token}
    async with stack.service() as service:
        for text in "ab":
            await service.send_to_connection(client.id, text, content_type="text/plain")
        assert [(await receive(client.socket)).message.sequence for _ in range(2)] == [1, 2]
        await client.socket.send_bytes(PB["Up"](sequence={"id": 1}).SerializeToString())
        assert (await ask(client.socket, ping={})).HasField("pong")
        await client.drop()
        client.socket = await stack.http.ws_connect(
            f"ws://localhost:{stack.port}/client/hubs/clients"
            f"?awps_connection_id={client.id}&awps_reconnection_token={connected.token}",
            protocols=(RELIABLE,),
        )
        message = (await receive(client.socket)).message
        assert (message.sequence, message.data.text) == (2, "b")
        await service.close_connection(client.id, reason="done")
    assert (await receive(client.socket)).system.disconnected.reason == "done"


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"\xff",
        b"\x4a\x05",
        PB["Up"](join={"group": ""}).SerializeToString(),
        PB["Up"](event={"event": "e"}).SerializeToString(),
        PB["Up"](ping={}, join={"group": "g"}).SerializeToString(),
        b"\x12\x00",
    ],
)
async def test_malformed_frame_closes_with_1007(stack: Stack, frame: bytes) -> None:
    socket = await stack.connect("clients", PROTOBUF)
    await receive(socket)
    await socket.send_bytes(frame)
    assert (await receive(socket)).system.disconnected.reason.startswith("The message is invalid")
    await socket.receive(timeout=5)
    assert socket.close_code == 1007


@given(st.binary(max_size=200))
def test_no_bytes_crash_the_parser(data: bytes) -> None:
    with suppress(InvalidMessage):
        ProtobufProtocol(reliable=False).parse(Frame(data, False))
