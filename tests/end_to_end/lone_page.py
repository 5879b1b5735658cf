"""The built talk page on a server of its own, and a call on it in which the test says what the app says.

No part of the app or of the local stack runs: this is for how the page draws, not for what it is told.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestServer

from tests.end_to_end.browser import Tab

STATIC = Path(__file__).parents[2] / "functions" / "pages" / "static"
_MICROPHONE = (
    "navigator.mediaDevices.getUserMedia = async () => new AudioContext().createMediaStreamDestination().stream;"
)


class LonePage:
    """The page's server, and the app's end of its call."""

    def __init__(self) -> None:
        self.url = ""
        self._connected: asyncio.Future[web.WebSocketResponse] = asyncio.get_running_loop().create_future()

    async def say(self, message: Mapping[str, object]) -> None:
        """What the app would tell the page."""
        async with asyncio.timeout(10):
            socket = await asyncio.shield(self._connected)
        await socket.send_json({"type": "message", "from": "server", "dataType": "json", "data": message})

    async def hang_up(self) -> None:
        if self._connected.done():
            await self._connected.result().close()

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/", self._index),
            web.get("/talk/{name}", self._file),
            web.get("/api/realtime/config", self._config),
            web.post("/api/realtime/negotiate", self._negotiate),
            web.get("/client/hubs/clients", self._connect),
        ]

    async def _index(self, _: web.Request) -> web.FileResponse:
        return web.FileResponse(STATIC / "index.html")

    async def _file(self, request: web.Request) -> web.FileResponse:
        return web.FileResponse(STATIC / Path(request.match_info["name"]).name)

    async def _config(self, _: web.Request) -> web.Response:
        return web.json_response(
            {"authority": self.url, "client_id": "page", "scope": "openid", "redirect_uri": f"{self.url}/"}
        )

    async def _negotiate(self, _: web.Request) -> web.Response:
        return web.json_response({"call_id": "c1", "url": f"{self.url.replace('http', 'ws')}/client/hubs/clients"})

    async def _connect(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(protocols=(request.headers["Sec-WebSocket-Protocol"].split(",")[0].strip(),))
        await socket.prepare(request)
        await socket.send_json({"type": "system", "event": "connected", "userId": "u", "connectionId": "1"})
        self._connected.set_result(socket)
        async for frame in socket:
            if frame.type is WSMsgType.TEXT and json.loads(frame.data).get("type") == "ping":
                await socket.send_json({"type": "pong"})
        return socket


@asynccontextmanager
async def lone_page(tab: Tab) -> AsyncIterator[LonePage]:
    """Gives the page in `tab` with somebody signed in and a call under way."""
    page = LonePage()
    app = web.Application()
    app.add_routes(page.routes())
    async with TestServer(app) as server:
        page.url = str(server.make_url("")).rstrip("/").replace("127.0.0.1", "localhost")
        user = {
            "access_token": "t",
            "token_type": "Bearer",
            "scope": "openid",
            "profile": {"name": "Carl"},
            "expires_at": int(time.time()) + 3600,
        }
        key = json.dumps(f"oidc.user:{page.url}:page")
        signed_in = f"sessionStorage.setItem({key}, {json.dumps(json.dumps(user))});"
        await tab.send("Page.addScriptToEvaluateOnNewDocument", source=signed_in + _MICROPHONE)
        await tab.open(f"{page.url}/")
        await tab.click("#dial")
        await tab.wait_for("document.querySelector('main').dataset.state == 'ringing'", within_s=10)
        try:
            yield page
        finally:
            await page.hang_up()
