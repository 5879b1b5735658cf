"""A small voice app for the simulator to call: a webhook, a media socket and an agent that beeps in reply."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestServer

from local_stack.phones import g711
from local_stack.phones.utterance import Utterance, from_samples

QUIET_FRAMES_END_A_TURN = 10


def tone(seconds: float, hz: float = 440.0, level: float = 8000.0) -> np.ndarray[Any, np.dtype[np.int16]]:
    moments = np.arange(round(seconds * g711.SAMPLE_RATE_HZ)) / g711.SAMPLE_RATE_HZ
    return (level * np.sin(2 * np.pi * hz * moments)).astype(np.int16)


def beep(seconds: float) -> bytes:
    return g711.encode(tone(seconds))


def spoken(seconds: float, lead_s: float = 0.1, tail_s: float = 0.1, text: str | None = "a tone") -> Utterance:
    """A tone between two silences, as an utterance."""
    silence = [np.zeros(round(part * g711.SAMPLE_RATE_HZ), np.int16) for part in (lead_s, tail_s)]
    return from_samples(np.concatenate([silence[0], tone(seconds, 600), silence[1]]), "tone.wav", text)


@dataclass
class Received:
    """One HTTP request as it came in."""

    path: str
    url: str
    headers: dict[str, str]
    fields: list[tuple[str, str]]
    body: bytes


@dataclass
class VoiceApp:
    """What it answers can be set; what it received can be looked at."""

    origin: str = ""
    twiml: str | None = None
    voice_status: int = 200
    greeting_s: float = 0.3
    reply_s: float = 0.4
    requests: list[Received] = field(default_factory=list)
    upgrades: list[dict[str, str]] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)
    raw: list[str] = field(default_factory=list)
    sockets: list[web.WebSocketResponse] = field(default_factory=list)
    close_codes: list[int | None] = field(default_factory=list)
    clears_on_speech: bool = True
    say_on_start: list[str | bytes] = field(default_factory=list)
    refuse_upgrade: int | None = None
    close_after_messages: int | None = None
    drop_after_messages: int | None = None
    used_tickets: set[str] = field(default_factory=set)
    transcript: str = "which folder"
    turns: list[dict[str, Any]] = field(default_factory=list)
    api_status: int = 200
    api_requests: list[dict[str, str]] = field(default_factory=list)
    record_known: bool = True

    def default_twiml(self) -> str:
        stream = self.origin.replace("http", "ws") + "/media?dropped=1"
        return (
            f'<?xml version="1.0"?><Response><Connect><Stream url="{stream}" name="agent" '
            f'statusCallback="{self.origin}/stream-status">'
            '<Parameter name="ticket" value="t-1"/></Stream></Connect></Response>'
        )

    def application(self) -> web.Application:
        app = web.Application()
        app.router.add_route("*", "/voice", self.on_voice)
        app.router.add_post("/status", self.on_notice)
        app.router.add_post("/stream-status", self.on_notice)
        app.router.add_get("/media", self.on_media)
        app.router.add_post("/api/webhooks/twilio/voice", self.on_voice)
        app.router.add_post("/api/webhooks/twilio/status", self.on_notice)
        app.router.add_get("/api/calls", self.on_calls)
        app.router.add_get("/api/calls/{call_id}", self.on_call)
        return app

    async def _note(self, request: web.Request) -> None:
        body = await request.read()
        fields = [(name, str(value)) for name, value in (await request.post()).items()]
        url = self.origin + request.raw_path
        self.requests.append(Received(request.path, url, dict(request.headers), fields, body))

    async def on_voice(self, request: web.Request) -> web.Response:
        await self._note(request)
        text = self.default_twiml() if self.twiml is None else self.twiml
        return web.Response(text=text, status=self.voice_status, content_type="text/xml")

    async def on_notice(self, request: web.Request) -> web.Response:
        await self._note(request)
        return web.Response(status=204)

    async def on_calls(self, request: web.Request) -> web.Response:
        self.api_requests.append(dict(request.headers))
        if self.api_status != 200:
            return web.Response(status=self.api_status)
        return web.json_response({"calls": [self.record()] if self.record_known else []})

    async def on_call(self, request: web.Request) -> web.Response:
        return web.json_response(self.record())

    def record(self) -> dict[str, Any]:
        """The call as the app's own API tells it."""
        over = bool(self.close_codes)
        turns = [turn for turn in self.turns if over or turn["number"] == 0 or turn["heard"]]
        state = "completed" if over else "in_progress"
        return {"call_id": "call-1", "state": state, "end_reason": None, "turns": turns}

    async def on_media(self, request: web.Request) -> web.StreamResponse:
        self.upgrades.append({**request.headers, "raw_path": request.raw_path})
        if self.refuse_upgrade is not None:
            return web.Response(status=self.refuse_upgrade)
        ws = web.WebSocketResponse(max_msg_size=4 * 1024 * 1024)
        await ws.prepare(request)
        self.sockets.append(ws)
        try:
            await self._converse(request, ws)
        finally:
            self.close_codes.append(ws.close_code or 1006)
        return ws

    async def _converse(self, request: web.Request, ws: web.WebSocketResponse) -> None:
        agent = ToneAgent(self, ws)
        async for message in ws:
            if message.type is not WSMsgType.TEXT:
                break
            self.raw.append(message.data)
            try:
                value = json.loads(message.data)
            except ValueError:
                await ws.close(code=1007)
                return
            self.messages.append(value)
            await agent.take(value)
            if len(self.messages) == self.drop_after_messages:
                assert request.transport is not None
                request.transport.abort()
            if self.close_after_messages is not None and len(self.messages) >= self.close_after_messages:
                await ws.close(code=1000)

    def of(self, path: str) -> list[Received]:
        return [request for request in self.requests if request.path == path]

    async def wait_until_hung_up(self) -> None:
        """Waits until every socket is closed."""
        async with asyncio.timeout(20):
            while len(self.close_codes) < len(self.sockets):
                await asyncio.sleep(0.005)

    def events(self, name: str) -> list[dict[str, Any]]:
        return [message for message in self.messages if message.get("event") == name]


class ToneAgent:
    """Beeps once as a greeting and once after each time the caller was loud and then quiet for 200 ms."""

    def __init__(self, app: VoiceApp, ws: web.WebSocketResponse) -> None:
        self._app = app
        self._ws = ws
        self._sid = ""
        self._loud = False
        self._quiet_frames = 0
        self._replies = 0

    async def take(self, message: dict[str, Any]) -> None:
        if message["event"] == "start":
            self._sid = message["streamSid"]
            ticket = message["start"]["customParameters"].get("ticket")
            if ticket is None or ticket in self._app.used_tickets:
                await self._ws.close(code=1008)
                return
            self._app.used_tickets.add(ticket)
            for raw in self._app.say_on_start:
                await (self._ws.send_bytes(raw) if isinstance(raw, bytes) else self._ws.send_str(raw))
            if self._app.greeting_s:
                self._note_turn(0, None, "hello")
                await self._say("greeting", self._app.greeting_s)
        elif message["event"] == "media" and self._sid:
            with suppress(binascii.Error):
                await self._hear(base64.b64decode(message["media"]["payload"], validate=True))

    async def _hear(self, frame: bytes) -> None:
        if g711.is_audible(frame):
            if not self._loud and self._app.clears_on_speech:
                await self._send({"event": "clear", "streamSid": self._sid})
            self._loud, self._quiet_frames = True, 0
            return
        self._quiet_frames += 1
        if self._loud and self._quiet_frames >= QUIET_FRAMES_END_A_TURN:
            self._loud = False
            self._replies += 1
            self._note_turn(self._replies, self._app.transcript, "a beep")
            if self._app.reply_s:
                await self._say(f"reply-{self._replies}", self._app.reply_s)

    def _note_turn(self, number: int, heard: str | None, said: str) -> None:
        now_ms = time.time() * 1000
        names = ("speech_ended_ms", "transcript_ms", "first_token_ms", "first_audio_byte_ms")
        moments = dict.fromkeys(names, now_ms)
        self._app.turns.append(
            {"number": number, "heard": heard, "said": said, "outcome": "completed", "moments": moments}
        )

    async def _say(self, name: str, seconds: float) -> None:
        payload = base64.b64encode(beep(seconds)).decode()
        await self._send({"event": "media", "streamSid": self._sid, "media": {"payload": payload}})
        await self._send({"event": "mark", "streamSid": self._sid, "mark": {"name": name}})

    async def _send(self, message: dict[str, Any]) -> None:
        await self._ws.send_str(json.dumps(message))


@asynccontextmanager
async def running(app: VoiceApp) -> AsyncIterator[VoiceApp]:
    server = TestServer(app.application())
    await server.start_server()
    app.origin = str(server.make_url("")).rstrip("/")
    try:
        yield app
    finally:
        for ws in app.sockets:
            if not ws.closed:
                async with asyncio.timeout(2):
                    await ws.close()
        await server.close()
