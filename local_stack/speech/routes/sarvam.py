"""Sarvam's speech to text, under `/sarvam`: the realtime socket with manual endpointing, and the request.

A stand-in after the shapes of Sarvam's SDK; what its service does beyond them is not known here.
Source: https://pypi.org/project/sarvamai/0.1.39 (`types/realtime_*.py`, `speech_to_text/raw_client.py`) and
https://docs.sarvam.ai/api-reference/speech-to-text/transcribe/realtime/ws
"""

from __future__ import annotations

import asyncio
import json
import secrets
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

from local_stack.speech.backend import Backend, Hearing
from local_stack.speech.errors import ApiError, CutStream
from local_stack.speech.hearing import HearingStream, open_stretch, read_samples
from local_stack.speech.routes.requests import context_of, ready_backend, timed
from local_stack.speech.routes.transcriptions import read_form, read_recording

PREFIX = "/sarvam"
LONGEST_REQUEST_S = 30.0
_KEY_HEADER = "api-subscription-key"
_CODES_OF_LANGUAGES = "en hi bn kn ml mr pa ta te gu as ur ne kok ks sd sa sat mni brx mai doi"
_LANGUAGES = {f"{code}-IN" for code in _CODES_OF_LANGUAGES.split()}
_SOCKET_LANGUAGES = _LANGUAGES | {"or-IN", "auto"}
_REQUEST_LANGUAGES = _LANGUAGES | {"od-IN", "unknown"}
"""Odia has two names, one on the socket, one elsewhere."""
_REJECTED = 4000
_ERROR_CODES = {429: "rate_limit_exceeded_error", 500: "internal_server_error"}


def add_sarvam(app: web.Application) -> None:
    """Its two routes."""
    app.router.add_get(f"{PREFIX}/speech-to-text-realtime/ws", realtime)
    app.router.add_post(f"{PREFIX}/speech-to-text", transcribe)


async def transcribe(request: web.Request) -> web.StreamResponse:
    """A recording of at most 30 seconds in, its words out."""
    try:
        async with timed(request, "stt") as entry:
            if not request.headers.get(_KEY_HEADER):
                raise ApiError(403, "no subscription key", code="invalid_api_key_error")
            backend = ready_backend(request)
            form = await read_form(request)
            if form.fields.get("language_code", "unknown") not in _REQUEST_LANGUAGES:
                raise ApiError(422, "unknown language_code", code="unprocessable_entity_error")
            pcm = read_recording(form.file)
            if pcm.seconds > LONGEST_REQUEST_S:
                raise ApiError(400, "the recording is longer than 30 seconds", code="invalid_request_error")
            entry.details |= {"audio_ms": round(pcm.seconds * 1000), "transport": "sarvam"}
            text = await backend.transcriber.transcribe(Hearing(pcm, ""), context_of(request, entry))
            entry.mark_first_byte()
            return web.json_response({"request_id": secrets.token_hex(8), "transcript": text, "language_code": None})
    except ApiError as error:
        code = _ERROR_CODES.get(error.status, error.code)
        body = {"request_id": secrets.token_hex(8), "message": error.message, "code": code}
        return web.json_response({"error": body}, status=error.status)


async def realtime(request: web.Request) -> web.StreamResponse:
    """A session until one side goes."""
    backend = ready_backend(request)
    socket = web.WebSocketResponse(compress=False)
    await socket.prepare(request)
    session = _Session(request, socket, backend)
    if await session.begin():
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT and not await session.receive(message.data):
                    break
        finally:
            session.end()
    return socket


class _Session:
    """Utterances are finalised in their order, as the numbers of their transcripts say."""

    def __init__(self, request: web.Request, socket: web.WebSocketResponse, backend: Backend) -> None:
        self._request = request
        self._socket = socket
        self._backend = backend
        self._request_id = secrets.token_hex(8)
        self._stretch: HearingStream | None = None
        self._utterances = 0
        self._rate_hz = 16_000
        self._tasks: set[asyncio.Task[None]] = set()
        self._finalizing = asyncio.Lock()

    async def begin(self) -> bool:
        """Whether the session is accepted."""
        query = self._request.query
        if not self._request.headers.get(_KEY_HEADER):
            return await self._reject(
                WSCloseCode.UNSUPPORTED_DATA, "invalid_api_key_error", "no subscription key", 403
            )
        if query.get("language_code") not in _SOCKET_LANGUAGES:
            return await self._reject(_REJECTED, "invalid_config", "unknown language_code", 400)
        if query.get("sample_rate", "16000") not in ("8000", "16000") or query.get("encoding") != "linear16":
            return await self._reject(_REJECTED, "invalid_config", "only linear16 at 8000 or 16000 Hz here", 400)
        if query.get("endpointing") != "manual":
            return await self._reject(_REJECTED, "invalid_config", "only manual endpointing is served here", 400)
        self._rate_hz = int(query.get("sample_rate", "16000"))
        config = {**query, "turn_detection": "manual", "sample_rate": self._rate_hz}
        await self._send("session.begin", request_id=self._request_id, config=config)
        return True

    async def receive(self, data: str) -> bool:
        """Whether the session goes on."""
        try:
            event = json.loads(data)
            match event["event"]:
                case "speech_start":
                    self._stretch = open_stretch(self._backend.transcriber, self._rate_hz)
                case "audio_input":
                    if self._stretch is not None:
                        self._stretch.feed(read_samples(event["audio"]))
                case "speech_end" | "flush":
                    self._finalize(event["event"] == "flush")
                case "ping":
                    await self._send("pong")
                case "end":
                    await asyncio.gather(*self._tasks)
                    await self._send("session.end", request_id=self._request_id, total_utterances=self._utterances)
                    return False
                case other:
                    raise ApiError(400, f"unknown event {other!r}")
        except (ValueError, KeyError, TypeError, ApiError) as error:
            await self._send("error", code="invalid_request_error", is_fatal=False, message=str(error))
        return True

    def end(self) -> None:
        for task in self._tasks:
            task.cancel()

    def _finalize(self, goes_on: bool) -> None:
        stretch = self._stretch
        if stretch is None:
            return
        self._stretch = open_stretch(self._backend.transcriber, self._rate_hz) if goes_on else None
        task = asyncio.create_task(self._transcribe(self._utterances, stretch))
        self._utterances += 1
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _transcribe(self, index: int, stretch: HearingStream) -> None:
        try:
            async with self._finalizing, timed(self._request, "stt") as entry:
                entry.details |= {"audio_ms": round(stretch.seconds * 1000), "transport": "sarvam-realtime"}
                text = await stretch.words(context_of(self._request, entry))
                entry.mark_first_byte()
                await self._send("transcript.final", utterance_idx=index, text=text)
        except ApiError as error:
            close_code = WSCloseCode.UNSUPPORTED_DATA if error.status == 429 else WSCloseCode.INTERNAL_ERROR
            await self._reject(
                close_code, _ERROR_CODES.get(error.status, "model_call_error"), error.message, error.status
            )
        except CutStream:
            if self._request.transport is not None:
                self._request.transport.abort()

    async def _reject(self, close_code: int, code: str, message: str, status: int) -> bool:
        await self._send("error", code=code, is_fatal=True, message=message, status_code=status)
        await self._socket.close(code=close_code, message=message.encode()[:123])
        return False

    async def _send(self, event: str, **fields: Any) -> None:
        if not self._socket.closed:
            await self._socket.send_json({"event": event, **fields})
