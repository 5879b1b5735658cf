"""Sarvam's voice and its work with text at the local service, as its documents tell them."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import numpy as np
import pytest

from local_stack.speech.rate_change import RateChange
from tests.local_stack.speech.conftest import Service

KEY = {"api-subscription-key": "local"}
VOICE = {"language_code": "en-IN", "speaker": "shubh", "speech_sample_rate": 16000, "output_audio_codec": "linear16"}
TEXT = "It is on its way to you."
WHOLE_MS = len(TEXT) * 45


async def ask(service: Service, path: str, headers: dict[str, str] = KEY, **body: Any) -> Any:
    return await service.http.post(f"/sarvam/{path}", json=body, headers=headers)


@asynccontextmanager
async def socket(service: Service, query: str = "send_completion_event=true") -> AsyncIterator[Any]:
    async with (
        aiohttp.ClientSession(headers=KEY) as http,
        http.ws_connect(f"{service.url}/sarvam/text-to-speech/ws?model=bulbul:v3&{query}") as it,
    ):
        yield it


async def test_sound_streamed_and_as_a_whole(service: Service) -> None:
    streamed = await ask(service, "text-to-speech/stream", text=TEXT, **VOICE)
    whole = (await ask(service, "text-to-speech", text=TEXT, **VOICE)).json()
    pcm = base64.b64decode(whole["audios"][0])
    assert len(streamed.content) == len(pcm)
    assert len(pcm) / 32 == pytest.approx(WHOLE_MS, abs=5)
    wave = (await ask(service, "text-to-speech/stream", text=TEXT, **VOICE | {"output_audio_codec": "wav"})).content
    assert wave[:4] == b"RIFF"
    assert len(wave) == 44 + len(pcm)


@pytest.mark.parametrize(
    ("changes", "headers", "refusal"),
    [
        ({}, {}, (403, "invalid_api_key_error")),
        ({"language_code": "or-IN"}, KEY, (422, "unprocessable_entity_error")),
        ({"language_code": "de-DE"}, KEY, (422, "unprocessable_entity_error")),
        ({"speaker": "Shubh"}, KEY, (422, "unprocessable_entity_error")),
        ({"speech_sample_rate": 11025}, KEY, (422, "unprocessable_entity_error")),
        ({"model": "bulbul:v9"}, KEY, (422, "unprocessable_entity_error")),
        ({"text": ""}, KEY, (400, "invalid_request_error")),
        ({"text": "x" * 2501}, KEY, (400, "invalid_request_error")),
    ],
)
@pytest.mark.parametrize("path", ["text-to-speech", "text-to-speech/stream"])
async def test_what_is_refused(
    service: Service, path: str, changes: dict[str, Any], headers: dict[str, str], refusal: tuple[int, str]
) -> None:
    answer = await ask(service, path, headers, **{"text": TEXT, **VOICE, **changes})
    assert (answer.status_code, answer.json()["error"]["code"]) == refusal


@pytest.mark.parametrize(
    ("kind", "code"), [("http_500", "internal_server_error"), ("http_429", "rate_limit_exceeded_error")]
)
async def test_faults_have_codes(service: Service, kind: str, code: str) -> None:
    await service.http.post("/faults", json={"step": "tts", "kind": kind})
    answer = await ask(service, "text-to-speech", text=TEXT, **VOICE)
    assert (answer.status_code, answer.json()["error"]["code"]) == (int(kind[-3:]), code)


async def speak(it: Any, text: str) -> int:
    """Milliseconds of sound up to `final`."""
    await it.send_json({"type": "text", "data": {"text": text}})
    await it.send_json({"type": "flush"})
    size = 0
    while (message := await it.receive_json())["type"] == "audio":
        size += len(base64.b64decode(message["data"]["audio"]))
    assert message == {"type": "event", "data": {"event_type": "final"}}
    return size // 32


async def test_the_socket_answers_each_flush(service: Service) -> None:
    async with socket(service) as it:
        await it.send_json({"type": "config", "data": VOICE})
        await it.send_json({"type": "ping"})
        assert abs(await speak(it, TEXT) - WHOLE_MS) <= 5
        assert abs(await speak(it, TEXT * 2) - 2 * WHOLE_MS) <= 5
        assert await speak(it, "") == 0


@pytest.mark.parametrize(
    "message",
    [
        {"type": "text", "data": {"text": "x"}},
        {"type": "config", "data": {"speaker": "x"}},
        {"type": "cancel"},
        {},
        [],
    ],
)
async def test_what_the_socket_does_not_take(service: Service, message: Any) -> None:
    async with socket(service) as it:
        await it.send_str(json.dumps(message))
        assert (await it.receive_json())["type"] == "error"
        assert (await it.receive()).type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)


async def test_chat_wants_the_key(service: Service) -> None:
    wish = {"model": "sarvam-105b", "messages": [{"role": "user", "content": "Hello?"}]}
    assert (await ask(service, "v1/chat/completions", {}, **wish)).json()["error"]["code"] == "invalid_api_key_error"
    answer = (await ask(service, "v1/chat/completions", **wish)).json()
    assert answer["choices"][0]["message"]["content"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("translate", {"input": "Hi", "source_language_code": "en-IN", "target_language_code": "ks-IN"}, 422),
        ("translate", {"input": "x" * 1001, "source_language_code": "auto", "target_language_code": "hi-IN"}, 400),
        ("translate", {"input": 7, "source_language_code": "auto", "target_language_code": "hi-IN"}, 400),
        ("transliterate", {"input": "hi", "source_language_code": "en-IN", "target_language_code": "hi-IN"}, 422),
        ("text-lid", {"input": ""}, 400),
    ],
)
async def test_texts_that_are_refused(service: Service, path: str, body: dict[str, Any], status: int) -> None:
    assert (await ask(service, path, **body)).status_code == status


@pytest.mark.parametrize("to_hz", [8_000, 16_000, 22_050, 24_000])
@pytest.mark.parametrize("pieces", [[48_000], [960] * 50, [2] * 100 + [47_800]])
def test_a_tone_keeps_its_pitch_and_length_at_another_rate(to_hz: int, pieces: list[int]) -> None:
    moments = np.arange(24_000) / 24_000
    pcm = (12_000 * np.sin(2 * np.pi * 440 * moments)).astype("<i2").tobytes()
    change, given, at = RateChange(24_000, to_hz), b"", 0
    for size in pieces:
        given += change.push(pcm[at : at + size])
        at += size
    given += change.flush()
    samples = np.frombuffer(given, "<i2").astype(float)
    assert abs(len(samples) - to_hz) <= 20
    spectrum = np.abs(np.fft.rfft(samples[:to_hz] if len(samples) >= to_hz else samples))
    assert abs(spectrum.argmax() * to_hz / len(samples[:to_hz]) - 440) <= 2
    assert 10_000 < np.abs(samples[100:-100]).max() < 13_000
