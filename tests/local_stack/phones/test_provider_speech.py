from __future__ import annotations

import asyncio
import io
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from local_stack.phones import g711, wav
from local_stack.phones.provider_speech import ProviderSpeech, SpeechTrouble
from tests.local_stack.phones.twilio.voice_app import tone


@asynccontextmanager
async def speech(
    folder: Path, words: str = "hello there", delay_s: float = 0.0
) -> AsyncIterator[tuple[str, list[bytes]]]:
    heard: list[bytes] = []
    wav.write(folder / "voice.wav", tone(0.5), 8000)

    async def transcribe(request: web.Request) -> web.Response:
        form = await request.post()
        upload = form["file"]
        assert isinstance(upload, web.FileField)
        heard.append(upload.file.read())
        await asyncio.sleep(delay_s)
        return web.json_response({"text": f" {words} "})

    async def synthesise(_request: web.Request) -> web.Response:
        return web.Response(body=(folder / "voice.wav").read_bytes(), content_type="audio/wav")

    app = web.Application()
    app.router.add_post("/v1/audio/transcriptions", transcribe)
    app.router.add_post("/v1/audio/speech", synthesise)
    async with TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/"), heard


async def test_it_hears_a_telephone_line_at_16_khz(tmp_path: Path) -> None:
    async with speech(tmp_path) as (url, heard):
        assert await ProviderSpeech(url).hear_line(g711.encode(tone(0.25))) == "hello there"
    with wave.open(io.BytesIO(heard[0])) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16000, 1, 2)
        assert file.getnframes() == 4000


async def test_it_speaks_at_16_khz_and_into_the_line(tmp_path: Path) -> None:
    async with speech(tmp_path) as (url, _):
        voice = ProviderSpeech(url)
        pcm = np.frombuffer(await voice.say("hello"), "<i2")
        line = await voice.say_to_line("hello")
    assert len(pcm) == 8000
    assert 7000 < np.abs(pcm.astype(int)).max() < 9000
    assert len(line) == 4000
    assert g711.is_audible(line[1600:1760])


async def test_silence_is_not_asked_for_its_words() -> None:
    assert await ProviderSpeech("http://localhost:1").hear(b"") == ""


async def test_what_goes_wrong_is_one_clear_line(tmp_path: Path) -> None:
    nowhere = ProviderSpeech(f"http://127.0.0.1:{unused_port()}")
    for attempt in (nowhere.hear(b"\0\0" * 100), nowhere.say("hello")):
        with pytest.raises(SpeechTrouble, match=r"the provider's (ear|voice)") as trouble:
            await attempt
        assert "\n" not in str(trouble.value)
    async with speech(tmp_path, delay_s=5) as (url, _):
        with pytest.raises(SpeechTrouble, match=r"longer than 0\.05 s"):
            await ProviderSpeech(url, deadline_s=0.05).hear(b"\0\0" * 100)
