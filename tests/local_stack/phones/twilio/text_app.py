"""An app for the simulator that is given words: TwiML by path, and a relay socket that answers prompts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestServer

from tests.local_stack.phones.twilio.voice_app import Received

Answer = Callable[[dict[str, str]], str]


@dataclass
class TextApp:
    """`documents` holds TwiML by path; `replies` are what the relay says to one prompt after the other."""

    origin: str = ""
    documents: dict[str, str | Answer] = field(default_factory=dict)
    media: dict[str, bytes] = field(default_factory=dict)
    replies: list[list[dict[str, Any]]] = field(default_factory=list)
    close_code_after_prompt: int | None = None
    requests: list[Received] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)
    upgrades: list[dict[str, str]] = field(default_factory=list)
    failures_left: int = 0

    @property
    def relay_url(self) -> str:
        return self.origin.replace("http", "ws") + "/relay?affinity=1"

    def twiml(self, path: str, body: str | Answer) -> None:
        self.documents[path] = body

    def fields_of(self, path: str) -> list[dict[str, str]]:
        return [dict(request.fields) for request in self.requests if request.path == path]

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        return [message for message in self.messages if message.get("type") == kind]

    def application(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/relay", self._relay)
        app.router.add_route("*", "/{path:.*}", self._answer)
        return app

    async def _answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        fields = [(name, str(value)) for name, value in (await request.post()).items()]
        url = self.origin + request.raw_path
        self.requests.append(Received(request.path, url, dict(request.headers), fields, body))
        if self.failures_left > 0:
            self.failures_left -= 1
            assert request.transport is not None
            request.transport.abort()
        if request.path in self.media:
            return web.Response(body=self.media[request.path], content_type="audio/wav")
        document = self.documents.get(request.path, "")
        text = document if isinstance(document, str) else document(dict(fields))
        return web.Response(text=f"<Response>{text}</Response>", content_type="text/xml")

    async def _relay(self, request: web.Request) -> web.StreamResponse:
        self.upgrades.append({**request.headers, "raw_path": request.raw_path})
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        replies = iter(self.replies)
        async for message in ws:
            if message.type is not WSMsgType.TEXT:
                break
            try:
                value = json.loads(message.data)
            except ValueError:
                value = {"type": "garbage"}
            self.messages.append(value)
            if value["type"] in ("setup", "prompt"):
                for reply in next(replies, []):
                    await ws.send_str(reply["raw"] if "raw" in reply else json.dumps(reply))
            if value["type"] == "prompt" and self.close_code_after_prompt is not None:
                await ws.close(code=self.close_code_after_prompt)
        return ws


@asynccontextmanager
async def serving(app: TextApp) -> AsyncIterator[TextApp]:
    server = TestServer(app.application())
    await server.start_server()
    app.origin = str(server.make_url("")).rstrip("/")
    try:
        yield app
    finally:
        await server.close()


async def until(done: Callable[[], bool], within_s: float = 15.0) -> None:
    async with asyncio.timeout(within_s):
        while not done():
            await asyncio.sleep(0.01)
