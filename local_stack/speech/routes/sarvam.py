"""Sarvam's ear, under `/sarvam`: the realtime socket with manual endpointing, and the request.

A stand-in after the shapes of Sarvam's SDK; what its service does beyond them is not known here.
Source: https://pypi.org/project/sarvamai/0.1.39 (`types/realtime_*.py`, `speech_to_text/raw_client.py`) and
https://docs.sarvam.ai/api-reference/speech-to-text/transcribe/realtime/ws
"""

from __future__ import annotations

import asyncio
import json
import secrets
from typing import Any

from aiohttp import WSCloseCode, web

from local_stack.speech.backend import Backend, Hearing
from local_stack.speech.errors import ApiError, CutStream
from local_stack.speech.hearing import HearingStream, check_language, open_stretch, read_mulaw, read_samples
from local_stack.speech.routes.requests import context_of, ready_backend, timed
from local_stack.speech.routes.sarvam_account import (
    ERROR_CODES,
    HEARD_LANGUAGES,
    KEY_HEADER,
    PREFIX,
    converse,
    identify,
    one_of,
    sarvams,
)
from local_stack.speech.routes.sarvam_text import add_sarvam_text
from local_stack.speech.routes.sarvam_voice import add_sarvam_voice
from local_stack.speech.routes.transcriptions import read_form, read_recording

LONGEST_REQUEST_S = 30.0
_SOCKET_LANGUAGES = HEARD_LANGUAGES | {"or-IN", "auto"}
_REQUEST_LANGUAGES = HEARD_LANGUAGES | {"od-IN", "unknown"}
_REJECTED = 4000


def add_sarvam(app: web.Application) -> None:
    """Its ear, its voice and its work with text."""
    app.router.add_get(f"{PREFIX}/speech-to-text-realtime/ws", realtime)
    app.router.add_post(f"{PREFIX}/speech-to-text", sarvams(transcribe))
    app.router.add_get(f"{PREFIX}/", is_there)
    add_sarvam_voice(app)
    add_sarvam_text(app)


async def is_there(request: web.Request) -> web.StreamResponse:
    """There is nothing here, but somebody answers."""
    ready_backend(request)
    return web.json_response({})


async def transcribe(request: web.Request) -> web.StreamResponse:
    """A recording of at most 30 seconds in, its words out."""
    async with timed(request, "stt") as entry:
        backend = ready_backend(request)
        form = await read_form(request)
        asked = one_of({"language_code": "unknown", **form.fields}, "language_code", _REQUEST_LANGUAGES)
        check_language(backend.transcriber, asked)
        pcm = read_recording(form.file)
        if pcm.seconds > LONGEST_REQUEST_S:
            raise ApiError(400, "the recording is longer than 30 seconds")
        entry.details |= {"audio_ms": round(pcm.seconds * 1000), "transport": "sarvam"}
        text = await backend.transcriber.transcribe(Hearing(pcm, ""), context_of(request, entry))
        entry.mark_first_byte()
        language = identify(text)[0] if asked == "unknown" else asked
        return web.json_response({"request_id": secrets.token_hex(8), "transcript": text, "language_code": language})


async def realtime(request: web.Request) -> web.StreamResponse:
    """A session until one side goes."""
    backend = ready_backend(request)
    socket = web.WebSocketResponse(compress=False)
    await socket.prepare(request)
    session = _Session(request, socket, backend)
    if await session.begin():
        await converse(socket, session)
    return socket


_ENCODINGS = {"linear16": read_samples, "mulaw": read_mulaw}


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
        self._read = read_samples
        self._language = ""
        self._tasks: set[asyncio.Task[None]] = set()
        self._finalizing = asyncio.Lock()

    async def begin(self) -> bool:
        """Whether the session is accepted."""
        query = self._request.query
        if not self._request.headers.get(KEY_HEADER):
            return await self._reject(
                WSCloseCode.UNSUPPORTED_DATA, "invalid_api_key_error", "no subscription key", 403
            )
        if query.get("language_code") not in _SOCKET_LANGUAGES:
            return await self._reject(_REJECTED, "invalid_config", "unknown language_code", 400)
        if query.get("sample_rate", "16000") not in ("8000", "16000") or query.get("encoding") not in _ENCODINGS:
            return await self._reject(
                _REJECTED, "invalid_config", "only linear16 and mulaw at 8000 or 16000 Hz here", 400
            )
        self._read = _ENCODINGS[query["encoding"]]
        if query.get("endpointing") != "manual":
            return await self._reject(_REJECTED, "invalid_config", "only manual endpointing is served here", 400)
        self._language = str(query["language_code"])
        try:
            check_language(self._backend.transcriber, self._language)
        except ApiError as error:
            return await self._reject(_REJECTED, "invalid_config", error.message, error.status)
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
                        self._stretch.feed(self._read(event["audio"]))
                case "speech_end" | "flush":
                    self._finalize(event["event"] == "flush")
                case "config.update":
                    await self._update(event)
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

    async def _update(self, event: dict[str, Any]) -> None:
        language = event["language_code"]
        if language not in _SOCKET_LANGUAGES:
            raise ApiError(400, "unknown language_code")
        check_language(self._backend.transcriber, language)
        self._language = language
        await self._send("config.updated", applied=["language_code"])

    def _language_of(self, text: str) -> dict[str, Any]:
        """It is told where it was to be detected."""
        language = identify(text)[0] if self._language == "auto" else None
        return {"language": language, "language_confidence": 0.9} if language else {}

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
                await self._send("transcript.final", utterance_idx=index, text=text, **self._language_of(text))
        except ApiError as error:
            close_code = WSCloseCode.UNSUPPORTED_DATA if error.status == 429 else WSCloseCode.INTERNAL_ERROR
            await self._reject(
                close_code, ERROR_CODES.get(error.status, "model_call_error"), error.message, error.status
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
