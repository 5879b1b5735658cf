"""Which words take no turn."""

from __future__ import annotations

import pytest

from shared.domain.backchannels import is_backchannel, normalised, phrases_of


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Mhm."),
        ("en", "Mm-hmm!"),
        ("en", "Uh-huh."),
        ("en", "Yeah, yeah. Okay."),
        ("en", "  ALL RIGHT "),
        ("en", "I see."),
        ("en-GB", "Right, right."),
        ("hi", "हाँ जी।"),
        ("hi", "ठीक है"),
        ("hi-IN", "haan, theek hai"),
        ("hi", "अच्छा अच्छा"),
        ("es", "Sí, claro."),
        ("de", "Ja, genau."),
        ("ta", "சரி"),
        ("te", "అవును"),
        ("xx", "Hmm."),
    ],
)
def test_words_of_a_listener(language: str, text: str) -> None:
    assert is_backchannel(text, phrases_of(language))


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Yeah, but I want the other one."),
        ("en", "No."),
        ("en", "Stop."),
        ("en", "Right now"),
        ("en", "yeah yeah yeah yeah yeah yeah"),
        ("en", ""),
        ("en", "..."),
        ("hi", "नहीं"),
        ("hi", "हाँ लेकिन मुझे रुकना है"),
        ("de", "Nein, genau das nicht"),
        ("xx", "yeah"),
    ],
)
def test_words_of_a_speaker(language: str, text: str) -> None:
    assert not is_backchannel(text, phrases_of(language))


def test_an_agents_own_phrases_replace_those_of_its_language() -> None:
    own = phrases_of("en", ["Roger that!", " "])
    assert is_backchannel("roger that", own)
    assert is_backchannel("mhm", own)
    assert not is_backchannel("yeah", own)


def test_blank_phrases_are_none() -> None:
    assert phrases_of("en", [" "]) == phrases_of("en")


def test_normalised() -> None:
    assert normalised("  Uh-huh… that's IT! ") == "uhhuh thats it"
    assert normalised("ठीक  है।") == "ठीक है"
