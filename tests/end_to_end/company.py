"""A company's own systems, as its agents' tools reach them: signed HTTP, and a server of the Model Context Protocol.

The signature and the token are checked with a library of others (PyJWT) and by the words of the standards.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import jwt
import uvicorn
from aiohttp import web
from mcp.server.mcpserver import MCPServer
from mcp_types import ToolAnnotations

from benchmarks.measuring.ports import free_ports
from tests.end_to_end.typed_calls import TOOL_SECRET


@dataclass(frozen=True, slots=True)
class Asked:
    """One request. `claims`: of its token, None where it bears none that is ours; `is_signed`: its body, by us."""

    name: str
    arguments: dict[str, Any]
    key: str
    claims: dict[str, Any] | None
    is_signed: bool
    body: bytes
    at_ms: float = field(default_factory=lambda: time.time() * 1000)


@dataclass
class Company:
    """`slow`: by operation, how many seconds its answer takes; `fails`: with which status it answers; `elsewhere`:
    where it sends who asks for that. `asked` keeps what came, `done` what was done, which is once for each key.
    """

    url: str = ""
    mcp_url: str = ""
    slow: dict[str, float] = field(default_factory=dict)
    fails: dict[str, int] = field(default_factory=dict)
    elsewhere: str = ""
    asked: list[Asked] = field(default_factory=list)
    done: dict[str, str] = field(default_factory=dict)
    answered_ms: dict[str, float] = field(default_factory=dict)

    def of(self, name: str) -> list[Asked]:
        return [each for each in self.asked if each.name == name]

    async def until_asked(self, name: str, times: int = 1, within_s: float = 30) -> None:
        async with asyncio.timeout(within_s):
            while len(self.of(name)) < times:
                await asyncio.sleep(0.02)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Company]:
        app = web.Application()
        app.router.add_route("*", "/{name}", self._take)
        app.router.add_route("*", "/{name}/{number}", self._take)
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            async with _mcp_server(self) as self.mcp_url:
                yield self
        finally:
            await runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        name, body = request.match_info["name"], await request.read()
        path = {key: text for key, text in request.match_info.items() if key != "name"}
        arguments = {**request.query, **path, **(json.loads(body) if body else {})}
        key = request.headers.get("idempotency-key", "")
        self.asked.append(
            Asked(name, arguments, key, claims_of(request.headers), is_signed(request.headers, body), body)
        )
        if request.method != "GET":
            self.done.setdefault(key, name)
        await asyncio.sleep(self.slow.get(name, 0))
        if name in self.fails:
            return web.json_response({"error": "out of order"}, status=self.fails[name])
        if name == "elsewhere":
            raise web.HTTPFound(self.elsewhere)
        self.answered_ms[name] = time.time() * 1000
        return web.json_response({"status": f"{name} with {', '.join(map(str, arguments.values())) or 'nothing'}"})


def claims_of(headers: Any) -> dict[str, Any] | None:
    """Who the request says that it is made for."""
    try:
        claims: dict[str, Any] = jwt.decode(
            headers.get("voice-agent-context", ""),
            TOOL_SECRET,
            algorithms=["HS256"],
            issuer="voice-agent",
            options={"require": ["exp", "iat", "jti"]},
        )
    except jwt.InvalidTokenError:
        return None
    return claims


def is_signed(headers: Any, body: bytes) -> bool:
    """Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md"""
    content = f"{headers.get('webhook-id', '')}.{headers.get('webhook-timestamp', '')}.".encode() + body
    expected = base64.b64encode(hmac.new(TOOL_SECRET.encode(), content, hashlib.sha256).digest()).decode()
    fresh = abs(time.time() - int(headers.get("webhook-timestamp", "0"))) < 300
    return fresh and f"v1,{expected}" in headers.get("webhook-signature", "").split(" ")


@asynccontextmanager
async def _mcp_server(company: Company) -> AsyncIterator[str]:
    """Made with the protocol's own library."""
    server = MCPServer("clinic")

    @server.tool(annotations=ToolAnnotations(read_only_hint=True))
    def free_slots(day: str) -> dict[str, Any]:
        """Free slots of a day."""
        company.asked.append(Asked("free_slots", {"day": day}, "", None, False, b""))
        return {"day": day, "slots": ["half past nine"]}

    @server.tool()
    def delete_everything() -> str:
        """Not for agents."""
        company.asked.append(Asked("delete_everything", {}, "", None, False, b""))
        return "gone"

    (port,) = free_ports(1)
    config = uvicorn.Config(
        server.streamable_http_app(), host="127.0.0.1", port=port, log_level="critical", timeout_graceful_shutdown=0
    )
    running = uvicorn.Server(config)
    serving = asyncio.create_task(running._serve())
    try:
        async with asyncio.timeout(10):
            while not running.started:
                await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        running.should_exit = running.force_exit = True
        await serving
