"""Sarvam's names of languages, in each of its rooms."""

from __future__ import annotations

import pytest

from shared.adapters.sarvam.languages import (
    HEARD,
    SPOKEN,
    agent_language,
    language_of,
    of_agent,
    request_language,
    socket_language,
    voice_language,
)
from shared.adapters.sarvam.speakers import speaker_of

# language: on the realtime socket, in requests, for the voice (None: nobody speaks it), as a voice agent says it
LANGUAGES: dict[str, tuple[str, str, str | None, str | None]] = {
    "as": ("as-IN", "as-IN", None, "Assamese"),
    "bn": ("bn-IN", "bn-IN", "bn-IN", "Bengali"),
    "brx": ("brx-IN", "brx-IN", None, None),
    "doi": ("doi-IN", "doi-IN", None, None),
    "en": ("en-IN", "en-IN", "en-IN", "English"),
    "gu": ("gu-IN", "gu-IN", "gu-IN", "Gujarati"),
    "hi": ("hi-IN", "hi-IN", "hi-IN", "Hindi"),
    "kn": ("kn-IN", "kn-IN", "kn-IN", "Kannada"),
    "kok": ("kok-IN", "kok-IN", None, "Konkani"),
    "ks": ("ks-IN", "ks-IN", None, None),
    "mai": ("mai-IN", "mai-IN", None, None),
    "ml": ("ml-IN", "ml-IN", "ml-IN", "Malayalam"),
    "mni": ("mni-IN", "mni-IN", None, None),
    "mr": ("mr-IN", "mr-IN", "mr-IN", "Marathi"),
    "ne": ("ne-IN", "ne-IN", None, None),
    "or": ("or-IN", "od-IN", "od-IN", "Odia"),
    "pa": ("pa-IN", "pa-IN", "pa-IN", "Punjabi"),
    "sa": ("sa-IN", "sa-IN", None, None),
    "sat": ("sat-IN", "sat-IN", None, None),
    "sd": ("sd-IN", "sd-IN", None, None),
    "ta": ("ta-IN", "ta-IN", "ta-IN", "Tamil"),
    "te": ("te-IN", "te-IN", "te-IN", "Telugu"),
    "ur": ("ur-IN", "ur-IN", None, None),
}


def test_all_languages_are_there() -> None:
    assert len(LANGUAGES) == 23
    assert set(LANGUAGES) == HEARD
    assert {language for language, names in LANGUAGES.items() if names[2]} == SPOKEN
    assert len(SPOKEN) == 11


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("tag", ["{}", "{}-IN", "{}-in", "{}-Deva-IN"])
def test_each_in_every_room(language: str, tag: str) -> None:
    socket, request, voice, name = LANGUAGES[language]
    tag = tag.format(language)
    assert socket_language(tag) == socket
    assert request_language(tag) == request
    assert voice_language(tag, "") == voice
    assert agent_language(tag) == name
    assert language_of(socket) == language_of(request) == language
    if name:
        assert of_agent(name) == of_agent(name.upper()) == language
    assert of_agent(request) == language


@pytest.mark.parametrize("tag", ["od", "od-IN", "or", "or-IN"])
def test_odia_has_two_names(tag: str) -> None:
    assert (socket_language(tag), request_language(tag), voice_language(tag, "")) == ("or-IN", "od-IN", "od-IN")


@pytest.mark.parametrize("tag", ["", "auto", "unknown", "multi", "de", "zz-ZZ", "-"])
def test_what_is_not_known_is_detected(tag: str) -> None:
    assert (socket_language(tag), request_language(tag)) == ("auto", "unknown")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello", "en-IN"),
        ("", "en-IN"),
        ("OK, नमस्ते", "hi-IN"),
        ("ভাল", "bn-IN"),
        ("ਚੰਗਾ", "pa-IN"),
        ("સારું", "gu-IN"),
        ("ଭଲ", "od-IN"),
        ("நல்ல", "ta-IN"),
        ("మంచి", "te-IN"),
        ("ಒಳ್ಳೆಯ", "kn-IN"),
        ("നല്ല", "ml-IN"),
    ],
)
def test_without_a_tag_the_script_tells(text: str, expected: str) -> None:
    assert voice_language("", text) == expected


@pytest.mark.parametrize(
    ("voice", "model", "expected"),
    [
        ("default", "bulbul:v3", "shubh"),
        ("Ritu", "bulbul:v3", "ritu"),
        ("ritu@hi", "bulbul:v3", "ritu"),
        ("anushka", "bulbul:v3", "shubh"),
        ("anushka", "bulbul:v2", "anushka"),
        ("alloy", "bulbul:v4-flash", "shubh"),
        ("simran_en_customer", "bulbul:v4-flash", "simran_en_customer"),
    ],
)
def test_a_voice_that_the_model_does_not_have_is_the_default_one(voice: str, model: str, expected: str) -> None:
    assert speaker_of(voice, model, "shubh") == expected
