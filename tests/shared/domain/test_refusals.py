"""What is said where there may be no answer is said in the caller's language, else in the agent's."""

from __future__ import annotations

import pytest

from shared.domain.refusals import farewell_in, is_farewell, refusal_in


@pytest.mark.parametrize(
    ("tag", "own", "begins"),
    [("de-AT", "en", "Es tut mir leid"), ("xx", "fr", "Je suis"), ("xx", "yy", "I am sorry")],
)
def test_the_callers_language_comes_first(tag: str, own: str, begins: str) -> None:
    assert refusal_in(tag, own).startswith(begins)
    assert farewell_in(tag, own).startswith(begins)


def test_a_farewell_is_known_again() -> None:
    assert is_farewell(farewell_in("hi-IN", "en"))
    assert not is_farewell(refusal_in("en", "en"))
