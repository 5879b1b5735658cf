"""The machine that decides when somebody speaks and when a turn is over: its table, and its rules in audio time."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.turn_taking import (
    CHUNK_MS,
    TRANSITIONS,
    Event,
    Hearing,
    Patience,
    PauseBegan,
    Sound,
    SpeechResumed,
    SpeechStarted,
    TurnEnded,
    TurnTaking,
)

LOUD, MUMBLED, SOFT = 0.9, 0.4, 0.1
TO_SPEAK = [LOUD] * 3


def machine_in(state: Hearing) -> TurnTaking:
    """A machine that got into this state by what it heard."""
    machine = TurnTaking(Patience(patience_ms=320))
    heard = {
        Hearing.QUIET: [],
        Hearing.RISING: [LOUD],
        Hearing.SPEAKING: TO_SPEAK,
        Hearing.PAUSING: [*TO_SPEAK, SOFT],
        Hearing.ENDED: [*TO_SPEAK, *[SOFT] * 10],
    }
    for probability in heard[state]:
        machine.hear(probability)
    assert machine.state is state
    return machine


def hear(machine: TurnTaking, probabilities: list[float]) -> list[Event]:
    return [event for probability in probabilities for event in machine.hear(probability)]


@pytest.mark.parametrize(
    ("state", "probability", "follows", "kinds"),
    [
        (Hearing.QUIET, SOFT, Hearing.QUIET, []),
        (Hearing.QUIET, MUMBLED, Hearing.QUIET, []),
        (Hearing.QUIET, LOUD, Hearing.RISING, []),
        (Hearing.RISING, LOUD, Hearing.RISING, []),
        (Hearing.RISING, MUMBLED, Hearing.RISING, []),
        (Hearing.RISING, SOFT, Hearing.QUIET, []),
        (Hearing.SPEAKING, LOUD, Hearing.SPEAKING, []),
        (Hearing.SPEAKING, MUMBLED, Hearing.SPEAKING, []),
        (Hearing.SPEAKING, SOFT, Hearing.PAUSING, [PauseBegan]),
        (Hearing.PAUSING, SOFT, Hearing.PAUSING, []),
        (Hearing.PAUSING, MUMBLED, Hearing.PAUSING, []),
        (Hearing.PAUSING, LOUD, Hearing.SPEAKING, [SpeechResumed]),
    ],
)
def test_every_pair(state: Hearing, probability: float, follows: Hearing, kinds: list[type]) -> None:
    machine = machine_in(state)
    events = machine.hear(probability)
    assert (machine.state, [type(event) for event in events]) == (follows, kinds)


def test_the_table_has_every_pair_but_those_after_the_end() -> None:
    assert set(TRANSITIONS) == {pair for pair in itertools.product(Hearing, Sound) if pair[0] is not Hearing.ENDED}


@pytest.mark.parametrize("probability", [LOUD, SOFT])
def test_after_the_end_nothing_is_heard_and_nothing_changes(probability: float) -> None:
    machine = machine_in(Hearing.ENDED)
    started_ms = machine.speech_started_ms
    for _ in range(2):
        with pytest.raises(ValueError, match="ended"):
            machine.hear(probability)
    assert machine.state is Hearing.ENDED
    assert machine.speech_started_ms == started_ms


def test_a_click_is_no_speech() -> None:
    machine = TurnTaking()
    assert hear(machine, [LOUD, LOUD, SOFT] * 20) == []
    assert machine.state is Hearing.QUIET


def test_speech_starts_where_its_first_chunk_began() -> None:
    machine = TurnTaking(Patience(onset_ms=96))
    assert hear(machine, [SOFT, SOFT, LOUD, LOUD]) == []
    assert machine.hear(LOUD) == [SpeechStarted(2 * CHUNK_MS)]
    assert machine.speech_started_ms == 2 * CHUNK_MS


@pytest.mark.parametrize(("onset_ms", "chunks"), [(1, 1), (32, 1), (33, 2), (96, 3), (200, 7)])
def test_onset(onset_ms: int, chunks: int) -> None:
    machine = TurnTaking(Patience(onset_ms=onset_ms))
    assert hear(machine, [LOUD] * (chunks - 1)) == []
    assert machine.hear(LOUD) == [SpeechStarted(0)]


@pytest.mark.parametrize("patience_ms", [64, 320, 700, 1200])
def test_patience_counts_from_the_last_voice(patience_ms: int) -> None:
    machine = TurnTaking(Patience(patience_ms=patience_ms))
    hear(machine, [*TO_SPEAK, LOUD])
    voice_until_ms = 4 * CHUNK_MS
    silent = -(-patience_ms // CHUNK_MS)
    first = machine.hear(SOFT)
    assert first[0] == PauseBegan(voice_until_ms)
    events = first[1:] + hear(machine, [SOFT] * (silent - 1))
    assert events == [TurnEnded(0, voice_until_ms)]


def test_a_word_more_begins_the_patience_anew() -> None:
    machine = TurnTaking(Patience(patience_ms=320))
    hear(machine, [*TO_SPEAK, *[SOFT] * 9])
    assert machine.hear(LOUD) == [SpeechResumed(12 * CHUNK_MS)]
    assert [type(event) for event in hear(machine, [SOFT] * 9)] == [PauseBegan]
    assert machine.hear(SOFT) == [TurnEnded(0, 13 * CHUNK_MS)]


def test_within_speech_a_mumble_is_voice_but_after_a_pause_it_is_not() -> None:
    machine = TurnTaking(Patience(patience_ms=320))
    hear(machine, TO_SPEAK)
    assert hear(machine, [MUMBLED] * 5) == []
    events = hear(machine, [SOFT, *[MUMBLED] * 9])
    assert events[-1] == TurnEnded(0, 8 * CHUNK_MS)


def test_speech_without_end_is_cut() -> None:
    machine = TurnTaking(Patience(longest_ms=960))
    events = hear(machine, [LOUD] * 30)
    assert events == [SpeechStarted(0), TurnEnded(0, 960, cut=True)]


def test_speech_with_many_pauses_is_cut_too() -> None:
    machine = TurnTaking(Patience(longest_ms=960, patience_ms=320))
    heard: list[Event] = []
    for probability in itertools.cycle([LOUD, LOUD, LOUD, SOFT, SOFT]):
        heard += machine.hear(probability)
        if machine.state is Hearing.ENDED:
            break
    assert heard[-1] == TurnEnded(0, 992, cut=True), "cut where it resumes after the limit"


@given(st.lists(st.floats(0, 1), max_size=300), st.integers(32, 1000), st.integers(200, 3000))
def test_whatever_is_heard_events_come_in_a_sensible_order(
    probabilities: list[float], patience_ms: int, longest_ms: int
) -> None:
    machine = TurnTaking(Patience(patience_ms=patience_ms, longest_ms=longest_ms))
    events: list[Event] = []
    for probability in probabilities:
        if machine.state is Hearing.ENDED:
            break
        events += machine.hear(probability)
    kinds = [type(event) for event in events]
    assert kinds.count(SpeechStarted) <= 1
    assert not kinds or kinds[0] is SpeechStarted
    middle = [kind for kind in kinds[1:] if kind is not TurnEnded]
    assert middle == [PauseBegan if index % 2 == 0 else SpeechResumed for index in range(len(middle))]
    assert TurnEnded not in kinds[:-1]
    for event in events:
        if isinstance(event, TurnEnded):
            assert 0 <= event.started_ms < event.ended_ms <= len(probabilities) * CHUNK_MS
            assert event.ended_ms - event.started_ms <= longest_ms + patience_ms + CHUNK_MS
