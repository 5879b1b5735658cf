"""Who may open a WebSocket: tokens, the anonymous policy, and what the connect handler says."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import aiohttp
import jwt
import pytest
from aiohttp import web

from local_stack.web_pubsub.defaults import LOCAL_ACCESS_KEY, LOCAL_SECONDARY_ACCESS_KEY
from tests.local_stack.web_pubsub.conftest import Stack
from tests.local_stack.web_pubsub.webhook import Received

OTHER_KEY = "a-key-that-this-endpoint-does-not-have-0123456789"


def token(stack: Stack, key: str = LOCAL_ACCESS_KEY, **claims: Any) -> str:
    given = {"aud": f"{stack.url}/client/hubs/clients", "exp": time.time() + 60, **claims}
    return jwt.encode({name: value for name, value in given.items() if value is not None}, key, algorithm="HS256")


async def refusal(stack: Stack, path: str = "/client/hubs/clients", **options: Any) -> int:
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await stack.http.ws_connect(f"ws://localhost:{stack.port}{path}", **options)
    return caught.value.status


async def greet(_: Received) -> web.Response:
    return web.json_response({"userId": "twilio", "groups": ["calls"], "roles": ["webpubsub.sendToGroup.calls"]})


@pytest.mark.parametrize("key", [LOCAL_ACCESS_KEY, LOCAL_SECONDARY_ACCESS_KEY])
async def test_tokens_of_both_keys_in_query_or_header(stack: Stack, key: str) -> None:
    access_token = token(stack, key)
    base = f"ws://localhost:{stack.port}/client"
    for url, headers in [
        (f"{base}/hubs/clients?access_token={access_token}", {}),
        (f"{base}/hubs/clients", {"Authorization": f"Bearer {access_token}"}),
        (f"{base}?hub=clients&access_token={access_token}", {}),
        (f"{base}/?hub=clients", {"Authorization": f"Bearer {access_token}"}),
    ]:
        socket = await stack.http.ws_connect(url, headers=headers)
        await socket.close()


@pytest.mark.parametrize(
    "claims",
    [
        {"key": OTHER_KEY},
        {"exp": 1},
        {"exp": None},
        {"nbf": 2**40},
        {"aud": None},
        {"aud": "http://elsewhere/client/hubs/clients"},
        {"aud": "PORT/client/hubs/carriers"},
        {"aud": "PORT/api/hubs/clients"},
    ],
)
async def test_tokens_that_are_not_valid_for_the_hub_are_refused(stack: Stack, claims: dict[str, Any]) -> None:
    if str(claims.get("aud")).startswith("PORT"):
        claims = {"aud": str(claims["aud"]).replace("PORT", stack.url)}
    access_token = token(stack, **claims)
    assert await refusal(stack, f"/client/hubs/clients?access_token={access_token}") == 401


async def test_unsigned_token_is_refused(stack: Stack) -> None:
    unsigned = jwt.encode(
        {"aud": f"{stack.url}/client/hubs/clients", "exp": time.time() + 60}, None, algorithm="none"
    )
    assert await refusal(stack, f"/client/hubs/clients?access_token={unsigned}") == 401


async def test_no_token_is_refused_where_the_hub_denies_anonymous_clients(stack: Stack) -> None:
    stack.webhook.answers["connect"] = greet
    assert await refusal(stack) == 401
    assert await refusal(stack, "/client/hubs/unknown") == 401
    assert stack.webhook.received == []


async def test_anonymous_client_comes_in_when_the_connect_handler_names_it(stack: Stack) -> None:
    stack.webhook.answers["connect"] = greet
    socket = await stack.anonymous(headers={"X-Twilio-Signature": "c2ln", "X-ASRS-Internal-Id": "1"})
    (connect,) = stack.webhook.named("connect")
    headers = connect.json()["headers"]
    assert headers["X-Twilio-Signature"] == ["c2ln"]
    assert "X-ASRS-Internal-Id" not in headers
    assert "ce-userid" not in connect.headers
    (connected,) = await stack.webhook.wait_for("connected")
    assert connected.headers["ce-userid"] == "twilio"
    listed = (await stack.open_connections())["connections"]
    assert [(each["userId"], each["groups"], each["hub"]) for each in listed] == [("twilio", ["calls"], "carriers")]
    await socket.close()


async def test_anonymous_client_without_a_user_id_is_refused(stack: Stack) -> None:
    assert await refusal(stack, "/client/hubs/carriers") == 401
    assert len(stack.webhook.named("connect")) == 1


async def test_connect_event_bears_claims_query_and_subprotocols(stack: Stack) -> None:
    access_token = token(stack, sub="anna", role=["webpubsub.sendToGroup"])
    socket = await stack.http.ws_connect(
        f"ws://localhost:{stack.port}/client/hubs/clients?call=7&call=8",
        headers={"Authorization": f"Bearer {access_token}"},
        protocols=("ours", "json.webpubsub.azure.v1"),
    )
    (connect,) = stack.webhook.named("connect")
    body = connect.json()
    assert body["query"] == {"call": ["7", "8"]}
    assert body["subprotocols"] == ["ours", "json.webpubsub.azure.v1"]
    assert body["claims"]["sub"] == ["anna"]
    assert body["claims"]["role"] == ["webpubsub.sendToGroup"]
    assert body["clientCertificates"] == []
    assert not any(name.lower() == "authorization" for name in body["headers"])
    assert connect.headers["ce-type"] == "azure.webpubsub.sys.connect"
    assert socket.protocol == "json.webpubsub.azure.v1"


async def test_access_token_is_not_passed_on_in_the_query(stack: Stack) -> None:
    await stack.connect(query="&call=7")
    assert stack.webhook.named("connect")[0].json()["query"] == {"call": ["7"]}


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429])
async def test_refusal_of_the_connect_handler_is_the_answer_to_the_client(stack: Stack, status: int) -> None:
    async def refuse(_: Received) -> web.Response:
        return web.json_response({"why": "unsigned"}, status=status)

    stack.webhook.answers["connect"] = refuse
    headers = {"Upgrade": "websocket", "Connection": "Upgrade"}
    async with stack.http.get(f"{stack.url}/client/hubs/carriers", headers=headers) as response:
        assert response.status == status
        assert await response.json() == {"why": "unsigned"}
    assert len(stack.webhook.named("connect")) == 1
    assert stack.webhook.named("disconnected") == []


@pytest.mark.parametrize("body", ["no json", "[]", '{"userId": 5}', '{"groups": "room"}', '{"groups": [""]}'])
async def test_senseless_answer_of_the_connect_handler_is_a_500(stack: Stack, body: str) -> None:
    async def answer(_: Received) -> web.Response:
        return web.Response(text=body, content_type="application/json")

    stack.webhook.answers["connect"] = answer
    assert await refusal(stack, "/client/hubs/carriers") == 500


async def test_subprotocol_that_was_not_offered_is_a_500(stack: Stack) -> None:
    async def answer(_: Received) -> web.Response:
        return web.json_response({"userId": "x", "subprotocol": "theirs"})

    stack.webhook.answers["connect"] = answer
    assert await refusal(stack, "/client/hubs/carriers", protocols=("ours",)) == 500


async def test_client_that_leaves_during_the_handshake_is_reported_as_disconnected(stack: Stack) -> None:
    arrived, released = asyncio.Event(), asyncio.Event()

    async def hold(_: Received) -> web.Response:
        arrived.set()
        await released.wait()
        return web.json_response({"userId": "x"})

    stack.webhook.answers["connect"] = hold
    connecting = asyncio.create_task(stack.anonymous())
    await arrived.wait()
    connecting.cancel()
    await asyncio.gather(connecting, return_exceptions=True)
    released.set()
    await stack.webhook.wait_for("disconnected")
    assert (await stack.open_connections())["count"] == 0


@pytest.mark.parametrize("path", ["/client", "/client/hubs/1x", "/client?hub=a/b"])
async def test_bad_hub_name_is_a_400(stack: Stack, path: str) -> None:
    assert await refusal(stack, path) == 400


async def test_unknown_mode_and_missing_group_are_a_400(stack: Stack) -> None:
    access_token = token(stack)
    for mode in ("webpubsub_mode=other&group=g", "webpubsub_mode=sendToGroup"):
        assert await refusal(stack, f"/client/hubs/clients?access_token={access_token}&{mode}") == 400


@pytest.mark.parametrize("limits", [{"maxConnections": 1}])
async def test_connection_quota_is_a_429(stack: Stack) -> None:
    socket = await stack.connect()
    assert await refusal(stack, f"/client/hubs/clients?access_token={token(stack)}") == 429
    await socket.close()


@pytest.fixture
def adjust(request: pytest.FixtureRequest) -> Callable[[dict[str, Any]], None]:
    """Lets a test drop the event handlers of all hubs."""

    def change(config: dict[str, Any]) -> None:
        if request.node.get_closest_marker("usefixtures") is None:
            return
        for hub in config["hubs"].values():
            hub["eventHandlers"] = []

    return change


@pytest.mark.usefixtures("adjust")
async def test_without_a_connect_handler_no_anonymous_client_comes_in(stack: Stack) -> None:
    assert await refusal(stack, "/client/hubs/carriers") == 401
