"""What callers say of themselves is hidden in all turns; what the company has published is not."""

from __future__ import annotations

import pytest

from shared.domain.after_call.hidden_turns import redacted_turns
from shared.domain.call import Turn, TurnOutcome

GREETING = "Acme Telephones, this is Nora. How can I help you?"


def said(*texts: tuple[str | None, str], greeting: str = GREETING) -> list[tuple[str | None, str]]:
    turns = [Turn(number, heard, said, TurnOutcome.COMPLETED) for number, (heard, said) in enumerate(texts)]
    return [(turn.heard, turn.said) for turn in redacted_turns(turns, greeting=greeting)]


@pytest.mark.parametrize("heard_of_it", [GREETING, "Acme Telephones, this is Nora."])
def test_the_agents_name_in_its_own_greeting_is_nobodys_secret(heard_of_it: str) -> None:
    assert said((None, heard_of_it), ("This is Priya Rao.", "Hello Priya.")) == [
        (None, heard_of_it),
        ("This is [name].", "Hello [name]."),
    ]


def test_another_greeting_may_name_whom_it_greets() -> None:
    assert said((None, "Hello, is this Mr Rao? This is Nora.")) == [
        (None, "Hello, is this Mr [name]? This is [name].")
    ]
    assert said((None, GREETING), greeting="") == [(None, GREETING.replace("Nora", "[name]"))]


def test_the_same_words_elsewhere_are_no_greeting() -> None:
    assert said((None, "Hi."), (GREETING, GREETING))[1] == (
        GREETING.replace("Nora", "[name]"),
        GREETING.replace("Nora", "[name]"),
    )
