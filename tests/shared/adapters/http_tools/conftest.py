"""A company's system on this machine, and the house's own safe way to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from shared.adapters.safe_http.web import SafeWeb


def pytest_asyncio_loop_factories(config: Any, item: Any) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"real": asyncio.new_event_loop}


Answering = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Company:
    """`answers`: in order, the last one for all that follow. `asked`: method, path with query, headers, body."""

    url: str = ""
    answers: list[Answering] = field(default_factory=list)
    asked: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): text for name, text in request.headers.items()}
        self.asked.append((request.method, request.path_qs, headers, await request.read()))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return await answer(request)


def says(document: object, status: int = 200, headers: dict[str, str] | None = None) -> Answering:
    async def answer(request: web.Request) -> web.Response:
        return web.json_response(document, status=status, headers=headers)

    return answer


@pytest.fixture
async def company() -> AsyncIterator[Company]:
    company = Company(answers=[says({"ok": True})])
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", company.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    company.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield company
    company.stopping.set()
    await runner.cleanup()


@pytest.fixture
async def safe_web() -> AsyncIterator[SafeWeb]:
    safe_web = SafeWeb(loopback=True)
    yield safe_web
    await safe_web.aclose()
