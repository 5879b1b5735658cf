"""When a call goes on in another language."""

from __future__ import annotations

import pytest

from shared.domain.language_switch import language_of, next_language, tag_among
from shared.domain.voices import in_language, name_of
from shared.domain.voices import language_of as language_of_voice

BOTH = ("en", "hi-IN")


@pytest.mark.parametrize(
    ("current", "before", "heard", "is_sure", "expected"),
    [
        ("en", "", "hi", False, "en"),
        ("en", "hi", "hi", False, "hi-IN"),
        ("en", "", "hi", True, "hi-IN"),
        ("en", "hi", "", False, "en"),
        ("en", "ta", "ta", False, "en"),
        ("hi-IN", "hi", "hi", False, "hi-IN"),
        ("hi-IN", "en", "en", False, "en"),
        ("en-GB", "en", "en", True, "en-GB"),
    ],
)
def test_when_it_switches(current: str, before: str, heard: str, is_sure: bool, expected: str) -> None:
    assert next_language(current, before, heard, BOTH, is_sure=is_sure) == expected


@pytest.mark.parametrize(
    ("wanted", "expected"), [("HI-in", "hi-IN"), ("hi", "hi-IN"), ("en-GB", "en"), ("mr", ""), ("", ""), ("auto", "")]
)
def test_which_of_the_tags_is_meant(wanted: str, expected: str) -> None:
    assert tag_among(BOTH, wanted) == expected


def test_the_last_turn_that_tells_counts() -> None:
    assert language_of([{"language": "hi"}, {}, {"language": ""}], "en") == "hi"
    assert language_of([{}], "en") == "en"


@pytest.mark.parametrize(
    ("tag", "voice"),
    [
        ("en", "ritu"),
        ("EN", "ritu"),
        ("", "ritu"),
        ("auto", "ritu"),
        ("en-IN", "ritu@en-IN"),
        ("en-GB", "ritu@en-GB"),
        ("hi", "ritu@hi"),
        ("hi-IN", "ritu@hi-IN"),
    ],
)
def test_a_voice_is_asked_for_with_its_language_unless_that_is_english_of_nowhere(tag: str, voice: str) -> None:
    assert in_language("ritu", tag) == voice
    assert (name_of(voice), language_of_voice(voice)) == ("ritu", tag if "@" in voice else "")
