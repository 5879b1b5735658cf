"""The REST API, mostly through the official Python service SDK."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import aiohttp
import jwt
import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.messaging.webpubsubservice import WebPubSubServiceClient as SyncServiceClient

from local_stack.web_pubsub.defaults import LOCAL_ACCESS_KEY
from tests.local_stack.web_pubsub.conftest import Stack, until

JSON = "json.webpubsub.azure.v1"
BINARY = {"content_type": "application/octet-stream"}
TEXT = {"content_type": "text/plain"}


async def connected_id(stack: Stack, count: int = 1) -> str:
    """The connection id of the `count`th client."""
    return (await stack.webhook.wait_for("connected", count))[count - 1].connection_id


async def is_silent(socket: aiohttp.ClientWebSocketResponse) -> bool:
    """Whether nothing but the pong to our own ping is under way."""
    await socket.send_json({"type": "ping"})
    answer: dict[str, Any] = await socket.receive_json(timeout=5)
    return answer == {"type": "pong"}


async def test_send_to_connection_in_all_content_types(stack: Stack) -> None:
    raw = await stack.connect()
    raw_id = await connected_id(stack)
    json_client = await stack.connect("clients", JSON)
    json_id = (await json_client.receive_json(timeout=5))["connectionId"]
    async with stack.service() as service:
        for each in (raw_id, json_id):
            await service.send_to_connection(each, "text", **TEXT)
            await service.send_to_connection(each, {"a": "ü"})
            await service.send_to_connection(each, memoryview(b"\x00\x01"), **BINARY)
    assert await raw.receive_str(timeout=5) == "text"
    assert await raw.receive_json(timeout=5) == {"a": "ü"}
    assert await raw.receive_bytes(timeout=5) == b"\x00\x01"
    said = [await json_client.receive_json(timeout=5) for _ in range(3)]
    assert [(each["dataType"], each["data"], each["from"]) for each in said] == [
        ("text", "text", "server"),
        ("json", {"a": "ü"}, "server"),
        ("binary", "AAE=", "server"),
    ]


async def test_sends_to_a_connection_arrive_in_the_order_of_the_calls(stack: Stack) -> None:
    socket = await stack.connect()
    connection_id = await connected_id(stack)
    async with stack.service() as service:
        for number in range(100):
            await service.send_to_connection(connection_id, memoryview(number.to_bytes(2, "big")), **BINARY)
    frames = [await socket.receive_bytes(timeout=5) for _ in range(100)]
    assert [int.from_bytes(frame, "big") for frame in frames] == list(range(100))


async def test_send_to_an_unknown_connection_is_a_404(stack: Stack) -> None:
    async with stack.service() as service:
        with pytest.raises(ResourceNotFoundError):
            await service.send_to_connection("nobody", "x", **TEXT)


async def test_send_to_all_user_and_group_with_excluded_and_filter(stack: Stack) -> None:
    clients = {}
    for user in ("anna", "ben", "carl"):
        socket = await stack.connect("clients", JSON, user_id=user, groups=["room", f"only-{user}"])
        clients[user] = (socket, (await socket.receive_json(timeout=5))["connectionId"])
    async with stack.service() as service:
        await service.send_to_all("1", excluded=[clients["anna"][1]], **TEXT)
        await service.send_to_group("room", "2", filter="userId in ('anna', 'carl')", **TEXT)
        await service.send_to_user("ben", "3", **TEXT)
        await service.send_to_all("4", filter="'only-anna' in groups", **TEXT)
        with pytest.raises(HttpResponseError) as caught:
            await service.send_to_all("5", filter="userId eq", **TEXT)
    assert caught.value.status_code == 400
    said = {}
    for user, (socket, _) in clients.items():
        await socket.send_json({"type": "ping"})
        said[user] = []
        while (message := await socket.receive_json(timeout=5))["type"] != "pong":
            said[user].append((message["data"], message["from"]))
    assert said == {
        "anna": [("2", "group"), ("4", "server")],
        "ben": [("1", "server"), ("3", "server")],
        "carl": [("1", "server"), ("2", "group")],
    }


async def test_existence_and_groups(stack: Stack) -> None:
    socket = await stack.connect("clients", JSON, user_id="anna")
    connection_id = (await socket.receive_json(timeout=5))["connectionId"]
    async with stack.service() as service:
        assert await service.connection_exists(connection_id)
        assert await service.user_exists("anna")
        assert not await service.connection_exists("nobody")
        assert not await service.user_exists("nobody")
        assert not await service.group_exists("room")
        await service.add_connection_to_group("room", connection_id)
        await service.add_user_to_group("a group/with?signs", "anna")
        assert await service.group_exists("room")
        assert await service.group_exists("a group/with?signs")
        await service.send_to_group("room", "x", **TEXT)
        assert (await socket.receive_json(timeout=5))["group"] == "room"
        await service.remove_connection_from_group("room", connection_id)
        assert not await service.group_exists("room")
        await service.remove_user_from_group("a group/with?signs", "anna")
        await service.add_user_to_group("room", "anna")
        await service.remove_connection_from_all_groups(connection_id)
        assert not await service.group_exists("room")
        await service.add_user_to_group("room", "anna")
        await service.remove_user_from_all_groups("anna")
        assert not await service.group_exists("room")
        with pytest.raises(ResourceNotFoundError):
            await service.add_connection_to_group("room", "nobody")
        with pytest.raises(ResourceNotFoundError):
            await service.add_user_to_group("room", "nobody")
        await service.remove_connection_from_group("room", "nobody")


async def test_members_of_a_group_come_in_pages(stack: Stack) -> None:
    sockets = [await stack.connect("clients", JSON, user_id=f"u{n}", groups=["room"]) for n in range(5)]
    ids = sorted([(await socket.receive_json(timeout=5))["connectionId"] for socket in sockets])
    async with stack.service() as service:
        listed = [each async for each in service.list_connections(group="room", maxpagesize=2)]
        assert [each.connection_id for each in listed] == ids
        assert {each.user_id for each in listed} == {f"u{n}" for n in range(5)}
        three = [each async for each in service.list_connections(group="room", maxpagesize=2, top=3)]
        assert [each.connection_id for each in three] == ids[:3]


async def test_permissions_are_granted_and_revoked(stack: Stack) -> None:
    socket = await stack.connect("clients", JSON)
    connection_id = (await socket.receive_json(timeout=5))["connectionId"]

    async def may_join(group: str, ack_id: int) -> bool:
        await socket.send_json({"type": "joinGroup", "group": group, "ackId": ack_id})
        return bool((await socket.receive_json(timeout=5))["success"])

    async with stack.service() as service:
        assert not await service.has_permission("joinLeaveGroup", connection_id, target_name="a")
        assert not await may_join("a", 1)
        await service.grant_permission("joinLeaveGroup", connection_id, target_name="a")
        assert await service.has_permission("joinLeaveGroup", connection_id, target_name="a")
        assert not await service.has_permission("joinLeaveGroup", connection_id)
        assert await may_join("a", 2)
        assert not await may_join("b", 3)
        await service.revoke_permission("joinLeaveGroup", connection_id, target_name="a")
        assert not await may_join("a", 4)
        await service.grant_permission("joinLeaveGroup", connection_id)
        assert await may_join("b", 5)
        with pytest.raises(HttpResponseError):
            await service.grant_permission("fly", connection_id)


async def test_close_one_connection_with_a_reason(stack: Stack) -> None:
    socket = await stack.connect("clients", JSON)
    connection_id = (await socket.receive_json(timeout=5))["connectionId"]
    async with stack.service() as service:
        await service.close_connection(connection_id, reason="hang-up")
        assert not await service.connection_exists(connection_id)
        await service.close_connection(connection_id)
    assert await socket.receive_json(timeout=5) == {
        "type": "system",
        "event": "disconnected",
        "message": "hang-up",
    }
    closing = await socket.receive(timeout=5)
    assert (closing.type, socket.close_code, closing.extra) == (aiohttp.WSMsgType.CLOSE, 1000, "hang-up")
    (event,) = await stack.webhook.wait_for("disconnected")
    assert event.json() == {"reason": "hang-up"}


async def test_close_many(stack: Stack) -> None:
    for user in ("anna", "ben", "carl", "dora"):
        await stack.connect(user_id=user, groups=["room"] if user == "ben" else [])
    registry = stack.server.endpoint.registry
    async with stack.service() as service:
        await service.close_user_connections("anna")
        assert {each.user_id for each in registry} == {"ben", "carl", "dora"}
        await service.close_group_connections("room")
        assert {each.user_id for each in registry} == {"carl", "dora"}
        (kept,) = [each.id for each in registry if each.user_id == "dora"]
        await service.close_all_connections(excluded=[kept])
        assert {each.user_id for each in registry} == {"dora"}
    await stack.webhook.wait_for("disconnected", 3)


async def test_bulk_group_operations(stack: Stack) -> None:
    for user in ("anna", "ben"):
        await stack.connect(user_id=user)
    await stack.webhook.wait_for("connected", 2)
    hub = stack.server.endpoint.hub("clients")
    await rest(
        stack, "POST", "/api/hubs/clients/:addToGroups", json={"groups": ["a", "b"], "filter": "userId eq 'anna'"}
    )
    assert [each.user_id for each in hub.of_group("a")] == ["anna"]
    await rest(stack, "POST", "/api/hubs/clients/:removeFromGroups", json={"groups": ["a"]})
    assert hub.of_group("a") == []
    assert [each.user_id for each in hub.of_group("b")] == ["anna"]
    assert await rest(stack, "POST", "/api/hubs/clients/:addToGroups", json={"groups": "a"}) == 400


async def test_generated_token_opens_a_connection(stack: Stack) -> None:
    path = "/api/hubs/clients/:generateToken"
    query = "?userId=anna&role=webpubsub.joinLeaveGroup&group=g1&group=g2&minutesToExpire=5&api-version=2024-12-01"
    headers = {"Authorization": f"Bearer {rest_token(stack, path)}"}
    async with stack.http.post(f"{stack.url}{path}{query}", headers=headers) as response:
        assert response.status == 200
        token = (await response.json())["token"]
    url = f"ws://localhost:{stack.port}/client/hubs/clients?access_token={token}"
    stack.sockets.append(await stack.http.ws_connect(url))
    (connection,) = (await stack.open_connections())["connections"]
    assert (connection["userId"], connection["groups"]) == ("anna", ["g1", "g2"])


async def test_health(stack: Stack) -> None:
    for path in ("/api/health", "/health"):
        for method in ("GET", "HEAD"):
            async with stack.http.request(method, f"{stack.url}{path}") as response:
                assert response.status == 200


def rest_token(stack: Stack, path: str, key: str = LOCAL_ACCESS_KEY, lifetime_s: float = 60) -> str:
    return jwt.encode({"aud": f"{stack.url}{path}", "exp": time.time() + lifetime_s}, key, algorithm="HS256")


async def rest(stack: Stack, method: str, path: str, token: str | None = None, **options: Any) -> int:
    headers = {"Authorization": f"Bearer {token or rest_token(stack, path)}"}
    async with stack.http.request(method, f"{stack.url}{path}", headers=headers, **options) as response:
        return response.status


async def test_calls_without_a_good_token_are_refused(stack: Stack) -> None:
    path = "/api/hubs/clients/:send"
    for token in (
        "nonsense",
        rest_token(stack, path, key="another-key-of-sufficient-length-0123456789"),
        rest_token(stack, path, lifetime_s=-1),
        rest_token(stack, "/api/hubs/carriers/:send"),
        rest_token(stack, "/client/hubs/clients"),
    ):
        assert await rest(stack, "POST", path, token=token, json={}) == 401
    async with stack.http.post(f"{stack.url}{path}", json={}) as response:
        assert response.status == 401
    assert await rest(stack, "POST", path, json={}) == 202


@pytest.mark.parametrize(
    ("query", "headers", "status"),
    [
        ("?messageTtlSeconds=300", {"Content-Type": "text/plain"}, 202),
        ("?messageTtlSeconds=301", {"Content-Type": "text/plain"}, 400),
        ("?messageTtlSeconds=-1", {"Content-Type": "text/plain"}, 400),
        ("", {"Content-Type": "image/png"}, 415),
        ("?api-version=2021-10-01", {"Content-Type": "text/plain; charset=utf-8"}, 202),
    ],
)
async def test_parameters_of_send_are_checked(stack: Stack, query: str, headers: dict[str, str], status: int) -> None:
    path = "/api/hubs/clients/:send"
    headers = {**headers, "Authorization": f"Bearer {rest_token(stack, path)}"}
    async with stack.http.post(f"{stack.url}{path}{query}", data=b"x", headers=headers) as response:
        assert response.status == status


async def test_the_synchronous_service_sdk(stack: Stack) -> None:
    socket = await stack.connect("clients", JSON, user_id="anna")
    connection_id = (await socket.receive_json(timeout=5))["connectionId"]

    def drive() -> list[object]:
        with SyncServiceClient.from_connection_string(stack.connection_string, "clients") as service:
            service.send_to_connection(connection_id, "hello", **TEXT)
            service.add_connection_to_group("room", connection_id)
            members = [each.connection_id for each in service.list_connections(group="room")]
            exists = service.user_exists("anna")
            service.close_connection(connection_id, reason="done")
            return [members, exists]

    assert await asyncio.to_thread(drive) == [[connection_id], True]
    assert (await socket.receive_json(timeout=5))["data"] == "hello"
    assert (await socket.receive_json(timeout=5))["message"] == "done"
    await until(lambda: len(stack.server.endpoint.registry) == 0)


async def test_sending_many_bytes_does_not_make_the_caller_wait_for_a_slow_client(stack: Stack) -> None:
    socket = await stack.connect()
    connection_id = await connected_id(stack)
    socket._response.connection.transport.pause_reading()  # aiohttp would read ahead
    async with stack.service() as service, asyncio.timeout(5):
        for _ in range(8):
            await service.send_to_connection(connection_id, memoryview(bytes(1024 * 1024)), **BINARY)
