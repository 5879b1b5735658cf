"""The machine of turn-taking: every pair of state and input, its rules in audio time, and what always holds."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.turn_taking import (
    CHUNK_MS,
    TRANSITIONS,
    Backchannel,
    Chunk,
    Event,
    FalseInterruption,
    Hearing,
    InputKind,
    Interrupted,
    NothingSaid,
    PauseBegan,
    SpeechResumed,
    SpeechStarted,
    Tuning,
    TurnEnded,
    TurnTaken,
    TurnTaking,
)

VOICE, MUMBLE, HUM, ECHO, SILENCE = (
    Chunk(0.9),
    Chunk(0.4),
    Chunk(0.9, is_hum=True),
    Chunk(0.9, is_echo=True),
    Chunk(0.05),
)
TUNING = Tuning(
    patience_ms=640,
    backchannels=frozenset({"yeah", "mhm"}),
    onset_ms=96,
    barge_onset_ms=64,
    pause_ms=96,
    resume_ms=64,
    word_ms=96,
    sure_ms=704,
    short_ms=256,
    settle_ms=256,
    doubt_ms=960,
    hold_ms=1920,
    echo_ms=64,
    hesitation_ms=800,
    keys_ms=1984,
    pause_gap_ms=256,
    most_pauses=3,
)
START = 3
REST = 3


class Conversation:
    """A machine with everything it said, and whether the agent's answer is still to be heard."""

    def __init__(self, tuning: Tuning = TUNING, *, over: bool = False) -> None:
        self.machine = TurnTaking(tuning)
        self.over = over
        self.events: list[Event] = []

    def hear(self, chunk: Chunk, times: int = 1) -> list[Event]:
        return self._note([event for _ in range(times) for event in self.machine.hear(chunk, overlaps=self.over)])

    def read(self, text: str | None, finished: float = 0.5, pause: int | None = None) -> list[Event]:
        return self._note(self.machine.read(pause or self.pauses, text, finished))

    def press(self, keys: str) -> list[Event]:
        return self._note([event for key in keys for event in self.machine.press(key, overlaps=self.over)])

    def _note(self, events: list[Event]) -> list[Event]:
        self.events += events
        return events

    @property
    def pauses(self) -> int:
        return sum(isinstance(event, PauseBegan) for event in self.events)

    @property
    def kinds(self) -> list[type[Event]]:
        return kinds(self.events)


def kinds(events: list[Event]) -> list[type[Event]]:
    return [type(event) for event in events]


def in_state(state: Hearing) -> Conversation:
    """A conversation that got into this state by what was heard, with a pause told before where there can be one."""
    over = state in (Hearing.HOLDING, Hearing.DOUBTING)
    talk = Conversation(over=over)
    if state is Hearing.HOLDING:
        talk.hear(VOICE, START)
        talk.hear(SILENCE, REST)
        talk.hear(VOICE, 2)
    elif state is Hearing.DOUBTING:
        talk.hear(VOICE, START)
        talk.hear(SILENCE, REST)
    else:
        talk.hear(VOICE, START)
        talk.hear(SILENCE, 20)
        if state in (Hearing.QUIET, Hearing.RISING):
            talk.read("")
            talk.hear(VOICE, 1 if state is Hearing.RISING else 0)
        elif state is Hearing.SPEAKING:
            talk.hear(VOICE, 2)
        elif state is Hearing.CLOSING:
            talk.press("#")
        elif state is Hearing.ENDED:
            talk.read("Hello there.")
    assert talk.machine.state is state
    talk.events.clear()
    return talk


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


class TestTurns:
    def test_a_click_is_no_speech(self) -> None:
        talk = Conversation()
        for _ in range(20):
            talk.hear(VOICE, 2)
            talk.hear(SILENCE)
        assert talk.events == []

    def test_a_turn(self) -> None:
        talk = Conversation()
        talk.hear(SILENCE, 2)
        assert talk.hear(VOICE, 20) == [SpeechStarted(64)]
        said_ms = 22 * CHUNK_MS
        assert talk.hear(SILENCE, 2) == []
        assert talk.hear(SILENCE) == [PauseBegan(1, said_ms)]
        assert talk.read("I would like to book a table.") == []
        assert talk.hear(SILENCE, 16) == []
        assert talk.hear(SILENCE) == [TurnEnded(64, said_ms, 1)]

    def test_the_turn_waits_for_its_words(self) -> None:
        talk = in_state(Hearing.PAUSING)
        assert talk.hear(SILENCE, 100) == []
        assert kinds(talk.read("Hello.", pause=1)) == [TurnEnded]

    def test_who_goes_on_withdraws_the_take_and_begins_the_patience_anew(self) -> None:
        talk = Conversation()
        talk.hear(VOICE, 10)
        talk.hear(SILENCE, 15)
        talk.read("I would")
        assert talk.hear(VOICE, 2) == [SpeechResumed(25 * CHUNK_MS)]
        talk.hear(VOICE, 5)
        assert talk.hear(SILENCE, 18) == [PauseBegan(2, 32 * CHUNK_MS)]
        assert talk.hear(SILENCE, 10) == []
        assert talk.read("I would like") == [TurnEnded(0, 32 * CHUNK_MS, 2)]

    def test_words_of_a_pause_that_is_over_end_nothing(self) -> None:
        talk = Conversation()
        talk.hear(VOICE, 10)
        talk.hear(SILENCE, 10)
        talk.hear(VOICE, 10)
        talk.hear(SILENCE, 30)
        assert talk.read("I would", pause=1) == []
        assert kinds(talk.read("I would like", pause=2)) == [TurnEnded]

    def test_a_click_within_a_pause_neither_resumes_nor_lengthens_it(self) -> None:
        talk = Conversation()
        talk.hear(VOICE, 10)
        talk.hear(SILENCE, 10)
        talk.read("Hello.")
        assert talk.hear(VOICE) == []
        assert talk.hear(SILENCE, 8) == []
        assert kinds(talk.hear(SILENCE)) == [TurnEnded]

    def test_voice_at_the_end_of_patience_is_waited_for(self) -> None:
        talk = Conversation()
        talk.hear(VOICE, 10)
        talk.hear(SILENCE, 19)
        talk.read("Hello")
        assert talk.hear(VOICE) == []
        assert kinds(talk.hear(VOICE)) == [SpeechResumed]

    def test_the_quiet_tail_of_a_chunk_makes_the_pause_begin_sooner(self) -> None:
        talk = Conversation()
        talk.hear(VOICE, 10)
        talk.hear(Chunk(0.9, quiet_tail_ms=20))
        talk.hear(Chunk(0.8, quiet_tail_ms=32))
        assert talk.hear(Chunk(0.6, quiet_tail_ms=32), 2) == [PauseBegan(1, 11 * CHUNK_MS - 20)]

    def test_voice_that_stays_is_believed_against_the_energy(self) -> None:
        talk = Conversation()
        talk.hear(VOICE, 10)
        talk.hear(Chunk(0.9, quiet_tail_ms=32), 60)
        assert TurnEnded not in talk.kinds
        assert talk.machine.state is Hearing.SPEAKING

    def test_within_speech_a_mumble_is_voice_but_in_a_pause_it_is_not(self) -> None:
        talk = Conversation()
        talk.hear(VOICE, 4)
        assert talk.hear(MUMBLE, 10) == []
        assert kinds(talk.hear(SILENCE, 3)) == [PauseBegan]
        assert talk.hear(MUMBLE, 10) == []

    @pytest.mark.parametrize(("finished", "waits_ms"), [(1.0, 640), (0.5, 640), (0.25, 1040), (0.0, 1440)])
    def test_patience_grows_for_the_unfinished_and_never_shrinks(self, finished: float, waits_ms: int) -> None:
        talk = Conversation()
        talk.hear(VOICE, 10)
        talk.hear(SILENCE, 3)
        talk.read("I would like to", finished)
        chunks = 0
        while TurnEnded not in talk.kinds:
            talk.hear(SILENCE)
            chunks += 1
        assert (3 + chunks) * CHUNK_MS == -(-waits_ms // CHUNK_MS) * CHUNK_MS

    def test_without_speculation_the_words_are_wanted_once_patience_has_passed(self) -> None:
        talk = Conversation(Tuning(patience_ms=640, speculates=False))
        talk.hear(VOICE, 10)
        assert talk.hear(SILENCE, 19) == []
        assert talk.hear(SILENCE) == [PauseBegan(1, 320)]
        assert talk.hear(SILENCE, 5) == []
        assert kinds(talk.read("Hello.")) == [TurnEnded]

    def test_pauses_are_told_apart_in_time_and_not_without_end(self) -> None:
        talk = Conversation()
        talk.hear(VOICE, 4)
        for _ in range(20):
            talk.hear(SILENCE, 3)
            talk.hear(VOICE, 2)
        told = [event.at_ms for event in talk.events if isinstance(event, PauseBegan)]
        assert len(told) == TUNING.most_pauses
        assert all(later - earlier >= 256 for earlier, later in itertools.pairwise(told))
        assert talk.kinds.count(SpeechResumed) == len(told)
        talk.hear(SILENCE, 19)
        assert kinds(talk.hear(SILENCE)) == [PauseBegan], "the end of patience always has its words"

    def test_speech_without_end_is_cut_and_waits_for_its_words(self) -> None:
        talk = Conversation(Tuning(longest_ms=960))
        assert talk.hear(VOICE, 40) == [SpeechStarted(0), PauseBegan(1, 960)]
        assert talk.machine.state is Hearing.CLOSING
        assert talk.read("And so on and on") == [TurnEnded(0, 960, 1, cut=True)]

    @pytest.mark.parametrize("text", ["", " . "])
    def test_sound_without_words_is_no_turn(self, text: str) -> None:
        talk = in_state(Hearing.PAUSING)
        assert kinds(talk.read(text, pause=1)) == [NothingSaid]
        assert kinds(talk.hear(VOICE, 3)) == [SpeechStarted]

    def test_no_words_yet_do_not_lose_the_beginning(self) -> None:
        talk = Conversation()
        talk.hear(VOICE, 4)
        talk.hear(SILENCE, 4)
        assert talk.read("") == []
        talk.hear(VOICE, 10)
        talk.hear(SILENCE, 20)
        assert talk.read("Stop it.") == [TurnEnded(0, 18 * CHUNK_MS, 2)]

    @pytest.mark.parametrize("chunk", [VOICE, HUM])
    def test_yeah_as_an_answer_is_a_turn(self, chunk: Chunk) -> None:
        talk = Conversation()
        talk.hear(chunk, 8)
        talk.hear(SILENCE, 20)
        assert kinds(talk.read("Yeah, yeah.")) == [TurnEnded]

    def test_words_that_could_not_be_had_end_the_turn_too(self) -> None:
        talk = in_state(Hearing.PAUSING)
        assert kinds(talk.read(None, pause=1)) == [TurnEnded]


class TestInterruptions:
    def held(self, chunks: int = 10, chunk: Chunk = VOICE) -> Conversation:
        talk = Conversation(over=True)
        talk.hear(chunk, chunks)
        assert talk.events == [SpeechStarted(0), Interrupted(0)]
        return talk

    def test_long_speech_takes_the_turn_without_words(self) -> None:
        talk = self.held(21)
        assert talk.hear(VOICE) == [TurnTaken(704)]
        assert talk.machine.state is Hearing.SPEAKING

    def test_words_take_the_turn_at_once(self) -> None:
        talk = self.held()
        talk.hear(SILENCE, 3)
        assert talk.read("Wait a moment.") == [TurnTaken(13 * CHUNK_MS)]
        assert talk.hear(SILENCE, 16) == []
        assert talk.hear(SILENCE) == [TurnEnded(0, 320, 1)]

    def test_words_of_a_pause_before_take_the_turn_while_the_caller_speaks_on(self) -> None:
        talk = self.held(5)
        talk.hear(SILENCE, 3)
        talk.hear(VOICE, 3)
        assert kinds(talk.read("Wait", pause=1)) == [TurnTaken]
        assert talk.machine.state is Hearing.SPEAKING

    @pytest.mark.parametrize(
        ("text", "follows"), [("Mhm.", Backchannel), ("yeah, yeah", Backchannel), ("", FalseInterruption)]
    )
    def test_what_is_no_turn_lets_the_agent_go_on(self, text: str, follows: type[Event]) -> None:
        talk = self.held()
        talk.hear(SILENCE, 3)
        assert talk.read(text) == [], "too early to know that no more comes"
        assert talk.hear(SILENCE, 4) == []
        assert kinds(talk.hear(SILENCE)) == [follows]
        assert talk.machine.state is Hearing.QUIET

    def test_yeah_but(self) -> None:
        talk = self.held()
        talk.hear(SILENCE, 3)
        talk.read("Yeah.")
        assert kinds(talk.hear(VOICE, 10)) == [SpeechResumed]
        talk.hear(SILENCE, 3)
        assert kinds(talk.read("Yeah, but not today.")) == [TurnTaken]

    def test_a_short_burst_does_not_wait_for_words(self) -> None:
        talk = self.held(6)
        assert kinds(talk.hear(SILENCE, 8)) == [PauseBegan, FalseInterruption]

    def test_late_words_of_a_short_burst_count_after_all(self) -> None:
        talk = self.held(6)
        talk.hear(SILENCE, 12)
        assert talk.read("Stop.") == [SpeechStarted(0), Interrupted(0), TurnTaken(18 * CHUNK_MS)]
        assert talk.hear(SILENCE, 7) == []
        assert talk.hear(SILENCE) == [TurnEnded(0, 192, 1)]

    def test_late_words_count_once_patience_has_passed_too(self) -> None:
        talk = self.held(6)
        talk.hear(SILENCE, 40)
        assert kinds(talk.read("Stop.")) == [SpeechStarted, Interrupted, TurnTaken, TurnEnded]

    @pytest.mark.parametrize("text", ["", "mhm", None])
    def test_late_words_that_are_none_change_nothing(self, text: str | None) -> None:
        talk = self.held(6)
        talk.hear(SILENCE, 12)
        assert talk.read(text) == []
        assert talk.machine.state is Hearing.QUIET

    def test_late_words_while_the_caller_begins_again(self) -> None:
        talk = self.held(6)
        talk.hear(SILENCE, 12)
        talk.hear(VOICE)
        assert kinds(talk.read("Stop.")) == [SpeechStarted, Interrupted, TurnTaken]
        assert kinds(talk.hear(VOICE)) == [SpeechResumed]
        assert talk.machine.speech_started_ms == 0

    def test_late_words_within_the_next_interruption_belong_to_it(self) -> None:
        talk = self.held(6)
        talk.hear(SILENCE, 12)
        assert kinds(talk.hear(VOICE, 3)) == [SpeechStarted, Interrupted]
        assert kinds(talk.read("Stop.", pause=1)) == [TurnTaken]
        assert talk.machine.speech_started_ms == 0

    def test_late_words_once_the_agent_is_silent_begin_a_turn(self) -> None:
        talk = self.held(6)
        talk.hear(SILENCE, 12)
        talk.over = False
        talk.hear(SILENCE)
        assert kinds(talk.read("Stop.")) == [SpeechStarted]

    def test_the_agent_is_not_held_without_end_for_words(self) -> None:
        talk = self.held(12)
        assert kinds(talk.hear(SILENCE, 30)) == [PauseBegan, FalseInterruption]
        assert kinds(talk.read("Wait a moment.")) == [SpeechStarted, Interrupted, TurnTaken, TurnEnded]

    @pytest.mark.parametrize(("chunks", "follows"), [(7, FalseInterruption), (9, TurnTaken)])
    def test_without_words_the_length_decides(self, chunks: int, follows: type[Event]) -> None:
        talk = self.held(chunks)
        talk.hear(SILENCE, 3)
        talk.read(None)
        assert kinds(talk.hear(SILENCE, 5))[0] is follows

    def test_humming_does_not_hold_the_agent(self) -> None:
        talk = Conversation(over=True)
        assert talk.hear(HUM, 30) == []

    def test_humming_within_a_hold_never_takes_the_turn(self) -> None:
        talk = self.held(3)
        assert kinds(talk.hear(HUM, 57)) == [FalseInterruption]

    def test_an_echo_gives_the_line_back(self) -> None:
        talk = self.held(3)
        assert kinds(talk.hear(ECHO, 2)) == [FalseInterruption]
        assert talk.hear(ECHO, 50) == []

    def test_an_agent_that_may_not_be_interrupted_is_never_held(self) -> None:
        talk = Conversation(Tuning(patience_ms=640, interruptible=False), over=True)
        talk.hear(VOICE, 40)
        talk.hear(SILENCE, 20)
        talk.read("I have a question.")
        assert talk.kinds == [SpeechStarted, PauseBegan, TurnEnded]

    def test_a_backchannel_to_an_agent_that_may_not_be_interrupted_is_nothing(self) -> None:
        talk = Conversation(Tuning(backchannels=frozenset({"yeah"}), patience_ms=640, interruptible=False), over=True)
        talk.hear(VOICE, 10)
        talk.hear(SILENCE, 20)
        assert kinds(talk.read("Yeah.")) == [NothingSaid]

    def test_without_speculation_an_interruption_is_decided_by_words_all_the_same(self) -> None:
        talk = Conversation(Tuning(speculates=False, patience_ms=1500), over=True)
        talk.hear(VOICE, 10)
        assert kinds(talk.hear(SILENCE, 8)) == [PauseBegan]
        assert kinds(talk.read("Wait.")) == [TurnTaken]


class TestKeys:
    def test_keys_are_a_turn(self) -> None:
        talk = Conversation()
        assert talk.press("1") == [SpeechStarted(0)]
        talk.hear(SILENCE, 60)
        talk.press("2")
        assert talk.hear(SILENCE, 61) == []
        assert talk.hear(SILENCE) == [TurnEnded(0, 0, 0)]

    def test_the_last_key_ends_it(self) -> None:
        assert Conversation().press("12#") == [SpeechStarted(0), TurnEnded(0, 0, 0)]

    def test_keys_interrupt_for_good(self) -> None:
        assert Conversation(over=True).press("1") == [SpeechStarted(0), Interrupted(0), TurnTaken(0)]

    def test_keys_after_words_wait_longer_and_keep_the_words(self) -> None:
        talk = Conversation()
        talk.hear(VOICE, 10)
        talk.hear(SILENCE, 5)
        talk.read("My number is")
        talk.press("42")
        assert talk.hear(SILENCE, 61) == []
        assert talk.hear(SILENCE) == [TurnEnded(0, 320, 1)]

    def test_words_after_keys(self) -> None:
        talk = Conversation()
        talk.press("4")
        assert talk.hear(VOICE, 10) == []
        assert kinds(talk.hear(SILENCE, 60)) == [PauseBegan]
        assert kinds(talk.read("is my number")) == [TurnEnded]

    def test_keys_without_words_beside_noise_are_a_turn(self) -> None:
        talk = Conversation()
        talk.press("4")
        talk.hear(VOICE, 10)
        talk.hear(SILENCE, 70)
        assert kinds(talk.read("")) == [TurnEnded]

    def test_the_last_key_waits_for_the_words(self) -> None:
        talk = Conversation()
        talk.hear(VOICE, 10)
        assert talk.press("#") == [PauseBegan(1, 320)]
        assert talk.hear(VOICE, 10) == []
        assert talk.read("Four two") == [TurnEnded(0, 320, 1)]


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
        state = talk.machine.state
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
        reachable = {move for (begin, _), rule in TRANSITIONS.items() if begin is state for move in rule.leads_to}
        assert talk.machine.state in reachable
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
