"""Sarvam's voice, by a streamed request and over its socket: what is asked, and how it fails."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest
from aiohttp import WSMsgType, web

from shared.adapters.sarvam.text_to_speech import SarvamTextToSpeech
from shared.adapters.sarvam.wire import SarvamAccount, SarvamWire
from shared.domain.audio import BYTES_PER_MS
from shared.domain.errors import TextToSpeechError
from shared.domain.voices import in_language
from tests.contracts.speech_service import Service, scripted_service, stub_service
from tests.services import free_port

TEXT = "It is on its way to you, and will be there tomorrow morning."
WHOLE_MS = len(TEXT) * 45
WAYS = ("stream", "socket")


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> Any:
    return request.param


@asynccontextmanager
async def speaking(url: str, way: Any = "stream", **options: Any) -> AsyncIterator[SarvamTextToSpeech]:
    voice = SarvamTextToSpeech(SarvamWire(SarvamAccount("key", f"{url}/sarvam")), transport=way, **options)
    try:
        yield voice
    finally:
        await voice.close()


@asynccontextmanager
async def scripted(way: Any, latencies: dict[str, float] | None = None, **options: Any) -> AsyncIterator[Any]:
    async with scripted_service([], **latencies or {}) as service, speaking(service.url, way, **options) as voice:
        yield voice, service


async def say(voice: SarvamTextToSpeech, text: str = TEXT, name: str = "default") -> list[bytes]:
    async with aclosing(voice.synthesize(text, voice=name, call_id="call-1")) as sound:
        return [pcm async for pcm in sound]


async def refused(voice: SarvamTextToSpeech, name: str = "default") -> tuple[list[bytes], TextToSpeechError]:
    pieces: list[bytes] = []
    with pytest.raises(TextToSpeechError) as error:
        async with aclosing(voice.synthesize(TEXT, voice=name, call_id="call-1")) as sound:
            async for pcm in sound:
                pieces.append(pcm)
    return pieces, error.value


async def transports(service: Service) -> list[str]:
    return [entry["details"].get("transport", "") for entry in await service.timeline() if entry["kind"] == "tts"]


@pytest.mark.parametrize(
    ("voice", "text", "expected"),
    [
        ("default", "Good morning.", ("en-IN", "shubh")),
        ("Ritu", "नमस्ते", ("hi-IN", "ritu")),
        (in_language("alloy", "mr"), "नमस्कार", ("mr-IN", "shubh")),
        (in_language("default", "or-IN"), "ନମସ୍କାର", ("od-IN", "shubh")),
        ("default", "ନମସ୍କାର", ("od-IN", "shubh")),
    ],
)
async def test_what_is_sent(voice: str, text: str, expected: tuple[str, str]) -> None:
    asked: dict[str, Any] = {}

    async def provider(request: web.Request) -> web.Response:
        asked.update(await request.json(), path=request.path, key=request.headers["api-subscription-key"])
        return web.Response(body=bytes(3200))

    async with stub_service(provider) as service, speaking(service.url) as adapter:
        await say(adapter, text, voice)
    assert asked == {
        "path": "/sarvam/text-to-speech/stream",
        "key": "key",
        "text": text,
        "model": "bulbul:v3",
        "language_code": expected[0],
        "speaker": expected[1],
        "speech_sample_rate": 16000,
        "output_audio_codec": "linear16",
    }


async def test_a_language_that_nobody_speaks(way: Any) -> None:
    async with scripted(way) as (voice, service):
        pieces, error = await refused(voice, in_language("default", "de"))
        assert (pieces, error.code, error.retryable) == ([], "language_unknown", False)
        assert await service.timeline() == []


@pytest.mark.parametrize("sizes", [[1] * 400, [1, 4799], [4801], [3, 5, 4000]])
@pytest.mark.parametrize("header", [b"", b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0" + bytes(16) + b"data\0\0\0\0"])
async def test_sound_that_is_torn_anywhere(sizes: list[int], header: bytes) -> None:
    sound = header + bytes(range(256)) * 20

    async def provider(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        position = 0
        for size in sizes:
            await response.write(sound[position : position + size])
            await asyncio.sleep(0)
            position += size
        return response

    async with stub_service(provider) as service, speaking(service.url) as voice:
        pieces = await say(voice)
    expected = sound[: sum(sizes)][len(header) :]
    assert b"".join(pieces) == expected[: len(expected) & ~1]
    assert all(len(piece) % 2 == 0 for piece in pieces)


@pytest.mark.parametrize("kind", ["http_500", "http_429"])
async def test_one_hiccup_is_not_noticed(way: Any, kind: str) -> None:
    async with scripted(way) as (voice, service):
        await service.order(step="tts", kind=kind)
        assert len(b"".join(await say(voice))) / BYTES_PER_MS == pytest.approx(WHOLE_MS, abs=5)


async def test_a_way_that_fails_is_made_good_by_a_plain_request(way: Any) -> None:
    async with scripted(way) as (voice, service):
        await service.order(step="tts", kind="http_500", count=2 if way == "stream" else 1)
        assert len(await say(voice)) == 1
        assert (await transports(service))[-1] == "sarvam"


async def test_a_provider_that_keeps_failing(way: Any) -> None:
    async with scripted(way) as (voice, service):
        await service.order(step="tts", kind="http_500", count=9)
        pieces, error = await refused(voice)
        assert (pieces, error.code, error.retryable) == ([], "sarvam_refused", True)


async def test_a_provider_that_sends_nothing() -> None:
    async with scripted("stream") as (voice, service):
        await service.order(step="tts", kind="empty", count=9)
        _, error = await refused(voice)
        assert error.code == "synthesis_empty"


async def test_a_provider_that_breaks_off(way: Any) -> None:
    async with scripted(way) as (voice, service):
        await service.order(step="tts", kind="cut", at=2, count=9)
        pieces, error = await refused(voice)
        assert (bool(pieces), error.code) == (True, "sarvam_unavailable")


async def test_a_provider_that_stalls_costs_the_deadline_and_no_more(way: Any) -> None:
    async with scripted(way, next_byte_s=0.3) as (voice, service):
        await service.order(step="tts", kind="stall", at=2, count=9)
        began = time.monotonic()
        pieces, error = await refused(voice)
        assert (bool(pieces), error.code) == (True, "sarvam_unavailable")
        assert time.monotonic() - began < 2.0


async def test_a_slow_listener_is_not_the_providers_fault(way: Any) -> None:
    async with (
        scripted(way, first_byte_s=0.3, next_byte_s=0.3) as (voice, _),
        aclosing(voice.synthesize(TEXT, voice="default", call_id="c")) as sound,
    ):
        await anext(sound)
        await asyncio.sleep(0.6)
        assert [pcm async for pcm in sound]


@pytest.mark.parametrize(
    ("status", "code", "retryable"),
    [
        (403, "invalid_api_key_error", False),
        (400, "invalid_request_error", False),
        (422, "unprocessable_entity_error", False),
        (429, "insufficient_quota_error", False),
        (429, "rate_limit_exceeded_error", True),
        (400, "model_call_error", True),
        (503, "billing_service_unavailable_error", True),
        (502, "", True),
        (404, "not even JSON", False),
    ],
)
async def test_what_a_refusal_means(status: int, code: str, retryable: bool) -> None:
    async def provider(request: web.Request) -> web.Response:
        if code.startswith("not"):
            return web.Response(status=status, text=code)
        return web.json_response({"error": {"message": "no", "code": code, "request_id": "1"}}, status=status)

    async with stub_service(provider) as service, speaking(service.url) as voice:
        _, error = await refused(voice)
    assert (error.code, error.retryable) == ("sarvam_refused", retryable)


async def test_a_provider_that_is_not_there(way: Any) -> None:
    async with speaking(f"http://127.0.0.1:{free_port()}", way) as voice:
        _, error = await refused(voice)
        assert error.code == "sarvam_unavailable"


# The socket


class Talker:
    """A socket on which a test says what comes."""

    def __init__(self) -> None:
        self.sockets: list[web.WebSocketResponse] = []
        self.messages: list[dict[str, Any]] = []
        self.queries: list[dict[str, str]] = []
        self.flushed = asyncio.Event()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.queries.append(dict(request.query))
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.sockets.append(socket)
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                self.messages.append(message.json())
                if self.messages[-1]["type"] == "flush":
                    self.flushed.set()
        return socket

    async def speak(self, value: int, *, final: bool, number: int = -1) -> None:
        audio = base64.b64encode(bytes([value, value]) * 160).decode()
        socket = self.sockets[number]
        await socket.send_json({"type": "audio", "data": {"content_type": "audio/l16", "audio": audio}})
        if final:
            await socket.send_json({"type": "event", "data": {"event_type": "final"}})


async def test_sound_of_a_text_that_nobody_wants_any_more_is_dropped() -> None:
    talker = Talker()
    async with stub_service(talker.answer) as service, speaking(service.url, "socket") as voice:
        async with aclosing(voice.synthesize("First.", voice="default", call_id="c")) as sound:
            first = asyncio.ensure_future(anext(sound))
            await talker.flushed.wait()
            await talker.speak(1, final=False)
            assert set(await first) == {1}
        await talker.speak(1, final=True)  # late, after it was interrupted
        await asyncio.sleep(0.05)
        talker.flushed.clear()
        second = asyncio.create_task(say(voice, "Second."))
        await talker.flushed.wait()
        await talker.speak(2, final=True)
        assert set(b"".join(await second)) == {2}
    kinds = [message["type"] for message in talker.messages]
    assert kinds[:3] == ["config", "text", "flush"]
    assert talker.queries[0] == {"model": "bulbul:v3", "send_completion_event": "true"}


async def test_who_speaks_while_unwanted_sound_is_to_come_takes_another_connection() -> None:
    talker = Talker()
    async with stub_service(talker.answer) as service, speaking(service.url, "socket") as voice:
        async with aclosing(voice.synthesize("First.", voice="default", call_id="call-1")) as sound:
            first = asyncio.ensure_future(anext(sound))
            await talker.flushed.wait()
            await talker.speak(1, final=False)
            await first
        talker.flushed.clear()
        second = asyncio.create_task(say(voice, "Second."))
        await talker.flushed.wait()
        assert len(talker.sockets) == 2
        await talker.speak(2, final=True)
        assert set(b"".join(await second)) == {2}


async def test_a_connection_serves_the_call_and_no_other() -> None:
    async with scripted("socket") as (voice, service):
        for call_id in ("a", "a", "b"):
            async with aclosing(voice.synthesize(TEXT, voice="default", call_id=call_id)) as sound:
                assert [pcm async for pcm in sound]
        assert await transports(service) == ["sarvam-socket"] * 3


@pytest.mark.parametrize(
    "message",
    [
        "}{",
        "[]",
        "{}",
        '{"type":"audio"}',
        '{"type":"audio","data":{"audio":"§"}}',
        '{"type":"error","data":{"code":500}}',
    ],
)
async def test_a_socket_that_talks_nonsense_is_left(message: str) -> None:
    async def provider(request: web.Request) -> web.StreamResponse:
        if request.headers.get("Upgrade") != "websocket":
            return web.json_response({"audios": [base64.b64encode(bytes([7, 7]) * 80).decode()]})
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for received in socket:
            if received.type is WSMsgType.TEXT and received.json()["type"] == "flush":
                await socket.send_str(message)
        return socket

    async with stub_service(provider) as service, speaking(service.url, "socket") as voice:
        assert set(b"".join(await say(voice))) == {7}
