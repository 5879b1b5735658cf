"""Sarvam's two ways to transcribe, as its documents tell them."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from local_stack.speech.hearing import read_mulaw
from tests.local_stack.speech.conftest import Service, scripted_service, wav

KEY = {"api-subscription-key": "local"}
QUERY = {
    "language_code": "hi-IN",
    "endpointing": "manual",
    "encoding": "linear16",
    "sample_rate": "16000",
}
QUICK = {"stt_ms": 5}


def sound(duration_ms: int) -> str:
    return base64.b64encode(b"\x00\x10" * (16 * duration_ms)).decode()


@asynccontextmanager
async def socket(service: Service, headers: dict[str, str] | None = None, **changes: str) -> AsyncIterator[Any]:
    url = f"{service.url}/sarvam/speech-to-text-realtime/ws"
    async with (
        aiohttp.ClientSession(headers=KEY if headers is None else headers) as http,
        http.ws_connect(url, params=QUERY | changes) as it,
    ):
        yield it


async def speak(it: Any, duration_ms: int, end: str = "speech_end") -> None:
    await it.send_json({"event": "speech_start"})
    await it.send_json({"event": "audio_input", "audio": sound(duration_ms)})
    await it.send_json({"event": end})


async def test_utterances_are_answered_in_their_order() -> None:
    dialogue = [{"heard": "एक", "reply": "", "latencies": {"stt_ms": 100}}, {"heard": "दो", "reply": ""}]
    async with scripted_service({"latencies": QUICK, "dialogue": dialogue}) as service, socket(service) as it:
        begin = await it.receive_json()
        assert (begin["event"], begin["config"]["turn_detection"]) == ("session.begin", "manual")
        await speak(it, 300)
        await speak(it, 700)
        finals = [await it.receive_json() for _ in range(2)]
        assert finals == [
            {"event": "transcript.final", "utterance_idx": 0, "text": "एक"},
            {"event": "transcript.final", "utterance_idx": 1, "text": "दो"},
        ]
        assert [entry["details"]["audio_ms"] for entry in await service.timeline()] == [300, 700]


async def test_a_flush_finalises_and_the_utterance_goes_on(service: Service) -> None:
    async with socket(service) as it:
        await it.receive_json()
        await speak(it, 300, "flush")
        await it.send_json({"event": "audio_input", "audio": sound(200)})
        await it.send_json({"event": "speech_end"})
        assert [(await it.receive_json())["utterance_idx"] for _ in range(2)] == [0, 1]
        assert [entry["details"]["audio_ms"] for entry in await service.timeline()] == [300, 200]


async def test_telephone_sound_as_it_comes(service: Service) -> None:
    async with socket(service, encoding="mulaw", sample_rate="8000") as it:
        await it.receive_json()
        await it.send_json({"event": "speech_start"})
        await it.send_json({"event": "audio_input", "audio": base64.b64encode(bytes(range(256)) * 10).decode()})
        await it.send_json({"event": "speech_end"})
        assert (await it.receive_json())["event"] == "transcript.final"
        assert [entry["details"]["audio_ms"] for entry in await service.timeline()] == [320]


def test_each_code_of_mulaw() -> None:
    """Against the steps of the table: a positive code and its negative, silence, the loudest, and the least step."""
    samples = read_mulaw(base64.b64encode(bytes([0xFF, 0x7F, 0x80, 0x00, 0xFE, 0x8F])).decode()) * 32768
    assert samples.tolist() == [0, 0, 32124, -32124, 8, 16764]


async def test_signs_of_life_and_the_end(service: Service) -> None:
    async with socket(service) as it:
        await it.receive_json()
        await it.send_json({"event": "ping"})
        assert await it.receive_json() == {"event": "pong"}
        await it.send_json({"event": "nonsense"})
        assert (await it.receive_json())["is_fatal"] is False
        await it.send_str("}{")
        assert (await it.receive_json())["is_fatal"] is False
        await it.send_json({"event": "end"})
        assert (await it.receive_json())["event"] == "session.end"
        assert (await it.receive()).type is aiohttp.WSMsgType.CLOSE


@pytest.mark.parametrize(
    ("changes", "headers", "close_code"),
    [
        ({}, {}, 1003),
        ({"language_code": "od-IN"}, None, 4000),
        ({"sample_rate": "44100"}, None, 4000),
        ({"encoding": "wav"}, None, 4000),
        ({"endpointing": "vad"}, None, 4000),
    ],
)
async def test_sessions_that_are_refused(
    service: Service, changes: dict[str, str], headers: dict[str, str] | None, close_code: int
) -> None:
    async with socket(service, headers, **changes) as it:
        error = await it.receive_json()
        assert (error["event"], error["is_fatal"]) == ("error", True)
        assert (await it.receive()).data == close_code


@pytest.mark.parametrize(("kind", "close_code"), [("http_500", 1011), ("http_429", 1003)])
async def test_a_failure_ends_the_session(service: Service, kind: str, close_code: int) -> None:
    await service.http.post("/faults", json={"step": "stt", "kind": kind})
    async with socket(service) as it:
        await it.receive_json()
        await speak(it, 300)
        assert (await it.receive_json())["status_code"] == int(kind[-3:])
        assert (await it.receive()).data == close_code


async def ask(service: Service, content: bytes, headers: dict[str, str] = KEY, **fields: str) -> Any:
    return await service.http.post("/sarvam/speech-to-text", files={"file": content}, data=fields, headers=headers)


async def test_a_request(service: Service) -> None:
    answer = (await ask(service, wav(), language_code="od-IN")).json()
    assert "number 1" in answer["transcript"]


@pytest.mark.parametrize(
    ("seconds", "headers", "language", "refusal"),
    [
        (1, {}, "hi-IN", (403, "invalid_api_key_error")),
        (1, KEY, "or-IN", (422, "unprocessable_entity_error")),
        (31, KEY, "hi-IN", (400, "invalid_request_error")),
    ],
)
async def test_requests_that_are_refused(
    service: Service, seconds: float, headers: dict[str, str], language: str, refusal: tuple[int, str]
) -> None:
    answer = await ask(service, wav(seconds), headers, language_code=language)
    assert (answer.status_code, answer.json()["error"]["code"]) == refusal
