"""Providers of speech and language on real sockets: the scripted local service, and one that does as a test says."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from aiohttp import web

from local_stack.speech.scripted.backend import ScriptedBackend, add_direction
from local_stack.speech.scripted.director import Director
from local_stack.speech.scripted.recordings import Recordings
from local_stack.speech.scripted.script import read_script
from local_stack.speech.server import build_app
from local_stack.speech.timeline import Timeline
from shared.adapters.openai.account import OpenAIAccount
from shared.adapters.openai.wire import OpenAIWire

QUICK = {"stt_ms": 5, "ttft_ms": 5, "token_ms": 1, "tts_first_byte_ms": 5, "tts_rate_x_realtime": 50}
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Service:
    """A provider that speaks OpenAI's protocol."""

    url: str

    def wire(self, *, retries: int = 1) -> OpenAIWire:
        return OpenAIWire(OpenAIAccount(base_url=f"{self.url}/v1", api_key="local", retries=retries))

    @property
    def fallback(self) -> Service:
        """Its second provider."""
        return Service(f"{self.url}/fallback")

    async def order(self, **fault: Any) -> None:
        """The next request of a step goes wrong."""
        async with httpx.AsyncClient(base_url=self.url) as http:
            (await http.post("/faults", json=fault)).raise_for_status()

    async def timeline(self) -> list[dict[str, Any]]:
        async with httpx.AsyncClient(base_url=self.url) as http:
            requests: list[dict[str, Any]] = (await http.get("/timeline")).json()["requests"]
            return requests


@asynccontextmanager
async def _serving(app: web.Application) -> AsyncIterator[Service]:
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield Service(f"http://127.0.0.1:{runner.addresses[0][1]}")
    finally:
        await runner.cleanup()


@asynccontextmanager
async def scripted_service(dialogue: list[dict[str, Any]], **latencies: float) -> AsyncIterator[Service]:
    script = read_script({"latencies": QUICK | latencies, "dialogue": dialogue})
    director = Director(script, Recordings(Path("none")))
    app = build_app(ScriptedBackend(director), Timeline(), ScriptedBackend(director.fallback))
    add_direction(app, director)
    async with _serving(app) as service:
        yield service


@asynccontextmanager
async def stub_service(handler: Handler) -> AsyncIterator[Service]:
    """Every request goes to the handler."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    async with _serving(app) as service:
        yield service
