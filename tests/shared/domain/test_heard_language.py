"""Which language a caller was heard to speak: by letters, by words, and where languages mix."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.heard_language import heard_language, is_of_several
from shared.domain.language_switch import next_language

BOTH = ("en", "hi-IN")


@pytest.mark.parametrize(
    ("words", "told", "languages", "current", "expected"),
    [
        ("नमस्ते", "hi-IN", BOTH, "en", "hi"),
        ("hello", "en-IN", BOTH, "hi-IN", "en"),
        ("hello", "ta-IN", BOTH, "en", ""),
        ("नमस्ते", "", BOTH, "en", "hi"),
        ("नमस्ते", "auto", BOTH, "en", "hi"),
        ("हाँ ok", "", BOTH, "en", "hi"),
        ("12, 13", "", BOTH, "en", ""),
        ("", "", BOTH, "en", ""),
        ("नमस्कार", "", ("hi", "mr"), "en", ""),
        ("नमस्कार", "", ("hi", "mr"), "mr", "mr"),
        ("ନମସ୍କାର", "or", ("en", "or-IN"), "en", "or"),
        ("ᱡᱚᱦᱟᱨ", "", ("en", "sat"), "en", "sat"),
        ("bonjour", "", ("en", "fr"), "fr", "fr"),
        ("bonjour", "", ("en", "fr"), "hi", ""),
        ("12", "en-US", BOTH, "en", "en"),
    ],
)
def test_which_language_was_heard(
    words: str, told: str, languages: tuple[str, ...], current: str, expected: str
) -> None:
    assert heard_language(words, told, languages, current) == expected


@pytest.mark.parametrize("told", ["", "auto", "en-US", "en-IN"])
@pytest.mark.parametrize("current", BOTH)
@pytest.mark.parametrize(
    "words",
    [
        "mera order kab aayega",
        "Mera order kab aayega?",
        "mujhe ek appointment book karna hai for tomorrow",
        "Haan ji, theek hai.",
        "haan",
        "delivery ka time kya hai",
        "aapka naam kya hai please",
        "मेरा order number कब आएगा",
    ],
)
def test_hindi_with_english_words_in_it_is_hindi_in_whatever_letters(words: str, current: str, told: str) -> None:
    assert heard_language(words, told, BOTH, current) == "hi"


@pytest.mark.parametrize("current", BOTH)
@pytest.mark.parametrize(
    "words",
    [
        "I would like to cancel my order.",
        "The main hum of the engine is loud.",
        "Do you open at ten, or is it nine?",
        "Could you send someone to check the water meter?",
        "What is the time?",
    ],
)
def test_english_is_english(words: str, current: str) -> None:
    assert heard_language(words, "", BOTH, current) == "en"


@pytest.mark.parametrize("current", BOTH)
@pytest.mark.parametrize("words", ["My name is राहुल", "haan I will come there tomorrow", "Order status बताइए please"])
def test_a_few_words_of_the_other_language_change_nothing(words: str, current: str) -> None:
    assert heard_language(words, "", BOTH, current) == current.partition("-")[0]


@pytest.mark.parametrize("words", ["ok, yes", "Thank you.", "hello sir", "No, thanks"])
def test_what_everyone_says_tells_nothing(words: str) -> None:
    assert heard_language(words, "", BOTH, "hi-IN") == ""
    assert heard_language(words, "en-US", BOTH, "en") == ""
    assert heard_language(words, "en-IN", BOTH, "hi-IN") == "en", "who heard it knows more than the words"


def test_hindi_in_latin_letters_is_nobody_s_where_it_is_not_spoken() -> None:
    assert heard_language("mera order kab aayega", "", ("en", "es"), "en") == "en"


@pytest.mark.parametrize(
    ("words", "languages", "expected"),
    [
        ("buenos dias", ("en", "es-ES", "hi"), True),
        ("नमस्ते", ("hi-IN", "mr-IN", "en"), True),
        ("नमस्ते", ("hi", "hi-IN", "en"), False),
        ("hello", ("en", "hi"), False),
        ("mera order kab aayega", ("en", "es", "hi"), False),
        ("12", ("en", "es"), False),
    ],
)
def test_whose_words_they_may_be(words: str, languages: tuple[str, ...], *, expected: bool) -> None:
    assert is_of_several(words, languages) is expected


@given(st.text(), st.text(), st.lists(st.text(), max_size=4), st.text())
def test_nothing_confuses_it(words: str, told: str, languages: list[str], current: str) -> None:
    heard = heard_language(words, told, languages, current)
    assert next_language(current, heard, heard, languages, is_sure=True) in {current, *languages}
