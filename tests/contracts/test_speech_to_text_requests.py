"""Transcription by requests: what goes over OpenAI's wire, and what is made of each answer."""

from __future__ import annotations

import asyncio
import time

import pytest
from aiohttp import web

from shared.adapters.openai.account import OpenAIAccount
from shared.adapters.openai.wire import OpenAIWire
from shared.domain.errors import SpeechToTextError
from tests.contracts.ears import asking, ear, feed, spoken
from tests.contracts.speech_service import Handler, stub_service
from tests.fakes.call import voice


async def hear(handler: Handler, kind: str = "requests", deadline_s: float = 2.0) -> str:
    async with stub_service(handler) as service, asking(kind, service.url, deadline_s=deadline_s) as made:
        turn = made.open(language="en-GB", call_id="call-1")
        turn.feed(voice(500))
        return await turn.words()


async def test_what_is_sent() -> None:
    posted: dict[str, object] = {}

    async def provider(request: web.Request) -> web.Response:
        if request.method == "GET":
            return web.json_response({"data": []})
        form = await request.post()
        posted.update(path=request.path, call=request.headers["x-call-id"], key=request.headers["authorization"])
        file = form.pop("file") if isinstance(form, dict) else form["file"]
        assert isinstance(file, web.FileField)
        posted.update({name: value for name, value in form.items() if name != "file"})
        posted.update(wav=file.file.read(), type=file.content_type, filename=file.filename)
        return web.json_response({"text": "Yes."})

    assert await hear(provider) == "Yes."
    wav = posted.pop("wav")
    assert isinstance(wav, bytes)
    assert wav[:4] == b"RIFF"
    assert wav[44:] == voice(500)
    assert posted == {
        "path": "/v1/audio/transcriptions",
        "call": "call-1",
        "key": "Bearer local",
        "type": "audio/wav",
        "filename": "speech.wav",
        "model": "scripted",
        "language": "en",
        "response_format": "json",
    }


@pytest.mark.parametrize("kind", ["requests", "sarvam"])
@pytest.mark.parametrize(
    ("status", "retryable"), [(400, False), (401, False), (403, False), (422, False), (429, True)]
)
async def test_a_provider_that_refuses(kind: str, status: int, retryable: bool) -> None:
    async def provider(request: web.Request) -> web.Response:
        return web.json_response({"error": {"message": "no"}}, status=status, headers={"Retry-After": "0"})

    with pytest.raises(SpeechToTextError) as error:
        await hear(provider, kind)
    assert (error.value.code.partition("_")[2], error.value.retryable) == ("refused", retryable)


async def test_a_provider_that_asks_for_too_much_patience_does_not_get_it() -> None:
    async def provider(request: web.Request) -> web.Response:
        return web.json_response({}, status=429, headers={"Retry-After": "50"})

    began = time.monotonic()
    with pytest.raises(SpeechToTextError, match="openai_refused"):
        await hear(provider, deadline_s=5.0)
    assert time.monotonic() - began < 1.0


@pytest.mark.parametrize("kind", ["requests", "sarvam"])
@pytest.mark.parametrize(
    "body", [b"not json", b"[]", b"{}", b'{"text": null, "transcript": null}', b'{"text": 5, "transcript": 5}', b""]
)
async def test_an_answer_that_makes_no_sense(kind: str, body: bytes) -> None:
    async def provider(request: web.Request) -> web.Response:
        return web.Response(body=body, content_type="application/json")

    with pytest.raises(SpeechToTextError):
        await hear(provider, kind)


async def test_who_does_not_wait_any_longer_is_noticed_at_once() -> None:
    async with ear("requests", "Yes.", stt_ms=5000) as it:
        turn = it.open()
        await feed(turn, 300)
        asking_words = asyncio.create_task(turn.words())
        async with asyncio.timeout(2):
            while not (asked := await spoken(it.service)) or asked[0]["complete_ms"] is None:
                await asyncio.sleep(0.01)
        asking_words.cancel()
        async with asyncio.timeout(1):
            while (await spoken(it.service))[0]["aborted_ms"] is None:
                await asyncio.sleep(0.01)


async def test_one_connection_serves_all_requests_and_is_there_before_the_first() -> None:
    connections: list[object] = []
    paths: list[str] = []

    async def provider(request: web.Request) -> web.Response:
        if request.transport not in connections:
            connections.append(request.transport)
        paths.append(request.path)
        await request.read()
        return web.json_response({"text": "Yes.", "data": []})

    async with stub_service(provider) as service, asking("requests", service.url) as made:
        for _ in range(3):
            turn = made.open(language="en", call_id="call-1")
            turn.feed(voice(100))
            async with asyncio.timeout(2):
                while not paths:
                    await asyncio.sleep(0.01)
            await asyncio.sleep(0.02)
            assert await turn.words() == "Yes."
    assert paths == ["/v1/models", *["/v1/audio/transcriptions"] * 3]
    assert len(connections) == 1


def test_addresses_of_azure() -> None:
    account = OpenAIAccount(azure_endpoint="https://house.openai.azure.com/", azure_api_version="2025-03-01-preview")
    wire = OpenAIWire(account)
    assert wire.url("/audio/transcriptions", "ear") == (
        "https://house.openai.azure.com/openai/deployments/ear/audio/transcriptions?api-version=2025-03-01-preview"
    )
    assert wire.transcription_socket_url() == "wss://house.openai.azure.com/openai/v1/realtime?intent=transcription"


async def test_addresses_of_openai() -> None:
    wire = OpenAIWire(OpenAIAccount(api_key="key"))
    assert wire.url("/audio/transcriptions", "ear") == "https://api.openai.com/v1/audio/transcriptions"
    assert wire.transcription_socket_url() == "wss://api.openai.com/v1/realtime?intent=transcription"
    assert await wire.headers("call-1") == {"Authorization": "Bearer key", "x-call-id": "call-1"}


async def test_azure_is_asked_with_the_managed_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    import azure.identity.aio as identity

    asked: list[object] = []

    class Credential:
        def __init__(self, managed_identity_client_id: str | None) -> None:
            asked.append(managed_identity_client_id)

    def provider_of(credential: object, scope: str) -> object:
        asked.append(scope)

        async def token() -> str:
            return "token"

        return token

    monkeypatch.setattr(identity, "DefaultAzureCredential", Credential)
    monkeypatch.setattr(identity, "get_bearer_token_provider", provider_of)
    wire = OpenAIWire(OpenAIAccount(azure_endpoint="https://house.openai.azure.com", client_id="app"))
    for _ in range(2):
        assert (await wire.headers(""))["Authorization"] == "Bearer token"
    assert asked == ["app", "https://cognitiveservices.azure.com/.default"]
