"""What every translation does, before the local stand-in and before one that fails."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from shared.adapters.sarvam.translation import SarvamTranslation
from shared.adapters.sarvam.wire import SarvamAccount, SarvamWire
from shared.domain.errors import TranslationError
from shared.ports.translation import Identified, Translated
from tests.contracts.speech_service import scripted_service, stub_service
from tests.services import free_port

DEEDS: dict[str, Callable[[SarvamTranslation], Awaitable[Any]]] = {
    "translate": lambda it: it.translate("Good morning.", target="hi"),
    "transliterate": lambda it: it.transliterate("नमस्ते", target="ta"),
    "identify": lambda it: it.identify("Good morning."),
}


@asynccontextmanager
async def translating(url: str, **options: float) -> AsyncIterator[SarvamTranslation]:
    translation = SarvamTranslation(SarvamWire(SarvamAccount("key", f"{url}/sarvam")), **options)
    try:
        yield translation
    finally:
        await translation.close()


@pytest.fixture
async def translation() -> AsyncIterator[SarvamTranslation]:
    async with (
        scripted_service([{"heard": "Good morning.", "reply": "सुप्रभात।"}]) as service,
        translating(service.url) as made,
    ):
        yield made


@pytest.fixture(params=DEEDS)
def deed(request: pytest.FixtureRequest) -> Callable[[SarvamTranslation], Awaitable[Any]]:
    return DEEDS[request.param]


async def test_words_in_another_language(translation: SarvamTranslation) -> None:
    assert await translation.translate("Good morning.", target="hi-IN") == Translated("सुप्रभात।", "en")
    assert await translation.translate("नमस्ते", target="hi", source="hi") == Translated("नमस्ते", "hi")


async def test_words_in_another_script(translation: SarvamTranslation) -> None:
    assert await translation.transliterate("नमन", target="bn") == "নমন"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Good morning.", Identified("en", "Latn")),
        ("ନମସ୍କାର", Identified("or", "Orya")),
        ("12", Identified("", "")),
    ],
)
async def test_which_language_it_is(translation: SarvamTranslation, text: str, expected: Identified) -> None:
    assert await translation.identify(text) == expected


async def test_the_larger_model_takes_what_the_small_one_does_not() -> None:
    asked: list[dict[str, Any]] = []

    async def provider(request: web.Request) -> web.Response:
        asked.append(await request.json())
        return web.json_response({"translated_text": "x", "source_language_code": "en-IN"})

    async with stub_service(provider) as service, translating(service.url) as translation:
        await translation.translate("Short.", target="or")
        await translation.translate("Short.", target="ks", source="en")
        await translation.translate("Long. " * 200, target="hi", source="en")
    assert [(one["model"], one["source_language_code"], one["target_language_code"]) for one in asked] == [
        ("mayura:v1", "auto", "od-IN"),
        ("sarvam-translate:v1", "en-IN", "ks-IN"),
        ("sarvam-translate:v1", "en-IN", "hi-IN"),
    ]


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({"target": "de"}, "language_unknown"),
        ({"target": "hi", "source": "fr"}, "language_unknown"),
        ({"target": ""}, "language_unknown"),
        ({"target": "ks"}, "source_unknown"),
    ],
)
async def test_what_cannot_be_asked_is_not(translation: SarvamTranslation, wish: dict[str, str], code: str) -> None:
    with pytest.raises(TranslationError) as error:
        await translation.translate("Hello.", **wish)  # type: ignore[arg-type]
    assert (error.value.code, error.value.retryable) == (code, False)


async def test_a_text_that_is_too_long(translation: SarvamTranslation) -> None:
    with pytest.raises(TranslationError):
        await translation.translate("x" * 2001, target="hi", source="en")


async def test_a_hiccup_is_not_noticed(deed: Callable[[SarvamTranslation], Awaitable[Any]]) -> None:
    asked: list[str] = []

    async def provider(request: web.Request) -> web.Response:
        asked.append(request.path)
        if len(asked) == 1:
            return web.json_response({}, status=503, headers={"Retry-After": "0"})
        return web.json_response({"translated_text": "x", "transliterated_text": "x"})

    async with stub_service(provider) as service, translating(service.url) as translation:
        await deed(translation)
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (500, {}, ("sarvam_refused", True)),
        (403, {"error": {"code": "authentication_error"}}, ("sarvam_refused", False)),
        (429, {"error": {"code": "insufficient_quota_error"}}, ("sarvam_refused", False)),
        (200, [], ("sarvam_failed", True)),
    ],
)
async def test_a_provider_that_fails(
    deed: Callable[[SarvamTranslation], Awaitable[Any]], status: int, body: Any, expected: tuple[str, bool]
) -> None:
    async def provider(request: web.Request) -> web.Response:
        return web.json_response(body, status=status)

    async with stub_service(provider) as service, translating(service.url) as translation:
        with pytest.raises(TranslationError) as error:
            await deed(translation)
    assert (error.value.code, error.value.retryable) == expected


async def test_a_provider_that_is_late_or_away(deed: Callable[[SarvamTranslation], Awaitable[Any]]) -> None:
    async def provider(request: web.Request) -> web.Response:
        await asyncio.sleep(5)
        return web.json_response({})

    async with stub_service(provider) as service, translating(service.url, deadline_s=0.2) as translation:
        began = time.monotonic()
        with pytest.raises(TranslationError) as error:
            await deed(translation)
        assert (error.value.code, time.monotonic() - began < 2) == ("sarvam_unavailable", True)
    async with translating(f"http://127.0.0.1:{free_port()}") as translation:
        with pytest.raises(TranslationError):
            await deed(translation)
