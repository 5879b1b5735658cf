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
    assert said((None, "Hello, is this Mr Rao? This is Nora.")) == [(None, "Hello, is this Mr [name]? This is Nora.")]
    assert said((None, GREETING), greeting="") == [(None, GREETING.replace("Nora", "[name]"))]


def test_the_same_words_elsewhere_are_no_greeting() -> None:
    assert said((None, "Hi."), (GREETING, GREETING))[1] == (
        GREETING.replace("Nora", "[name]"),
        GREETING.replace("Nora", "[name]"),
    )


def test_an_agent_may_say_its_name_again() -> None:
    assert said((None, GREETING), ("Who is this?", "This is Nora."), ("Hi, this is Anil.", "Hello Anil.")) == [
        (None, GREETING),
        ("Who is this?", "This is Nora."),
        ("Hi, this is [name].", "Hello [name]."),
    ]


@pytest.mark.parametrize("introduced", ["This is Nora Rao.", "I'm Nora."])
def test_a_caller_of_the_same_name_is_hidden(introduced: str) -> None:
    hidden = said((None, GREETING), (introduced, "Hello Nora, this is Nora."))
    assert "Nora" not in "".join(f"{heard} {answer}" for heard, answer in hidden[1:])


def test_a_caller_of_the_same_name_whom_a_reader_has_found_is_hidden() -> None:
    turns = [Turn(1, "Nora speaking", "This is Nora.", TurnOutcome.COMPLETED)]
    (turn,) = redacted_turns(turns, known=["Nora"], greeting=GREETING)
    assert (turn.heard, turn.said) == ("[name] speaking", "This is [name].")
