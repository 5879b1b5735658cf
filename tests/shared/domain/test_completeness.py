"""How finished words sound."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.completeness import finished


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "I would like to book a table for."),
        ("en", "I want the"),
        ("en", "My order number is"),
        ("en", "Well, um"),
        ("en", "I was told that, "),
        ("en", "and then..."),
        ("en", "four one six"),
        ("en", "My number is 416-555"),
        ("en", "Hello. My friend Peter said we should come"),
        ("hi", "मुझे एक"),
        ("hi", "मैं कल आऊंगा लेकिन"),
        ("hi", "mujhe ek"),
        ("hi", "नौ आठ सात"),
        ("es", "Quiero una mesa para"),
        ("de", "Ich möchte einen"),
        ("fr", "Je voudrais une"),
    ],
)
def test_more_to_come(language: str, text: str) -> None:
    assert finished(text, language) < 0.5


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "I would like to book a table."),
        ("en", "Are you open on Sunday?"),
        ("en", "Could you repeat that, please."),
        ("en", "My number is 416 297 5772"),
        ("en", 'She said "no."'),
        ("hi", "मुझे एक मेज चाहिए"),
        ("hi", "क्या आप खुले हैं?"),
        ("hi", "mujhe ek table chahiye"),
        ("de", "Ich möchte einen Tisch."),
    ],
)
def test_all_said(language: str, text: str) -> None:
    assert finished(text, language) > 0.5


@pytest.mark.parametrize("text", ["", " … ", "tomorrow morning", "Two", "I think it is.", "Which one is it for?"])
def test_words_that_tell_nothing(text: str) -> None:
    assert finished(text) == pytest.approx(0.5)


@given(st.text(max_size=60), st.sampled_from(["en", "hi-IN", "de_DE", "xx", ""]))
def test_any_text_has_a_probability(text: str, language: str) -> None:
    assert 0 <= finished(text, language) <= 1
