"""Sarvam's voice, under `/sarvam`: a request, a streamed one, and the socket.

Source: https://pypi.org/project/sarvamai/0.1.39 (`text_to_speech/raw_client.py`, `types/configure_connection*.py`)
"""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from aiohttp import WSCloseCode, web

from local_stack.speech.audio import wav_header
from local_stack.speech.backend import SPEECH_RATE_HZ, Backend, Speaking
from local_stack.speech.errors import ApiError, CutStream
from local_stack.speech.rate_change import RateChange
from local_stack.speech.routes.requests import (
    context_of,
    number_field,
    read_json,
    ready_backend,
    text_field,
    timed,
)
from local_stack.speech.routes.sarvam_account import PREFIX, SPOKEN_LANGUAGES, check_key, converse, one_of, sarvams
from local_stack.speech.timeline import Entry

_LONGEST = {"bulbul:v2": 1_500, "bulbul:v3": 2_500, "bulbul:v4-flash": 2_500}
_RATES_HZ = {8_000, 16_000, 22_050, 24_000}
_CONTENT_TYPES = {"linear16": "audio/l16", "wav": "audio/wav"}


@dataclass(frozen=True, slots=True)
class Voice:
    """What every way to speak is told about the voice."""

    model: str
    rate_hz: int
    codec: str
    pace: float


def add_sarvam_voice(app: web.Application) -> None:
    app.router.add_post(f"{PREFIX}/text-to-speech", sarvams(speak_whole))
    app.router.add_post(f"{PREFIX}/text-to-speech/stream", sarvams(speak_streamed))
    app.router.add_get(f"{PREFIX}/text-to-speech/ws", speak_by_socket)


def read_voice(body: dict[str, Any], model: str | None = None) -> Voice:
    """Raises: ApiError 400, 422."""
    one_of(body, "language_code", SPOKEN_LANGUAGES)
    model = one_of({"model": body.get("model") or model or "bulbul:v3"}, "model", set(_LONGEST))
    speaker = text_field(body, "speaker", "shubh")
    if speaker != speaker.lower() or not speaker:
        raise ApiError(422, "speakers are in small letters", param="speaker")
    rate_hz = body.get("speech_sample_rate", 22_050)
    if rate_hz not in _RATES_HZ:
        raise ApiError(422, f"speech_sample_rate must be one of {sorted(_RATES_HZ)}", param="speech_sample_rate")
    codec = one_of(body, "output_audio_codec", set(_CONTENT_TYPES), "wav")
    return Voice(model, int(rate_hz), codec, number_field(body, "pace", 0.3, 3.0) or 1.0)


async def speak_streamed(request: web.Request) -> web.StreamResponse:
    """JSON in, sound out while it is made."""
    async with timed(request, "tts") as entry:
        text, voice, backend = await _read(request, entry, "sarvam-stream")
        response = web.StreamResponse(headers={"Content-Type": _CONTENT_TYPES[voice.codec]})
        async with aclosing(_sound(backend, text, voice, request, entry)) as pieces:
            async for piece in pieces:
                if not response.prepared:  # an error before the first byte still has its own status
                    await response.prepare(request)
                    if voice.codec == "wav":
                        await response.write(wav_header(voice.rate_hz))
                await response.write(piece)
                entry.mark_first_byte()
        if not response.prepared:
            await response.prepare(request)
        await response.write_eof()
        return response


async def speak_whole(request: web.Request) -> web.StreamResponse:
    """JSON in, all of the sound out in base64."""
    async with timed(request, "tts") as entry:
        text, voice, backend = await _read(request, entry, "sarvam")
        async with aclosing(_sound(backend, text, voice, request, entry)) as pieces:
            pcm = b"".join([piece async for piece in pieces])
        header = wav_header(voice.rate_hz, len(pcm)) if voice.codec == "wav" else b""
        entry.mark_first_byte()
        audios = [base64.b64encode(header + pcm).decode()]
        return web.json_response({"request_id": secrets.token_hex(8), "audios": audios})


async def _read(request: web.Request, entry: Entry, transport: str) -> tuple[str, Voice, Backend]:
    backend, body = ready_backend(request), await read_json(request)
    voice = read_voice(body)
    text = text_field(body, "text")
    if not text.strip() or len(text) > _LONGEST[voice.model]:
        raise ApiError(400, f"text must have 1 to {_LONGEST[voice.model]} characters", param="text")
    entry.details |= {"characters": len(text), "transport": transport}
    return text, voice, backend


async def _sound(
    backend: Backend, text: str, voice: Voice, request: web.Request, entry: Entry
) -> AsyncGenerator[bytes, None]:
    change = RateChange(SPEECH_RATE_HZ, voice.rate_hz)
    speaking = Speaking(text, voice.pace)
    async with aclosing(backend.synthesizer.synthesize(speaking, context_of(request, entry))) as pieces:
        async for piece in pieces:
            if pcm := change.push(piece):
                yield pcm
    if pcm := change.flush():
        yield pcm


async def speak_by_socket(request: web.Request) -> web.StreamResponse:
    """The socket: texts in, and the sound of each in turn, until one side goes."""
    check_key(request)
    backend = ready_backend(request)
    socket = web.WebSocketResponse(compress=False)
    await socket.prepare(request)
    await converse(socket, _Session(request, socket, backend))
    return socket


class _Session:
    """Nothing that was sent is taken back; each flush is answered with its sound and then `final`."""

    def __init__(self, request: web.Request, socket: web.WebSocketResponse, backend: Backend) -> None:
        self._request = request
        self._socket = socket
        self._backend = backend
        self._voice: Voice | None = None
        self._buffer = ""
        self._speaking = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    async def receive(self, data: str) -> bool:
        """Whether the session goes on."""
        try:
            message = json.loads(data)
            match message["type"]:
                case "config":
                    self._flush()
                    self._voice = read_voice(message["data"], self._request.query.get("model"))
                case "text":
                    if self._voice is None:
                        raise ApiError(400, "the first message must be a config")
                    self._buffer += text_field(message["data"], "text")
                case "flush":
                    self._flush(final=True)
                case "ping":
                    pass
                case other:
                    raise ApiError(400, f"unknown type {other!r}")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            return await self._refuse(ApiError(400, f"the message makes no sense: {error}"))
        except ApiError as error:
            return await self._refuse(error)
        return True

    def end(self) -> None:
        for task in self._tasks:
            task.cancel()

    def _flush(self, *, final: bool = False) -> None:
        text, self._buffer = self._buffer, ""
        if self._voice is None or not (text.strip() or final):
            return
        task = asyncio.create_task(self._speak(text, self._voice))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _speak(self, text: str, voice: Voice) -> None:
        try:
            async with self._speaking:
                if text.strip():
                    await self._synthesize(text, voice)
                if self._request.query.get("send_completion_event") == "true":
                    await self._send("event", event_type="final")
        except ApiError as error:
            await self._refuse(error)
        except CutStream:
            if self._request.transport is not None:
                self._request.transport.abort()
        except ConnectionError:
            return  # nobody listens any more

    async def _synthesize(self, text: str, voice: Voice) -> None:
        async with timed(self._request, "tts") as entry:
            entry.details |= {"characters": len(text), "transport": "sarvam-socket"}
            async with aclosing(_sound(self._backend, text, voice, self._request, entry)) as pieces:
                async for piece in pieces:
                    audio = base64.b64encode(piece).decode()
                    await self._send("audio", content_type=_CONTENT_TYPES[voice.codec], audio=audio)
                    entry.mark_first_byte()

    async def _refuse(self, error: ApiError) -> bool:
        await self._send("error", message=error.message, code=error.status, request_id=secrets.token_hex(8))
        await self._socket.close(code=WSCloseCode.INTERNAL_ERROR)
        return False

    async def _send(self, kind: str, **data: Any) -> None:
        if not self._socket.closed:
            await self._socket.send_json({"type": kind, "data": data})
