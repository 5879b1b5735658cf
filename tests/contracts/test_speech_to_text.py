"""What every transcription does, and how it fails."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from shared.adapters.openai.client import OpenAIAccount, OpenAIClient
from shared.adapters.openai.speech_to_text import OpenAISpeechToText
from shared.domain.errors import SpeechToTextError
from shared.ports.speech_to_text import SpeechToText
from tests.contracts.speech_service import Service, scripted_service, stub_service
from tests.fakes.call import voice
from tests.fakes.models import FakeSpeechToText
from tests.services import free_port

SCRIPT = [
    {"heard": " Where is my order? ", "reply": "Here."},
    {"heard": "नमस्ते", "reply": "Hi."},
    {"heard": "", "reply": ""},
]


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    async with scripted_service(SCRIPT) as service:
        yield service


@pytest.fixture
def adapter(service: Service) -> OpenAISpeechToText:
    return OpenAISpeechToText(service.client, model="scripted", deadline_s=5.0)


@pytest.fixture(params=["openai", "fake"])
def speech_to_text(request: pytest.FixtureRequest) -> SpeechToText:
    if request.param == "openai":
        found: SpeechToText = request.getfixturevalue("adapter")
        return found
    return FakeSpeechToText("Where is my order?", "नमस्ते", "")


async def hear(speech_to_text: SpeechToText) -> str:
    return await speech_to_text.transcribe(voice(500), language="en", call_id="call-1")


async def refused(speech_to_text: SpeechToText, code: str, *, retryable: bool) -> None:
    with pytest.raises(SpeechToTextError) as error:
        await hear(speech_to_text)
    assert (error.value.code, error.value.retryable) == (code, retryable)


async def test_words_come_trimmed_and_silence_is_empty(speech_to_text: SpeechToText) -> None:
    assert [await hear(speech_to_text) for _ in range(3)] == ["Where is my order?", "नमस्ते", ""]


async def test_ready(speech_to_text: SpeechToText) -> None:
    await speech_to_text.ping()


async def test_a_fake_that_fails() -> None:
    fake = FakeSpeechToText(SpeechToTextError("stt", "away", retryable=True), "Yes.")
    await refused(fake, "stt", retryable=True)
    with pytest.raises(AssertionError, match="never transcribed"):
        fake.assert_complete()
    assert await hear(fake) == "Yes."
    fake.assert_complete()


# OpenAI's protocol


async def test_what_is_sent() -> None:
    posted: dict[str, object] = {}

    async def provider(request: web.Request) -> web.Response:
        form = await request.post()
        posted.update(path=request.path, call=request.headers["x-call-id"], key=request.headers["authorization"])
        for name in ("model", "language", "response_format"):
            posted[name] = form[name]
        file = form["file"]
        assert isinstance(file, web.FileField)
        posted["wav"] = file.file.read()
        return web.json_response({"text": "Yes."})

    async with stub_service(provider) as service:
        assert await hear(OpenAISpeechToText(service.client, model="whisper")) == "Yes."
    wav = posted.pop("wav")
    assert isinstance(wav, bytes)
    assert wav[:4] == b"RIFF"
    assert wav.endswith(voice(500))
    assert len(wav) == 44 + len(voice(500))
    assert posted == {
        "path": "/v1/audio/transcriptions",
        "call": "call-1",
        "key": "Bearer local",
        "model": "whisper",
        "language": "en",
        "response_format": "json",
    }


@pytest.mark.parametrize("kind", ["http_500", "http_429", "cut"])
async def test_one_hiccup_is_not_noticed(service: Service, adapter: OpenAISpeechToText, kind: str) -> None:
    await service.order(step="stt", kind=kind)
    assert await hear(adapter) == "Where is my order?"


@pytest.mark.parametrize(
    ("kind", "code"),
    [("http_500", "openai_refused"), ("http_429", "openai_refused"), ("cut", "openai_unavailable")],
)
async def test_a_provider_that_keeps_failing(
    service: Service, adapter: OpenAISpeechToText, kind: str, code: str
) -> None:
    await service.order(step="stt", kind=kind, count=9)
    await refused(adapter, code, retryable=True)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413])
async def test_a_provider_that_refuses_for_good(status: int) -> None:
    async def provider(request: web.Request) -> web.Response:
        return web.json_response({"error": {"message": "no"}}, status=status)

    async with stub_service(provider) as service:
        await refused(OpenAISpeechToText(service.client, model="m"), "openai_refused", retryable=False)


async def test_a_provider_that_stalls_costs_the_deadline_and_no_more(service: Service) -> None:
    await service.order(step="stt", kind="stall", count=9)
    began = time.monotonic()
    adapter = OpenAISpeechToText(service.client, model="m", deadline_s=0.3)
    await refused(adapter, "openai_unavailable", retryable=True)
    assert time.monotonic() - began < 2.0


async def test_a_provider_that_asks_for_too_much_patience_does_not_get_it() -> None:
    async def provider(request: web.Request) -> web.Response:
        return web.json_response({}, status=429, headers={"Retry-After": "50"})

    async with stub_service(provider) as service:
        began = time.monotonic()
        adapter = OpenAISpeechToText(service.client, model="m", deadline_s=0.5)
        await refused(adapter, "openai_unavailable", retryable=True)
        assert time.monotonic() - began < 2.0


@pytest.mark.parametrize("body", [b"not json", b"[]", b"{}", b'{"text": null}', b""])
async def test_an_answer_that_makes_no_sense(body: bytes) -> None:
    async def provider(request: web.Request) -> web.Response:
        return web.Response(body=body, content_type="application/json")

    async with stub_service(provider) as service:
        with pytest.raises(SpeechToTextError):
            await hear(OpenAISpeechToText(service.client, model="m", deadline_s=2.0))


async def test_a_provider_that_is_not_there() -> None:
    client = OpenAIClient(OpenAIAccount(base_url=f"http://127.0.0.1:{free_port()}/v1", api_key="local"))
    adapter = OpenAISpeechToText(client, model="m", deadline_s=3.0)
    await refused(adapter, "openai_unavailable", retryable=True)
    with pytest.raises(SpeechToTextError, match="openai_unavailable"):
        await adapter.ping()
