"""A small app that Vonage's simulator calls: it checks signatures and answers as each test tells it."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import aiohttp
import jwt
import numpy as np
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from local_stack.phones import g711
from local_stack.phones.conversation import Plan
from local_stack.phones.provider_speech import ProviderSpeech
from local_stack.phones.vonage.account import Account
from local_stack.phones.vonage.call import VonageCall
from local_stack.phones.vonage.options import CallOptions, Direction
from tests.local_stack.phones.clocks import FastClock
from tests.local_stack.phones.twilio.voice_app import spoken

SECRET, APPLICATION = "s" * 32, "aaaaaaaa-bbbb-cccc-dddd-0123456789ab"
PLAN = Plan(quiet_ms=200, greeting_timeout_ms=10_000, reply_timeout_ms=10_000)
Reply = tuple[int, Any]
FRAME = (8000 * np.sin(np.arange(320) / 3)).astype("<i2").tobytes()


@cache
def private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@cache
def account() -> Account:
    names = ("VONAGE_API_KEY", "VONAGE_SIGNATURE_SECRET", "VONAGE_APPLICATION_ID", "VONAGE_PRIVATE_KEY")
    found = Account.of(dict(zip(names, ("key", SECRET, APPLICATION, private_key()), strict=True)))
    assert found is not None
    return found


class Parrot(ProviderSpeech):
    """Says every text as half a second of tone, and hears the same words in everything."""

    def __init__(self) -> None:
        super().__init__("http://localhost:9")

    async def hear_line(self, ulaw_8k: bytes, language: str = "") -> str:
        return "hello there"

    async def say_to_line(self, text: str) -> bytes:
        tone = (8000 * np.sin(np.arange(4000) / 3)).astype(np.int16)
        return g711.encode(tone)


@dataclass
class VoiceApp:
    """`replies`: by door, what to answer next; the last one again and again. `on_socket`: talks on the socket."""

    origin: str = ""
    replies: dict[str, list[Reply]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    claims: list[dict[str, Any]] = field(default_factory=list)
    frames: list[bytes] = field(default_factory=list)
    texts: list[dict[str, Any]] = field(default_factory=list)
    socket_headers: list[str] = field(default_factory=list)
    close_codes: list[int | None] = field(default_factory=list)
    on_socket: Callable[[web.WebSocketResponse], Any] | None = None

    def statuses(self) -> list[str]:
        return [document["status"] for door, document in self.asked if door == "event" and "status" in document]

    def of(self, door: str) -> list[dict[str, Any]]:
        return [document for asked, document in self.asked if asked == door]

    async def answer(self, request: web.Request) -> web.Response:
        body, door = await request.read(), request.match_info["door"]
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
        claims = jwt.decode(bearer, SECRET, algorithms=["HS256"])
        if request.method == "POST":
            assert claims["payload_hash"] == hashlib.sha256(body).hexdigest()
        self.claims.append(claims)
        self.asked.append((door, json.loads(body) if body else dict(request.query)))
        replies = self.replies.get(door, [(204, None)])
        status, document = replies.pop(0) if len(replies) > 1 else replies[0]
        if status == 0:
            await asyncio.sleep(30)
        return web.Response(status=status) if document is None else web.json_response(document, status=status)

    async def socket(self, request: web.Request) -> web.WebSocketResponse:
        self.socket_headers.append(request.headers.get("Authorization", ""))
        ws = web.WebSocketResponse(autoping=True)
        await ws.prepare(request)
        talking = None if self.on_socket is None else asyncio.create_task(self.on_socket(ws))
        async for message in ws:
            if message.type is aiohttp.WSMsgType.BINARY:
                self.frames.append(message.data)
            elif message.type is aiohttp.WSMsgType.TEXT:
                self.texts.append(json.loads(message.data))
        if talking is not None:
            talking.cancel()
        self.close_codes.append(ws.close_code)
        return ws

    def url(self, door: str) -> list[str]:
        return [f"{self.origin}/{door}"]

    def connect(self, **more: Any) -> dict[str, Any]:
        endpoint = {
            "type": "websocket",
            "uri": self.origin.replace("http", "ws") + "/socket",
            "content-type": "audio/l16;rate=16000",
            "headers": {"ticket": "t"},
            "authorization": {"type": "custom", "value": "Bearer ours"},
            **more,
        }
        return {"action": "connect", "from": "15550100014", "eventUrl": self.url("event"), "endpoint": [endpoint]}

    def call(self, speed: float = 5.0, **changes: Any) -> VonageCall:
        options = CallOptions(
            account=account(),
            direction=Direction.INBOUND,
            from_number="+14155550100",
            to_number="+15550100014",
            answer_url=f"{self.origin}/answer",
            event_url=f"{self.origin}/event",
            speech=Parrot(),
            people={},
            utterances=(spoken(0.4),),
            plan=PLAN,
            max_call_ms=20_000,
        )
        return VonageCall(dataclasses.replace(options, **changes), clock=FastClock(speed))


@asynccontextmanager
async def voice_app() -> AsyncIterator[VoiceApp]:
    app, site = VoiceApp(), web.Application()
    site.router.add_get("/socket", app.socket)
    site.router.add_route("*", "/{door}", app.answer)
    runner = web.AppRunner(site, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    app.origin = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield app
    finally:
        await runner.cleanup()
