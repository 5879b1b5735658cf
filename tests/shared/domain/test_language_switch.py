"""When a call goes on in another language."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.language_switch import heard_language, is_of_several, language_of, next_language, tag_among
from shared.domain.voices import in_language, name_of
from shared.domain.voices import language_of as language_of_voice

BOTH = ("en", "hi-IN")


@pytest.mark.parametrize(
    ("words", "told", "languages", "current", "expected"),
    [
        ("नमस्ते", "hi-IN", BOTH, "en", "hi"),
        ("hello", "en-IN", BOTH, "hi-IN", "en"),
        ("hello", "ta-IN", BOTH, "en", ""),
        ("नमस्ते", "", BOTH, "en", "hi"),
        ("नमस्ते", "auto", BOTH, "en", "hi"),
        ("ok, yes", "", BOTH, "hi", "en"),
        ("हाँ ok", "", BOTH, "en", "hi"),
        ("12, 13", "", BOTH, "en", ""),
        ("", "", BOTH, "en", ""),
        ("नमस्कार", "", ("hi", "mr"), "en", ""),
        ("नमस्कार", "", ("hi", "mr"), "mr", "mr"),
        ("ନମସ୍କାର", "or", ("en", "or-IN"), "en", "or"),
        ("bonjour", "", ("en", "fr"), "fr", "fr"),
        ("bonjour", "", ("en", "fr"), "hi", ""),
    ],
)
def test_which_language_was_heard(
    words: str, told: str, languages: tuple[str, ...], current: str, expected: str
) -> None:
    assert heard_language(words, told, languages, current) == expected


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
    ("words", "languages", "expected"),
    [
        ("buenos dias", ("en", "es-ES", "hi"), True),
        ("नमस्ते", ("hi-IN", "mr-IN", "en"), True),
        ("नमस्ते", ("hi", "hi-IN", "en"), False),
        ("hello", ("en", "hi"), False),
        ("12", ("en", "es"), False),
    ],
)
def test_whose_letters_they_may_be(words: str, languages: tuple[str, ...], *, expected: bool) -> None:
    assert is_of_several(words, languages) is expected


@pytest.mark.parametrize(
    ("wanted", "expected"), [("HI-in", "hi-IN"), ("hi", "hi-IN"), ("en-GB", "en"), ("mr", ""), ("", ""), ("auto", "")]
)
def test_which_of_the_tags_is_meant(wanted: str, expected: str) -> None:
    assert tag_among(BOTH, wanted) == expected


def test_what_a_line_was_told_to_hear_says_less_than_the_letters() -> None:
    assert heard_language("नमस्ते", "en-US", BOTH, "en") == "hi"
    assert heard_language("12", "en-US", BOTH, "en") == "en"


def test_the_last_turn_that_tells_counts() -> None:
    assert language_of([{"language": "hi"}, {}, {"language": ""}], "en") == "hi"
    assert language_of([{}], "en") == "en"


@given(st.text(), st.text(), st.lists(st.text(), max_size=4), st.text())
def test_nothing_confuses_it(words: str, told: str, languages: list[str], current: str) -> None:
    heard = heard_language(words, told, languages, current)
    assert next_language(current, heard, heard, languages, is_sure=True) in {current, *languages}


def test_a_voice_is_asked_for_with_its_language_unless_that_is_english() -> None:
    assert in_language("ritu", "en-IN") == "ritu"
    voice = in_language("ritu", "hi-IN")
    assert (name_of(voice), language_of_voice(voice)) == ("ritu", "hi-IN")
    assert (name_of("ritu"), language_of_voice("ritu")) == ("ritu", "")
