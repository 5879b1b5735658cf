"""`POST /v1/audio/transcriptions`. Source: https://platform.openai.com/docs/api-reference/audio/createTranscription"""

from __future__ import annotations

import json
from dataclasses import dataclass

from aiohttp import BodyPartReader, web

from local_stack.speech.audio import AudioError, Pcm, read_wav
from local_stack.speech.backend import Hearing
from local_stack.speech.errors import ApiError
from local_stack.speech.hearing import check_language
from local_stack.speech.routes.requests import context_of, ready_backend, timed

MAX_UPLOAD_BYTES = 25 * 2**20
_FORMATS = ("json", "text", "verbose_json")


@dataclass(slots=True)
class RecordingForm:
    """What came in a multipart form."""

    file: bytes | None
    fields: dict[str, str]


async def transcribe(request: web.Request) -> web.StreamResponse:
    """Multipart form in; text, JSON or one server-sent event pair out."""
    async with timed(request, "stt") as entry:
        backend = ready_backend(request)
        form = await read_form(request)
        response_format = form.fields.get("response_format", "json")
        if response_format not in _FORMATS:
            raise ApiError(400, f"response_format must be one of {', '.join(_FORMATS)}", param="response_format")
        pcm = read_recording(form.file)
        entry.call_key = form.fields.get("user") or form.fields.get("prompt", "")
        entry.details["audio_ms"] = round(pcm.seconds * 1000)
        entry.details["language"] = form.fields.get("language", "")
        context = context_of(request, entry)
        check_language(backend.transcriber, form.fields.get("language", ""))
        text = await backend.transcriber.transcribe(Hearing(pcm, entry.call_key), context)
        entry.mark_first_byte()
        if form.fields.get("stream", "").lower() == "true":
            return await _stream(request, text)
        return _response(text, response_format, pcm)


async def read_form(request: web.Request) -> RecordingForm:
    """The form of a request. Raises ApiError 400."""
    if not request.content_type.startswith("multipart/"):
        raise ApiError(400, "the body must be multipart/form-data")
    form = RecordingForm(None, {})
    try:
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader):
                raise ApiError(400, "nested multipart bodies are not supported")
            content = bytes(await part.read(decode=True))
            if part.name == "file":
                form.file = content
            elif part.name:
                form.fields[part.name] = content.decode("utf-8", "replace")
    except ValueError as error:
        raise ApiError(400, f"malformed multipart body: {error}") from error
    return form


def read_recording(content: bytes | None) -> Pcm:
    """The sound of an uploaded WAV file. Raises ApiError 400, 413."""
    if content is None:
        raise ApiError(400, "file is missing", param="file")
    if len(content) > MAX_UPLOAD_BYTES:
        raise ApiError(413, f"file is larger than {MAX_UPLOAD_BYTES} bytes", param="file")
    try:
        return read_wav(content)
    except AudioError as error:
        raise ApiError(400, f"file: {error}", param="file") from error


def _response(text: str, response_format: str, pcm: Pcm) -> web.Response:
    if response_format == "text":
        return web.Response(text=text + "\n")
    if response_format == "json":
        return web.json_response({"text": text})
    seconds = round(pcm.seconds, 3)
    segment = {
        "id": 0,
        "seek": 0,
        "start": 0.0,
        "end": seconds,
        "text": text,
        "tokens": [],
        "temperature": 0.0,
    }
    segment |= {"avg_logprob": 0.0, "compression_ratio": 1.0, "no_speech_prob": 0.0 if text else 1.0}
    body = {
        "task": "transcribe",
        "language": "english",
        "duration": seconds,
        "text": text,
        "segments": [segment],
    }
    return web.json_response(body)


async def _stream(request: web.Request, text: str) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"})
    await response.prepare(request)
    events = (
        {"type": "transcript.text.delta", "delta": text},
        {"type": "transcript.text.done", "text": text},
    )
    for event in events:
        await response.write(f"data: {json.dumps(event)}\n\n".encode())
    await response.write_eof()
    return response
