"""A scripted event handler: records every upstream request and answers as a test wants."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

DEADLINE_S = 8.0


@dataclass(frozen=True)
class Received:
    """One upstream request."""

    headers: dict[str, str]
    body: bytes
    path: str

    @property
    def name(self) -> str:
        return self.headers["ce-eventname"]

    @property
    def event_id(self) -> int:
        return int(self.headers["ce-id"])

    @property
    def connection_id(self) -> str:
        return self.headers["ce-connectionid"]

    def json(self) -> Any:
        return json.loads(self.body)


Answer = Callable[[Received], Awaitable[web.Response]]


async def no_content(_: Received) -> web.Response:
    return web.Response(status=204)


class Webhook:
    """The upstream side of a test. It can go away and come back on the same port."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.validations: list[str] = []
        self.allowed_origin: str | None = "*"
        self.answers: dict[str, Answer] = {}
        self.port = 0
        self._arrived = asyncio.Condition()
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        application = web.Application(client_max_size=4 * 1024 * 1024)
        application.router.add_route("*", "/{tail:.*}", self._serve)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def named(self, name: str) -> list[Received]:
        return [each for each in self.received if each.name == name]

    async def wait_for(self, name: str, count: int = 1) -> list[Received]:
        """The first events of this name, as soon as there are so many."""
        async with asyncio.timeout(DEADLINE_S), self._arrived:
            await self._arrived.wait_for(lambda: len(self.named(name)) >= count)
        return self.named(name)

    async def _serve(self, request: web.Request) -> web.Response:
        if request.method == "OPTIONS":
            self.validations.append(f"{request.path} {request.headers['WebHook-Request-Origin']}")
            headers = {"WebHook-Allowed-Origin": self.allowed_origin} if self.allowed_origin else {}
            return web.Response(headers=headers)
        headers = {name.lower(): value for name, value in request.headers.items()}
        event = Received(headers, await request.read(), request.path)
        async with self._arrived:
            self.received.append(event)
            self._arrived.notify_all()
        return await self.answers.get(event.name, no_content)(event)
