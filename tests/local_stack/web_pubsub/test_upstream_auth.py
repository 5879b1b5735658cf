"""Bearer tokens for upstream requests, got by client credentials and kept while they last."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from local_stack.web_pubsub.defaults import managed_identity_auth
from tests.local_stack.web_pubsub.conftest import Stack


class TokenService:
    """A token endpoint that numbers its tokens."""

    def __init__(self) -> None:
        self.forms: list[dict[str, str]] = []
        self.expires_in = 3600.0
        self.status = 200
        self.port = 0

    async def serve(self, request: web.Request) -> web.Response:
        self.forms.append({name: str(value) for name, value in (await request.post()).items()})
        body = {"access_token": f"token-{len(self.forms)}", "expires_in": self.expires_in}
        return web.json_response(body, status=self.status)


@pytest.fixture
async def tokens() -> AsyncIterator[TokenService]:
    service = TokenService()
    application = web.Application()
    application.router.add_post("/token", service.serve)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    service.port = runner.addresses[0][1]
    yield service
    await runner.cleanup()


@pytest.fixture
def adjust(tokens: TokenService) -> Callable[[dict[str, Any]], None]:
    def change(config: dict[str, Any]) -> None:
        for hub in config["hubs"].values():
            for handler in hub["eventHandlers"]:
                handler["auth"] = managed_identity_auth(
                    f"http://127.0.0.1:{tokens.port}/token", "wps", "secret", scope="api/.default", audience="api"
                )

    return change


async def test_all_upstream_requests_bear_one_token_while_it_lasts(stack: Stack, tokens: TokenService) -> None:
    sockets = await asyncio.gather(*(stack.connect() for _ in range(5)))
    for socket in sockets:
        await socket.send_str("x")
    events = await stack.webhook.wait_for("message", 5)
    assert {event.headers["authorization"] for event in events} == {"Bearer token-1"}
    assert tokens.forms == [
        {
            "grant_type": "client_credentials",
            "client_id": "wps",
            "client_secret": "secret",
            "scope": "api/.default",
            "audience": "api",
        }
    ]


async def test_token_is_renewed_before_it_expires(stack: Stack, tokens: TokenService) -> None:
    tokens.expires_in = 0.2
    socket = await stack.connect()
    await asyncio.sleep(0.15)
    await socket.send_str("x")
    (event,) = await stack.webhook.wait_for("message")
    assert event.headers["authorization"] != "Bearer token-1"


async def test_refused_token_is_not_used_again(stack: Stack, tokens: TokenService) -> None:
    async def refuse(_: object) -> web.Response:
        return web.Response(status=401)

    stack.webhook.answers["connect"] = refuse
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await stack.connect()
    del stack.webhook.answers["connect"]
    await stack.connect()
    tokens_seen = [event.headers["authorization"] for event in stack.webhook.named("connect")]
    assert tokens_seen == ["Bearer token-1", "Bearer token-2"]


async def test_without_a_token_no_event_goes_out(stack: Stack, tokens: TokenService) -> None:
    tokens.status = 500
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await stack.connect()
    assert caught.value.status == 500
    assert stack.webhook.received == []
    tokens.status = 200
    await stack.connect()
