"""`POST /v1/audio/speech`. Source: https://platform.openai.com/docs/api-reference/audio/createSpeech"""

from __future__ import annotations

import base64
import json
from contextlib import aclosing

from aiohttp import web

from local_stack.speech.audio import wav_header
from local_stack.speech.backend import SPEECH_RATE_HZ, Speaking
from local_stack.speech.errors import ApiError
from local_stack.speech.routes.requests import (
    context_of,
    number_field,
    read_json,
    ready_backend,
    text_field,
    timed,
)

MAX_CHARACTERS = 4096
_CONTENT_TYPES = {"pcm": "audio/pcm", "wav": "audio/wav"}


async def speak(request: web.Request) -> web.StreamResponse:
    """JSON in; audio out in chunks as it is made (or base64 in server-sent events)."""
    async with timed(request, "tts") as entry:
        backend = ready_backend(request)
        body = await read_json(request)
        text = text_field(body, "input")
        if not text.strip() or len(text) > MAX_CHARACTERS:
            raise ApiError(400, f"input must have 1 to {MAX_CHARACTERS} characters", param="input")
        audio_format = text_field(body, "response_format", "mp3")
        if audio_format not in _CONTENT_TYPES:
            raise ApiError(400, "response_format must be pcm or wav", param="response_format")
        events = body.get("stream_format") == "sse"
        speed = number_field(body, "speed", 0.25, 4.0) or 1.0
        entry.details |= {"characters": len(text), "text": text[:80]}
        context = context_of(request, entry)
        response = web.StreamResponse(headers=_headers(audio_format, events))
        sent_bytes = 0
        async with aclosing(backend.synthesizer.synthesize(Speaking(text, speed), context)) as pieces:
            async for piece in pieces:
                if not response.prepared:  # an error before the first byte still has its own status
                    await _begin(response, request, audio_format, events)
                await response.write(_framed(piece, events))
                entry.mark_first_byte()
                sent_bytes += len(piece)
        if not response.prepared:  # a text without a word in it
            await _begin(response, request, audio_format, events)
        if events:
            await response.write(_event({"type": "speech.audio.done"}))
        entry.details["audio_ms"] = sent_bytes * 500 // SPEECH_RATE_HZ
        await response.write_eof()
        return response


async def _begin(response: web.StreamResponse, request: web.Request, audio_format: str, events: bool) -> None:
    await response.prepare(request)
    if audio_format == "wav":
        await response.write(_framed(wav_header(SPEECH_RATE_HZ), events))


def _headers(audio_format: str, events: bool) -> dict[str, str]:
    return {"Content-Type": "text/event-stream" if events else _CONTENT_TYPES[audio_format]}


def _framed(piece: bytes, events: bool) -> bytes:
    if not events:
        return piece
    return _event({"type": "speech.audio.delta", "audio": base64.b64encode(piece).decode()})


def _event(content: dict[str, str]) -> bytes:
    return f"data: {json.dumps(content)}\n\n".encode()
