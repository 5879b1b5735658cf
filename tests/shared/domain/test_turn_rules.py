"""The rules of turn-taking in audio time: turns, interruptions, keys."""

from __future__ import annotations

import itertools

import pytest

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
    ECHO,
    HUM,
    MUMBLE,
    SILENCE,
    TUNING,
    VOICE,
    Conversation,
    in_state,
    kinds,
)


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

    @pytest.mark.parametrize("text", ["This is", None])
    def test_words_that_were_found_in_a_hum_are_not_believed(self, text: str | None) -> None:
        talk = self.held(2)
        talk.hear(HUM, 8)
        talk.hear(SILENCE, 3)
        assert talk.read(text) == []
        assert kinds(talk.hear(SILENCE, 5)) == [FalseInterruption]

    def test_a_word_may_begin_with_a_hum(self) -> None:
        talk = Conversation(over=True)
        assert talk.hear(HUM, 4) == []
        assert kinds(talk.hear(VOICE)) == [SpeechStarted, Interrupted]

    def test_a_hum_alone_does_not_hold_the_agent(self) -> None:
        talk = Conversation(over=True)
        assert talk.hear(HUM, 20) == []
        assert talk.hear(SILENCE, 5) == []

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
