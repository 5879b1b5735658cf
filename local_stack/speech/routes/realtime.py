"""`GET /v1/realtime?intent=transcription`: OpenAI's realtime sessions, of which only transcription is spoken here.

Source: https://developers.openai.com/api/docs/guides/realtime-transcription and the events of
https://github.com/openai/openai-python/tree/main/src/openai/types/realtime
"""

from __future__ import annotations

import asyncio
import json
import secrets
from typing import Any

from aiohttp import WSMsgType, web

from local_stack.speech.backend import Backend
from local_stack.speech.errors import ApiError, CutStream
from local_stack.speech.hearing import HearingStream, check_language, open_stretch, read_samples
from local_stack.speech.routes.requests import context_of, ready_backend, timed

RATE_HZ = 24_000
SHORTEST_ITEM_S = 0.1
LARGEST_EVENT_BYTES = 16 * 2**20
_TRANSCRIPTION = "conversation.item.input_audio_transcription."


async def realtime(request: web.Request) -> web.StreamResponse:
    """A session until the client goes."""
    if request.query.get("intent") != "transcription" or "model" in request.query:
        raise ApiError(400, "only intent=transcription is served, and it takes no model", param="intent")
    if not request.headers.get("Authorization") and not request.headers.get("api-key"):
        raise ApiError(401, "you didn't provide an API key")
    backend = ready_backend(request)
    socket = web.WebSocketResponse(max_msg_size=LARGEST_EVENT_BYTES, compress=False)
    await socket.prepare(request)
    session = _Session(request, socket, backend)
    await session.begin()
    try:
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                await session.receive(message.data)
    finally:
        session.end()
    return socket


class _Session:
    """Handles one client's events in their order; transcriptions run beside them."""

    def __init__(self, request: web.Request, socket: web.WebSocketResponse, backend: Backend) -> None:
        self._request = request
        self._socket = socket
        self._backend = backend
        self._settings: dict[str, Any] = {"type": "transcription", "object": "realtime.transcription_session"}
        self._stretch: HearingStream = open_stretch(backend.transcriber, RATE_HZ)
        self._last_item: str | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def begin(self) -> None:
        await self._send("session.created", session=self._settings)

    async def receive(self, data: str) -> None:
        event_id = None
        try:
            event = json.loads(data)
            event_id = event.get("event_id")
            await self._handle(event)
        except (ValueError, AttributeError, KeyError, TypeError) as error:
            await self._refuse(event_id, "invalid_event", f"the event makes no sense: {error}")
        except ApiError as error:
            await self._refuse(event_id, error.code or "invalid_value", error.message)

    def end(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def _handle(self, event: dict[str, Any]) -> None:
        match event["type"]:
            case "session.update":
                self._update(event["session"])
                await self._send("session.updated", session=self._settings)
            case "input_audio_buffer.append":
                self._stretch.feed(read_samples(event["audio"]))
            case "input_audio_buffer.clear":
                self._stretch = open_stretch(self._backend.transcriber, RATE_HZ)
                await self._send("input_audio_buffer.cleared")
            case "input_audio_buffer.commit":
                await self._commit()
            case other:
                raise ApiError(400, f"unknown event {other!r}", code="invalid_value")

    def _update(self, settings: dict[str, Any]) -> None:
        if settings.get("type") != "transcription":
            raise ApiError(400, "a transcription session stays one", code="invalid_parameter")
        sound = settings.get("audio", {}).get("input", {})
        if sound.get("format", {"type": "audio/pcm", "rate": RATE_HZ}) != {"type": "audio/pcm", "rate": RATE_HZ}:
            raise ApiError(400, "only audio/pcm at 24000 Hz is served here", code="invalid_value")
        if sound.get("turn_detection") is not None:
            raise ApiError(400, "turn detection is not served here: send null", code="invalid_value")
        check_language(self._backend.transcriber, (sound.get("transcription") or {}).get("language") or "")
        self._settings |= settings

    async def _commit(self) -> None:
        if self._stretch.seconds < SHORTEST_ITEM_S:
            held_ms = self._stretch.seconds * 1000
            raise ApiError(
                400,
                f"buffer too small: expected at least 100ms of audio, but it has {held_ms:.2f}ms",
                code="input_audio_buffer_commit_empty",
            )
        stretch, self._stretch = self._stretch, open_stretch(self._backend.transcriber, RATE_HZ)
        item_id, before = f"item_{secrets.token_hex(10)}", self._last_item
        self._last_item = item_id
        await self._send("input_audio_buffer.committed", item_id=item_id, previous_item_id=before)
        task = asyncio.create_task(self._transcribe(item_id, stretch))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _transcribe(self, item_id: str, stretch: HearingStream) -> None:
        about: dict[str, Any] = {"item_id": item_id, "content_index": 0}
        try:
            async with timed(self._request, "stt") as entry:
                entry.details |= {"audio_ms": round(stretch.seconds * 1000), "transport": "realtime"}
                text = await stretch.words(context_of(self._request, entry))
                entry.mark_first_byte()
                if text:
                    await self._send(f"{_TRANSCRIPTION}delta", delta=text, **about)
                usage = {"type": "duration", "seconds": stretch.seconds}
                await self._send(f"{_TRANSCRIPTION}completed", transcript=text, usage=usage, **about)
        except ApiError as error:
            await self._send(f"{_TRANSCRIPTION}failed", error=error.body()["error"], **about)
        except CutStream:
            if self._request.transport is not None:
                self._request.transport.abort()

    async def _refuse(self, event_id: str | None, code: str, message: str) -> None:
        error = {"type": "invalid_request_error", "code": code, "message": message, "event_id": event_id}
        await self._send("error", error={**error, "param": None})

    async def _send(self, kind: str, **fields: Any) -> None:
        if not self._socket.closed:
            await self._socket.send_json({"type": kind, "event_id": f"event_{secrets.token_hex(8)}", **fields})
