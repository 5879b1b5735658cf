"""A running endpoint with a scripted webhook behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from azure.messaging.webpubsubservice.aio import WebPubSubServiceClient

from local_stack.web_pubsub.configuration import parse_configuration
from local_stack.web_pubsub.defaults import LOCAL_ACCESS_KEY, connection_string, default_config
from local_stack.web_pubsub.server import Server
from tests.local_stack.web_pubsub.webhook import DEADLINE_S, Webhook

FAST_LIMITS = {"retryDelaysSeconds": [0.05, 0.1, 0.2], "shutdownGraceSeconds": 1}
ADMIN = {"X-Access-Key": LOCAL_ACCESS_KEY}


@dataclass
class Stack:
    """An endpoint, its webhook and an HTTP session to drive it."""

    server: Server
    port: int
    webhook: Webhook
    http: aiohttp.ClientSession
    sockets: list[aiohttp.ClientWebSocketResponse] = field(default_factory=list)
    """All clients of a test; one that nobody holds would be closed by the garbage collector."""

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def connection_string(self) -> str:
        return connection_string(self.port)

    def service(self, hub: str = "clients") -> WebPubSubServiceClient:
        return WebPubSubServiceClient.from_connection_string(self.connection_string, hub)

    async def client_url(self, hub: str = "clients", **token: Any) -> str:
        async with self.service(hub) as service:
            access = await service.get_client_access_token(**token)
        return str(access["url"])

    async def connect(
        self, hub: str = "clients", *protocols: str, query: str = "", **token: Any
    ) -> aiohttp.ClientWebSocketResponse:
        """A client with a token of the official service SDK."""
        url = await self.client_url(hub, **token)
        self.sockets.append(await self.http.ws_connect(url + query, protocols=protocols, max_msg_size=0))
        return self.sockets[-1]

    async def anonymous(self, hub: str = "carriers", **options: Any) -> aiohttp.ClientWebSocketResponse:
        """A client without a token, as a carrier is."""
        return await self.http.ws_connect(f"ws://localhost:{self.port}/client/hubs/{hub}", **options)

    async def open_connections(self) -> dict[str, Any]:
        async with self.http.get(f"{self.url}/_local/connections", headers=ADMIN) as response:
            assert response.status == 200
            body: dict[str, Any] = await response.json()
            return body

    async def order_fault(self, **fault: Any) -> None:
        async with self.http.post(f"{self.url}/_local/faults", headers=ADMIN, json=fault) as response:
            assert response.status == 201, await response.text()


async def until(condition: Callable[[], bool]) -> None:
    """Poll a condition with a deadline."""
    async with asyncio.timeout(DEADLINE_S):
        while not condition():
            await asyncio.sleep(0.005)


@pytest.fixture
def limits() -> dict[str, Any]:
    """Limits of the endpoint; tests override this fixture."""
    return {}


@pytest.fixture
def adjust() -> Callable[[dict[str, Any]], None]:
    """Changes to the configuration; tests override this fixture."""
    return lambda _: None


@pytest.fixture
async def webhook() -> AsyncIterator[Webhook]:
    hook = Webhook()
    await hook.start()
    yield hook
    await hook.stop()


@pytest.fixture
async def stack(
    webhook: Webhook, limits: dict[str, Any], adjust: Callable[[dict[str, Any]], None]
) -> AsyncIterator[Stack]:
    config = default_config(app_base_url=webhook.url)
    config["limits"] |= FAST_LIMITS | limits
    adjust(config)
    server = Server(parse_configuration(config))
    port = await server.start("127.0.0.1", 0)
    async with aiohttp.ClientSession() as http:
        yield Stack(server, port, webhook, http)
    await server.stop()
