"""What every voice does: sound while it is made, in whole samples, and how it fails."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import numpy as np
import pytest
from aiohttp import web

from shared.adapters.openai.account import OpenAIAccount
from shared.adapters.openai.text_to_speech import OpenAITextToSpeech
from shared.adapters.openai.wire import OpenAIWire
from shared.adapters.sarvam.text_to_speech import SarvamTextToSpeech
from shared.adapters.sarvam.wire import SarvamAccount, SarvamWire
from shared.domain.audio import BYTES_PER_MS, samples_of
from shared.domain.errors import TextToSpeechError
from shared.ports.text_to_speech import TextToSpeech
from tests.contracts.speech_service import Service, scripted_service, stub_service
from tests.fakes.clock import FakeClock
from tests.fakes.models import FakeTextToSpeech
from tests.services import free_port

TEXT = "It is on its way to you, and will be there tomorrow morning."
_MS_PER_CHARACTER = 45


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    async with scripted_service([{"heard": "x", "reply": TEXT}]) as service:
        yield service


def adapter_of(service: Service, **deadlines: float) -> OpenAITextToSpeech:
    return OpenAITextToSpeech(service.wire(), model="scripted", default_voice="alloy", **deadlines)


@pytest.fixture(params=["openai", "sarvam-stream", "sarvam-socket", "fake"])
async def voice(request: pytest.FixtureRequest) -> AsyncIterator[TextToSpeech]:
    if request.param == "fake":
        yield FakeTextToSpeech(FakeClock(), ms_per_character=_MS_PER_CHARACTER)
        return
    async with scripted_service([{"heard": "x", "reply": TEXT}]) as service:
        if request.param == "openai":
            yield adapter_of(service)
            return
        wire = SarvamWire(SarvamAccount("local", f"{service.url}/sarvam"))
        sarvam = SarvamTextToSpeech(wire, transport="socket" if request.param == "sarvam-socket" else "stream")
        yield sarvam
        await sarvam.close()


async def say(voice: TextToSpeech, text: str = TEXT, name: str = "default") -> list[bytes]:
    async with aclosing(voice.synthesize(text, voice=name, call_id="call-1")) as sound:
        return [pcm async for pcm in sound]


async def refused(voice: TextToSpeech, code: str, *, retryable: bool = True) -> list[bytes]:
    """What came before the error."""
    pieces: list[bytes] = []
    with pytest.raises(TextToSpeechError) as error:
        async with aclosing(voice.synthesize(TEXT, voice="default", call_id="call-1")) as sound:
            async for pcm in sound:
                pieces.append(pcm)
    assert (error.value.code, error.value.retryable) == (code, retryable)
    return pieces


async def test_sound_of_the_right_length_in_whole_samples(voice: TextToSpeech) -> None:
    pieces = await say(voice)
    assert len(pieces) > 1
    assert all(piece and len(piece) % 2 == 0 for piece in pieces)
    assert len(b"".join(pieces)) / BYTES_PER_MS == pytest.approx(len(TEXT) * _MS_PER_CHARACTER, abs=5)
    assert np.abs(samples_of(b"".join(pieces)).astype(int)).mean() > 100


async def test_several_at_once(voice: TextToSpeech) -> None:
    lengths = {len(b"".join(pieces)) for pieces in await asyncio.gather(*(say(voice) for _ in range(4)))}
    assert len(lengths) == 1


async def test_a_fake_that_breaks_off() -> None:
    fake = FakeTextToSpeech(FakeClock())
    fake.errors[TEXT] = TextToSpeechError("cut", "broke off", retryable=True)
    fake.error_after_ms = 300
    assert len(b"".join(await refused(fake, "cut"))) == 300 * BYTES_PER_MS


# OpenAI's protocol


async def test_the_first_sound_comes_long_before_the_last() -> None:
    async with scripted_service([], tts_rate_x_realtime=4) as service:
        began = time.monotonic()
        first = 0.0
        async with aclosing(adapter_of(service).synthesize(TEXT, voice="default", call_id="c")) as sound:
            async for _ in sound:
                first = first or time.monotonic() - began
        assert first < (time.monotonic() - began) / 2


@pytest.mark.parametrize(("name", "expected"), [("default", "alloy"), ("bright", "bright")])
async def test_what_is_sent(name: str, expected: str) -> None:
    asked: dict[str, Any] = {}

    async def provider(request: web.Request) -> web.Response:
        asked.update(await request.json(), path=request.path, call=request.headers["x-call-id"])
        return web.Response(body=bytes(4800), content_type="audio/pcm")

    async with stub_service(provider) as service:
        await say(adapter_of(service), name=name)
    assert asked == {
        "path": "/v1/audio/speech",
        "call": "call-1",
        "model": "scripted",
        "voice": expected,
        "input": TEXT,
        "response_format": "pcm",
    }


@pytest.mark.parametrize("sizes", [[1] * 400, [1, 4799], [4799, 1], [3, 5, 7, 4785], [4800], [4801]])
async def test_sound_that_is_torn_anywhere(sizes: list[int]) -> None:
    wave = (8000 * np.sin(np.arange(2401) / 10)).astype("<i2").tobytes()

    async def provider(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        position = 0
        for size in sizes:
            await response.write(wave[position : position + size])
            await asyncio.sleep(0)
            position += size
        return response

    async with stub_service(provider) as service:
        pcm = b"".join(await say(adapter_of(service)))
    expected = sum(sizes) // 2 * 2 / 3
    assert abs(len(pcm) / 2 - expected) <= 20
    assert len(pcm) % 2 == 0


async def test_closing_early_ends_the_request(service: Service) -> None:
    async with scripted_service([], tts_rate_x_realtime=1) as slow:
        async with aclosing(adapter_of(slow).synthesize(TEXT, voice="default", call_id="c")) as sound:
            await anext(sound)
        async with asyncio.timeout(3):
            while not any(entry.get("aborted_ms") for entry in await slow.timeline()):
                await asyncio.sleep(0.02)


@pytest.mark.parametrize("kind", ["http_500", "http_429"])
async def test_one_hiccup_is_not_noticed(service: Service, kind: str) -> None:
    await service.order(step="tts", kind=kind)
    assert len(await say(adapter_of(service))) > 1


@pytest.mark.parametrize("kind", ["http_500", "http_429"])
async def test_a_provider_that_keeps_failing(service: Service, kind: str) -> None:
    await service.order(step="tts", kind=kind, count=9)
    assert await refused(adapter_of(service), "openai_refused") == []


@pytest.mark.parametrize("status", [400, 401, 404])
async def test_a_provider_that_refuses_for_good(status: int) -> None:
    async def provider(request: web.Request) -> web.Response:
        return web.json_response({"error": {"message": "no"}}, status=status)

    async with stub_service(provider) as service:
        await refused(adapter_of(service), "openai_refused", retryable=False)


async def test_a_provider_that_sends_nothing(service: Service) -> None:
    await service.order(step="tts", kind="empty")
    assert await refused(adapter_of(service), "synthesis_empty") == []


@pytest.mark.parametrize("at", [0, 1, 2])
async def test_a_provider_that_breaks_off(service: Service, at: int) -> None:
    await service.order(step="tts", kind="cut", at=at, count=9)
    pieces = await refused(adapter_of(service), "openai_unavailable")
    assert bool(pieces) == bool(at)


@pytest.mark.parametrize(
    ("at", "deadlines"),
    [(0, {"first_byte_s": 0.3}), (2, {"first_byte_s": 5.0, "next_byte_s": 0.3})],
)
async def test_a_provider_that_stalls_costs_the_deadline_and_no_more(
    service: Service, at: int, deadlines: dict[str, float]
) -> None:
    await service.order(step="tts", kind="stall", at=at, count=9)
    began = time.monotonic()
    pieces = await refused(adapter_of(service, **deadlines), "openai_unavailable")
    assert time.monotonic() - began < 2.0
    assert bool(pieces) == bool(at)


async def test_a_slow_listener_is_not_the_providers_fault(service: Service) -> None:
    adapter = adapter_of(service, first_byte_s=0.3, next_byte_s=0.3)
    async with aclosing(adapter.synthesize(TEXT, voice="default", call_id="c")) as sound:
        await anext(sound)
        await asyncio.sleep(0.6)
        rest = [pcm async for pcm in sound]
    assert rest


async def test_a_provider_that_is_not_there() -> None:
    wire = OpenAIWire(OpenAIAccount(base_url=f"http://127.0.0.1:{free_port()}/v1", api_key="local"))
    adapter = OpenAITextToSpeech(wire, model="m", default_voice="v")
    assert await refused(adapter, "openai_unavailable") == []
