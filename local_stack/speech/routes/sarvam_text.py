"""Sarvam's work with text, under `/sarvam`: chat, translation, transliteration, identification.

Between the scripts of India letters are exchanged as Unicode lays them out; what needs a mind is asked of the chat
model. Source: https://pypi.org/project/sarvamai/0.1.39 (`text/raw_client.py`, `chat/raw_client.py`)
"""

from __future__ import annotations

import secrets
from contextlib import aclosing

from aiohttp import web

from local_stack.speech.backend import Asking, TextDelta
from local_stack.speech.errors import ApiError
from local_stack.speech.routes.chat import complete
from local_stack.speech.routes.requests import context_of, read_json, ready_backend, text_field, timed
from local_stack.speech.routes.sarvam_account import (
    BLOCK,
    HEARD_LANGUAGES,
    PREFIX,
    SPOKEN_LANGUAGES,
    identify,
    one_of,
    sarvams,
    script_begin,
)

_ALL = HEARD_LANGUAGES | {"od-IN"}
_MODELS = {
    "mayura:v1": (SPOKEN_LANGUAGES, SPOKEN_LANGUAGES | {"auto"}, 1_000),
    "sarvam-translate:v1": (_ALL, _ALL, 2_000),
}
"""Into which languages, from which, and how many characters at most."""
_LONGEST = 1_000


def add_sarvam_text(app: web.Application) -> None:
    app.router.add_post(f"{PREFIX}/v1/chat/completions", sarvams(complete))
    app.router.add_post(f"{PREFIX}/translate", sarvams(translate))
    app.router.add_post(f"{PREFIX}/transliterate", sarvams(transliterate))
    app.router.add_post(f"{PREFIX}/text-lid", sarvams(identify_language))


async def translate(request: web.Request) -> web.StreamResponse:
    body = await read_json(request)
    model = one_of({"model": body.get("model") or "mayura:v1"}, "model", set(_MODELS))
    targets, sources, longest = _MODELS[model]
    text = _read_text(body.get("input"), longest)
    target = one_of(body, "target_language_code", targets)
    source = one_of(body, "source_language_code", sources)
    if source == "auto":
        source = identify(text)[0] or "en-IN"
    translated = text if source == target else await _ask(request, text, source, target)
    return web.json_response(
        {"request_id": secrets.token_hex(8), "translated_text": translated, "source_language_code": source}
    )


async def _ask(request: web.Request, text: str, source: str, target: str) -> str:
    wish = f"Translate from {source} to {target}. Give the translation and nothing else."
    messages = [{"role": "system", "content": wish}, {"role": "user", "content": text}]
    async with timed(request, "llm") as entry:
        events = ready_backend(request).chat_model.reply(Asking(messages), context_of(request, entry))
        async with aclosing(events):
            words = [event.text async for event in events if isinstance(event, TextDelta)]
        entry.mark_first_byte()
        return "".join(words).strip()


async def transliterate(request: web.Request) -> web.StreamResponse:
    body = await read_json(request)
    text = _read_text(body.get("input"), _LONGEST)
    target = one_of(body, "target_language_code", SPOKEN_LANGUAGES)
    source = one_of(body, "source_language_code", SPOKEN_LANGUAGES | {"auto"})
    if source == "auto":
        source = identify(text)[0] or "en-IN"
    written = text if source == target else _exchanged(text, source, target)
    return web.json_response(
        {"request_id": secrets.token_hex(8), "transliterated_text": written, "source_language_code": source}
    )


def _exchanged(text: str, source: str, target: str) -> str:
    begin, wanted = script_begin(source), script_begin(target)
    if begin is None or wanted is None:
        raise ApiError(422, "Latin letters are not served here")
    return "".join(
        chr(ord(letter) - begin + wanted) if begin <= ord(letter) < begin + BLOCK else letter for letter in text
    )


async def identify_language(request: web.Request) -> web.StreamResponse:
    body = await read_json(request)
    language, script = identify(_read_text(text_field(body, "input"), _LONGEST))
    return web.json_response({"request_id": secrets.token_hex(8), "language_code": language, "script_code": script})


def _read_text(value: object, longest: int) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > longest:
        raise ApiError(400, f"input must have 1 to {longest} characters", param="input")
    return value
