"""What always holds of turn-taking, whatever is heard."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.turn_taking import (
    CHUNK_MS,
    Backchannel,
    Chunk,
    Event,
    FalseInterruption,
    Hearing,
    Interrupted,
    NothingSaid,
    PauseBegan,
    SpeechResumed,
    SpeechStarted,
    Tuning,
    TurnEnded,
    TurnTaken,
)
from tests.shared.domain.conversation_with_machine import (
    SILENCE,
    Conversation,
    kinds,
)

INPUTS = st.one_of(
    st.builds(
        Chunk,
        probability=st.sampled_from([0.02, 0.1, 0.4, 0.6, 0.95]),
        quiet_tail_ms=st.sampled_from([0, 0, 0, 12, 32]),
        is_hum=st.sampled_from([False, False, True]),
        is_echo=st.sampled_from([False, False, False, True]),
    ).flatmap(lambda chunk: st.integers(1, 25).map(lambda times: [chunk] * times)),
    st.tuples(
        st.integers(0, 3),
        st.sampled_from(["", "yeah", "I would like to know", None]),
        st.sampled_from([0.0, 0.3, 0.5, 1.0]),
    ).map(lambda words: [words]),
    st.sampled_from("1#").map(lambda key: [key]),
    st.booleans().map(lambda over: [over]),
)


def play(talk: Conversation, inputs: list[list[object]]) -> list[tuple[Event, int]]:
    """Give all inputs until the turn ends; the events with the audio time at which they came."""
    heard_ms, told = 0, list[tuple[Event, int]]()
    for given_input in itertools.chain.from_iterable(inputs):
        match given_input:
            case bool():
                talk.over = given_input
                continue
            case Chunk():
                heard_ms += CHUNK_MS
                events = talk.hear(given_input)
            case str():
                events = talk.press(given_input)
            case (int(back), text, float(finished)):
                if talk.pauses - back < 1:
                    continue
                events = talk.read(text, finished, pause=talk.pauses - back)
        told += [(event, heard_ms) for event in events]
        if talk.machine.state is Hearing.ENDED:
            break
    return told


@settings(max_examples=400, deadline=None)
@given(st.lists(INPUTS, max_size=60), st.booleans(), st.booleans(), st.booleans())
def test_whatever_is_heard_events_come_in_a_sensible_order(
    inputs: list[list[object]], over: bool, speculates: bool, interruptible: bool
) -> None:
    tuning = Tuning(
        patience_ms=320,
        longest_ms=4000,
        speculates=speculates,
        interruptible=interruptible,
        backchannels=frozenset({"yeah"}),
    )
    talk = Conversation(tuning, over=over)
    held = speaking = paused = False
    number = last_ms = 0
    for event, now_ms in play(talk, inputs):
        assert not isinstance(event, TurnEnded | PauseBegan | SpeechResumed) or speaking
        match event:
            case SpeechStarted(at_ms):
                assert not speaking
                speaking, paused, last_ms = True, False, at_ms
            case Interrupted(at_ms):
                assert interruptible
                assert not held
                held = True
                assert at_ms == last_ms
            case TurnTaken(at_ms):
                assert held
                held = False
                assert at_ms == now_ms
            case FalseInterruption(at_ms) | Backchannel(at_ms, _):
                assert held
                held = speaking = False
                assert at_ms == now_ms
            case NothingSaid(at_ms):
                assert speaking
                assert not held
                speaking = False
                assert at_ms == now_ms
            case PauseBegan(at_number, at_ms):
                assert at_number == number + 1
                assert not paused
                number, paused = at_number, True
                assert last_ms <= at_ms <= now_ms
                last_ms = at_ms
            case SpeechResumed(at_ms):
                assert last_ms <= at_ms <= now_ms
                last_ms, paused = at_ms, False
            case TurnEnded(started_ms, ended_ms, pause, cut):
                assert not held
                assert started_ms == talk.machine.speech_started_ms
                assert started_ms <= ended_ms <= now_ms
                assert pause in (0, number)
                assert not cut or ended_ms - started_ms >= 4000 - CHUNK_MS
    assert kinds(talk.events).count(TurnEnded) == (talk.machine.state is Hearing.ENDED)


@settings(max_examples=200, deadline=None)
@given(st.lists(INPUTS, max_size=40), st.booleans())
def test_nothing_is_waited_for_without_end(inputs: list[list[object]], over: bool) -> None:
    talk = Conversation(Tuning(patience_ms=320, longest_ms=4000), over=over)
    play(talk, inputs)
    for _ in range(200):
        if talk.machine.state in (Hearing.QUIET, Hearing.ENDED):
            break
        talk.hear(SILENCE)
        if talk.machine.state is not Hearing.ENDED and talk.pauses:
            talk.read("Hello there.", 1.0)
    assert talk.machine.state in (Hearing.QUIET, Hearing.ENDED)
