"""The machine of turn-taking: every pair of state and input, illegal ones included."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from shared.domain.turn_taking import (
    TRANSITIONS,
    Event,
    Hearing,
    InputKind,
    NothingSaid,
    PauseBegan,
    SpeechStarted,
    TurnEnded,
    TurnTaken,
)
from tests.shared.domain.conversation_with_machine import (
    ECHO,
    HUM,
    SILENCE,
    VOICE,
    Conversation,
    in_state,
    kinds,
)


def give(talk: Conversation, kind: InputKind) -> list[Event]:
    inputs: dict[InputKind, Callable[[], list[Event]]] = {
        InputKind.VOICE: lambda: talk.hear(VOICE),
        InputKind.HUM: lambda: talk.hear(HUM),
        InputKind.SILENCE: lambda: talk.hear(SILENCE),
        InputKind.ECHO: lambda: talk.hear(ECHO),
        InputKind.WORDS: lambda: talk.read("Hello there.", pause=1),
        InputKind.BACKCHANNEL: lambda: talk.read("Yeah, yeah.", pause=1),
        InputKind.NO_WORDS: lambda: talk.read(" …", pause=1),
        InputKind.UNKNOWN_WORDS: lambda: talk.read(None, pause=1),
        InputKind.KEY: lambda: talk.press("5"),
        InputKind.LAST_KEY: lambda: talk.press("#"),
    }
    return inputs[kind]()


_QUIET, _RISING, _HOLDING, _DOUBTING = Hearing.QUIET, Hearing.RISING, Hearing.HOLDING, Hearing.DOUBTING
_SPEAKING, _PAUSING, _CLOSING, _ENDED = Hearing.SPEAKING, Hearing.PAUSING, Hearing.CLOSING, Hearing.ENDED
WHAT_FOLLOWS: dict[Hearing, dict[str, tuple[Hearing, list[type[Event]]]]] = {
    _QUIET: {
        "voice": (_RISING, []),
        "hum": (_RISING, []),
        "silence": (_QUIET, []),
        "echo": (_QUIET, []),
        "words": (_QUIET, []),
        "backchannel": (_QUIET, []),
        "no words": (_QUIET, []),
        "unknown words": (_QUIET, []),
        "key": (_PAUSING, [SpeechStarted]),
        "last key": (_ENDED, [SpeechStarted, TurnEnded]),
    },
    _RISING: {
        "voice": (_RISING, []),
        "hum": (_RISING, []),
        "silence": (_QUIET, []),
        "echo": (_QUIET, []),
        "words": (_RISING, []),
        "backchannel": (_RISING, []),
        "no words": (_RISING, []),
        "unknown words": (_RISING, []),
        "key": (_PAUSING, [SpeechStarted]),
        "last key": (_ENDED, [SpeechStarted, TurnEnded]),
    },
    _HOLDING: {
        "voice": (_HOLDING, []),
        "hum": (_HOLDING, []),
        "silence": (_HOLDING, []),
        "echo": (_HOLDING, []),
        "words": (_SPEAKING, [TurnTaken]),
        "backchannel": (_HOLDING, []),
        "no words": (_HOLDING, []),
        "unknown words": (_HOLDING, []),
        "key": (_SPEAKING, [TurnTaken]),
        "last key": (_CLOSING, [TurnTaken, PauseBegan]),
    },
    _DOUBTING: {
        "voice": (_DOUBTING, []),
        "hum": (_DOUBTING, []),
        "silence": (_DOUBTING, []),
        "echo": (_DOUBTING, []),
        "words": (_PAUSING, [TurnTaken]),
        "backchannel": (_DOUBTING, []),
        "no words": (_DOUBTING, []),
        "unknown words": (_DOUBTING, []),
        "key": (_PAUSING, [TurnTaken]),
        "last key": (_CLOSING, [TurnTaken]),
    },
    _SPEAKING: {
        "voice": (_SPEAKING, []),
        "hum": (_SPEAKING, []),
        "silence": (_SPEAKING, []),
        "echo": (_SPEAKING, []),
        "words": (_SPEAKING, []),
        "backchannel": (_SPEAKING, []),
        "no words": (_SPEAKING, []),
        "unknown words": (_SPEAKING, []),
        "key": (_SPEAKING, []),
        "last key": (_CLOSING, [PauseBegan]),
    },
    _PAUSING: {
        "voice": (_PAUSING, []),
        "hum": (_PAUSING, []),
        "silence": (_PAUSING, []),
        "echo": (_PAUSING, []),
        "words": (_ENDED, [TurnEnded]),
        "backchannel": (_ENDED, [TurnEnded]),
        "no words": (_QUIET, [NothingSaid]),
        "unknown words": (_ENDED, [TurnEnded]),
        "key": (_PAUSING, []),
        "last key": (_CLOSING, []),
    },
    _CLOSING: {
        "voice": (_CLOSING, []),
        "hum": (_CLOSING, []),
        "silence": (_CLOSING, []),
        "echo": (_CLOSING, []),
        "words": (_ENDED, [TurnEnded]),
        "backchannel": (_ENDED, [TurnEnded]),
        "no words": (_ENDED, [TurnEnded]),
        "unknown words": (_ENDED, [TurnEnded]),
        "key": (_CLOSING, []),
        "last key": (_CLOSING, []),
    },
}
PAIRS = [
    pytest.param(state, InputKind(kind), follows, expected, id=f"{state}-{kind}")
    for state, row in WHAT_FOLLOWS.items()
    for kind, (follows, expected) in row.items()
]


@pytest.mark.parametrize(("state", "kind", "follows", "expected"), PAIRS)
def test_every_pair(state: Hearing, kind: InputKind, follows: Hearing, expected: list[type[Event]]) -> None:
    talk = in_state(state)
    events = give(talk, kind)
    assert (talk.machine.state, kinds(events)) == (follows, expected)
    assert follows in TRANSITIONS[state, kind].leads_to


def test_the_table_has_every_pair_but_those_after_the_end() -> None:
    pairs = set(itertools.product(Hearing, InputKind))
    assert set(TRANSITIONS) == {pair for pair in pairs if pair[0] is not Hearing.ENDED}
    assert {(state, InputKind(kind)) for state, row in WHAT_FOLLOWS.items() for kind in row} == set(TRANSITIONS)


@pytest.mark.parametrize("kind", list(InputKind))
def test_after_the_end_every_input_raises_and_changes_nothing(kind: InputKind) -> None:
    talk = in_state(Hearing.ENDED)
    started_ms = talk.machine.speech_started_ms
    for _ in range(2):
        with pytest.raises(ValueError, match="ended"):
            give(talk, kind)
    assert talk.machine.state is Hearing.ENDED
    assert talk.machine.speech_started_ms == started_ms


@pytest.mark.parametrize("pause", [0, -1, 2])
def test_words_of_a_pause_that_never_was_raise_and_change_nothing(pause: int) -> None:
    talk = in_state(Hearing.PAUSING)
    with pytest.raises(ValueError, match="no pause"):
        talk.machine.read(pause, "Hello.")
    assert talk.machine.state is Hearing.PAUSING
