"""Sounds that are no turn, and a caller who makes them over the agent's reply."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from local_stack.phones import utterance
from local_stack.phones.conversation import Conversation, Phase, Plan
from local_stack.phones.murmurs import cough, mhm
from tests.local_stack.phones.test_conversation import Line
from tests.local_stack.phones.twilio.voice_app import spoken

MURMUR = spoken(0.2, lead_s=0, tail_s=0)
PLAN = Plan(pattern="m", greeting_timeout_ms=400, barge_in_after_ms=500, quiet_ms=600)


class MurmuringLine(Line):
    def __init__(self) -> None:
        super().__init__(Plan(), MURMUR)
        self.conversation = Conversation(PLAN, [spoken(0.4, lead_s=0, tail_s=0)], self._note, MURMUR)

    def _note(self, name: str, at_ms: float, facts: dict[str, object]) -> None:
        self.events.append((name, at_ms, facts))


def test_the_murmur_is_said_over_the_reply_and_begins_no_turn() -> None:
    line = MurmuringLine()
    line.run_until(Phase.AWAITING)
    line.agent_says(2.0)
    line.run(1000)
    assert line.conversation.phase is Phase.LISTENING
    (told,) = line.named("caller_murmured")
    assert (told["turn"], told["duration_ms"]) == (1, 200)
    assert sum(frame in MURMUR.frames for frame in line.sent[-40:]) >= 10
    line.run_until(Phase.DONE)
    assert len(line.conversation.turns) == 2
    assert line.conversation.turn.murmur is not None
    assert line.conversation.turn.murmur.silent_ms == 0
    assert line.conversation.turn.interruption is None


def test_a_reply_that_is_held_for_it_and_goes_on_is_no_hole() -> None:
    line = MurmuringLine()
    line.run_until(Phase.AWAITING)
    line.agent_says(2.0)
    line.run(620)
    line.clear()
    line.run(300)
    line.agent_says(1.0)
    line.run_until(Phase.DONE)
    murmur = line.conversation.turn.murmur
    assert murmur is not None
    assert murmur.clear_received_ms is not None
    assert murmur.silent_ms == pytest.approx(300, abs=40)
    assert line.named("agent_resumed") == [{"turn": 1, "silent_ms": murmur.silent_ms}]
    assert line.conversation.turn.underruns_ms == []
    assert line.conversation.turn.heard_ms > 1500


def test_a_murmur_has_to_be_something() -> None:
    with pytest.raises(ValueError, match="needs something to murmur"):
        Conversation(PLAN, [MURMUR], lambda *_event: None)


@pytest.mark.parametrize("made", [cough, mhm])
def test_a_murmur_is_loud_short_and_always_the_same(made: Callable[[], bytes]) -> None:
    sound = utterance.from_wav(made(), made.__name__)
    assert 200 <= sound.speech_ms <= 800
    assert made() == made()
