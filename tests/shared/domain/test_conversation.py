"""What the model is told, what remains as transcript, and the moments of a turn."""

from __future__ import annotations

import pytest

from shared.domain.call import Turn, TurnOutcome
from shared.domain.conversation import remembered, system_prompt
from shared.domain.knowledge.citations import Citation
from shared.domain.ledger import Moment, read_moments
from shared.domain.transcript import text_of


def test_the_persona_comes_first() -> None:
    assert system_prompt("You are Nora.").startswith("You are Nora.\n\n")


@pytest.mark.parametrize(
    ("journals", "expected"),
    [
        ([], []),
        ([{"said": "Hello."}], [("", "Hello.")]),
        ([{"said": ""}], []),
        ([{}], []),
        ([{"said": "Hello."}, {"heard": "Hi.", "said": "How can I"}], [("", "Hello."), ("Hi.", "How can I")]),
        ([{}, {"heard": "Hi."}], [("Hi.", "")]),
        ([{}, {"heard": ""}, {"heard": "Yes?", "said": "Well."}], [("Yes?", "Well.")]),
        ([{}, {"outcome": "unheard"}, {"heard": "Hi.", "said": "Yes?"}], [("Hi.", "Yes?")]),
    ],
)
def test_what_is_remembered(journals: list[dict[str, str]], expected: list[tuple[str, str]]) -> None:
    assert remembered(journals) == expected


def test_only_the_last_turns_are_remembered() -> None:
    journals = [{"heard": f"q{n}", "said": f"a{n}"} for n in range(50)]
    assert remembered(journals) == [(f"q{n}", f"a{n}") for n in range(30, 50)]


def test_a_transcript_has_a_line_a_speech() -> None:
    turns = [
        Turn(0, None, "Hello, this is Nora.", TurnOutcome.COMPLETED),
        Turn(1, "Where is my order?", "Let me", TurnOutcome.INTERRUPTED),
        Turn(2, "Number seven.", "", TurnOutcome.UNHEARD),
    ]
    assert text_of(turns) == (
        "agent: Hello, this is Nora.\ncaller: Where is my order?\nagent: Let me\ncaller: Number seven."
    )
    assert text_of([]) == ""


def test_a_transcript_says_on_what_an_answer_rests() -> None:
    pages = (
        Citation("shop", "d1", "p1", "Handbook", "page 3", 0.9),
        Citation("shop", "d2", "p2", "Parking", "", 0.5),
    )
    turn = Turn(1, "When?", "At nine.", TurnOutcome.COMPLETED, citations=pages)
    told = "caller: When?\nagent: At nine.\n  rests on: Handbook, page 3\n  rests on: Parking"
    assert text_of([turn]) == told


def test_moments_are_read_from_a_journal() -> None:
    journal = {"heard": "Hi.", "speech_ended_ms": "1700000000123.5", "transcript_ms": "1700000000400", "mood": "1"}
    assert read_moments(journal) == {"speech_ended_ms": 1700000000123.5, "transcript_ms": 1700000000400.0}
    assert read_moments({}) == {}


def test_moments_stand_in_the_order_of_a_good_turn() -> None:
    order = [moment.value for moment in Moment]
    expected = [
        "speech_started_ms", "speech_ended_ms", "transcript_ms", "first_token_ms", "first_sentence_ms",
        "first_audio_byte_ms", "first_frame_sent_ms", "playback_ended_ms",
    ]  # fmt: skip
    assert [name for name in order if name in expected] == expected
