from __future__ import annotations

from typing import Any

import pytest

from local_stack.phones import g711, utterance
from local_stack.phones.conversation import Conversation, Phase, Plan
from local_stack.phones.playback import PlaybackBuffer
from tests.local_stack.phones.twilio.voice_app import beep, spoken


class Line:
    """A line whose time is counted in frames: 0 ms, 20 ms, 40 ms …"""

    def __init__(self, plan: Plan, *said: utterance.Utterance) -> None:
        self.events: list[tuple[str, float, dict[str, Any]]] = []
        self.conversation = Conversation(plan, said, lambda *event: self.events.append(event))
        self.buffer = PlaybackBuffer()
        self.now_ms = 0.0
        self.sent: list[bytes] = []
        self.digits: list[str] = []

    def agent_says(self, seconds: float) -> None:
        if self.buffer.add(beep(seconds)):
            self.conversation.on_audio_received(self.now_ms)

    def clear(self) -> None:
        self.buffer.clear()
        self.conversation.on_clear(self.now_ms)

    def run(self, ms: float) -> None:
        for _ in range(round(ms / 20)):
            played = self.buffer.play()
            spoken = self.conversation.step(self.now_ms, played, self.buffer.audible_waiting)
            self.sent.append(spoken.payload)
            self.digits += [spoken.digit] if spoken.digit else []
            self.now_ms += 20

    def run_until(self, phase: Phase, at_most_ms: float = 5000) -> None:
        until_ms = self.now_ms + at_most_ms
        while self.conversation.phase is not phase:
            assert self.now_ms < until_ms, f"{phase} was not reached"
            self.run(20)

    def named(self, name: str) -> list[dict[str, Any]]:
        return [facts for event, _at_ms, facts in self.events if event == name]


def test_waits_for_the_greeting_and_for_quiet_before_it_speaks() -> None:
    line = Line(Plan(quiet_ms=600), spoken(0.4, lead_s=0))
    line.run(500)
    line.agent_says(1.0)
    line.run_until(Phase.SPEAKING)
    greeting = line.conversation.turns[0]
    assert (greeting.first_heard_ms, greeting.last_heard_ms, greeting.heard_ms) == (500, 1480, 1000)
    assert line.conversation.turn.speech_started_ms == 1480 + 600


def test_speaks_without_a_greeting_when_none_comes() -> None:
    line = Line(Plan(greeting_timeout_ms=1000), spoken(0.4))
    line.run_until(Phase.SPEAKING)
    assert line.conversation.turns[0].timed_out
    assert line.now_ms == pytest.approx(1000, abs=40)


def test_measures_from_the_last_loud_frame_to_the_first_frame_heard() -> None:
    line = Line(Plan(greeting_timeout_ms=0), spoken(0.4, lead_s=0.1, tail_s=0.5))
    line.run_until(Phase.AWAITING)
    turn = line.conversation.turn
    assert turn.speech_ended_ms is not None
    assert turn.speech_started_ms is not None
    assert turn.speech_ended_ms - turn.speech_started_ms == 380
    line.run(300)
    line.agent_says(0.6)
    received_ms = line.now_ms
    line.run_until(Phase.DONE)
    assert turn.first_received_ms == received_ms
    assert turn.response_ms == received_ms - turn.speech_ended_ms
    assert turn.heard_ms == 600
    assert turn.underruns_ms == []


def test_a_hole_in_the_reply_is_an_underrun_and_silence_that_was_sent_is_not() -> None:
    line = Line(Plan(greeting_timeout_ms=0), spoken(0.2))
    line.run_until(Phase.AWAITING)
    line.agent_says(0.1)
    line.run(200)
    line.buffer.add(beep(0.1) + g711.SILENT_FRAME * 10 + beep(0.1))
    line.run_until(Phase.DONE)
    assert line.conversation.turn.underruns_ms == [100]


def test_goes_on_when_no_reply_comes_and_hangs_up_after_its_turns() -> None:
    line = Line(Plan(turns=2, greeting_timeout_ms=0, reply_timeout_ms=1000), spoken(0.2))
    line.run_until(Phase.DONE, 10_000)
    assert [turn.timed_out for turn in line.conversation.turns] == [True, True, True]
    assert len(line.named("no_reply")) == 2


def test_barges_in_and_measures_when_the_agent_falls_silent_by_clear() -> None:
    plan = Plan(turns=2, greeting_timeout_ms=0, pattern="b", barge_in_after_ms=1000)
    line = Line(plan, spoken(0.6, lead_s=0))
    line.run_until(Phase.AWAITING)
    line.agent_says(5.0)
    line.run_until(Phase.SPEAKING)
    began_ms = line.conversation.turn.speech_started_ms
    assert began_ms is not None
    assert began_ms - (line.conversation.turns[1].first_heard_ms or 0) == 1000
    line.run(200)
    line.clear()
    interruption = line.conversation.turn.interruption
    assert interruption is not None
    assert interruption.stop_ms == pytest.approx(200, abs=20)
    assert interruption.clear_received_ms == line.now_ms
    assert interruption.frames_after == pytest.approx(10, abs=1)
    line.run_until(Phase.AWAITING)
    line.agent_says(0.3)
    heard_ms = line.now_ms
    line.run_until(Phase.DONE)
    assert line.conversation.turn.first_heard_ms == heard_ms


def test_old_speech_that_plays_on_after_an_interruption_is_not_the_reply() -> None:
    plan = Plan(turns=2, greeting_timeout_ms=0, pattern="b", barge_in_after_ms=200)
    line = Line(plan, spoken(0.2, lead_s=0))
    line.run_until(Phase.AWAITING)
    line.agent_says(1.5)
    line.run_until(Phase.SPEAKING)
    line.run_until(Phase.AWAITING)
    line.run(1400)
    turn = line.conversation.turn
    assert turn.first_heard_ms is None
    assert turn.interruption is not None
    assert turn.interruption.clear_received_ms is None
    assert turn.interruption.stop_ms == pytest.approx(1300, abs=40)
    line.agent_says(0.2)
    line.run_until(Phase.DONE)
    assert turn.first_heard_ms is not None


def test_an_agent_that_cuts_in_has_answered_before_the_end() -> None:
    line = Line(Plan(greeting_timeout_ms=0), spoken(1.0, lead_s=0))
    line.run_until(Phase.SPEAKING)
    line.run(600)
    line.agent_says(1.0)
    line.run_until(Phase.DONE)
    assert line.conversation.turn.response_ms == pytest.approx(-400, abs=40)


def test_an_agent_that_cuts_in_and_stops_again_has_not_answered_yet() -> None:
    line = Line(Plan(greeting_timeout_ms=0), spoken(1.0, lead_s=0))
    line.run_until(Phase.SPEAKING)
    line.run(200)
    line.agent_says(1.0)
    line.run(100)
    line.clear()
    line.run_until(Phase.AWAITING)
    line.run(300)
    line.agent_says(0.2)
    line.run_until(Phase.DONE)
    assert line.conversation.turn.response_ms == pytest.approx(300, abs=40)


def test_a_caller_who_only_listens_never_speaks_nor_hangs_up() -> None:
    line = Line(Plan(speaks=False))
    line.agent_says(0.5)
    line.run(60_000)
    assert line.conversation.phase is Phase.GREETING
    assert set(line.sent) == {g711.SILENT_FRAME}


def test_a_caller_who_improvises_listens_until_there_are_words_and_stays_until_the_end() -> None:
    line = Line(Plan(improvises=True, quiet_ms=400, greeting_timeout_ms=200))
    line.run_until(Phase.THINKING)
    assert line.named("caller_thinks") == [{"turn": 0}]
    line.agent_says(0.5)
    line.run(100)
    line.conversation.say(spoken(0.4, lead_s=0))
    line.run(300)
    assert line.conversation.phase is Phase.THINKING, "nobody speaks into the agent's words"
    line.run_until(Phase.AWAITING)
    line.agent_says(0.3)
    line.run_until(Phase.THINKING)
    assert line.named("caller_thinks") == [{"turn": 0}, {"turn": 1}]
    line.run(5000)
    assert line.conversation.phase is Phase.THINKING
    line.conversation.hang_up()
    assert line.conversation.phase is Phase.DONE


def test_hangs_up_in_the_middle_of_the_reply() -> None:
    line = Line(Plan(greeting_timeout_ms=0, hang_up_in_reply_after_ms=500), spoken(0.2))
    line.run_until(Phase.AWAITING)
    line.agent_says(3.0)
    heard_ms = line.now_ms
    line.run_until(Phase.DONE)
    assert line.now_ms - heard_ms == pytest.approx(500, abs=40)


def test_presses_keys_as_a_turn() -> None:
    line = Line(Plan(greeting_timeout_ms=0), utterance.from_digits("42"))
    line.run_until(Phase.AWAITING)
    assert line.digits == ["4", "2"]


def test_a_plan_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one utterance"):
        Line(Plan())
    with pytest.raises(ValueError, match="pattern"):
        Line(Plan(pattern="x"), spoken(0.2))
