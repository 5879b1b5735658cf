"""A caller who knows whose turn it is neither talks into a pause nor waits longer than needed."""

from __future__ import annotations

from typing import Any

import numpy as np

from local_stack.phones import g711
from local_stack.phones.conversation import Conversation, Phase, Plan
from local_stack.phones.floor import AGENT_SPEAKS, AGENT_SPEAKS_ON, CALLER_SPEAKS, UNKNOWN, Floor
from local_stack.phones.playback import PlayedFrame
from tests.local_stack.phones.twilio.voice_app import spoken

TONE = g711.encode((8000 * np.sin(np.arange(g711.FRAME_BYTES) / 3)).astype(np.int16))
HEARD = PlayedFrame(TONE, audible=True, dry_bytes=0)
NOTHING = PlayedFrame(g711.SILENT_FRAME, audible=False, dry_bytes=g711.FRAME_BYTES)


class Talk:
    """A conversation that has come to its first reply."""

    def __init__(self, **plan: Any) -> None:
        self.now_ms = 0.0
        settings = {"turns": 2, "quiet_ms": 600, "reply_timeout_ms": 5000, "barge_in_after_ms": 200, **plan}
        self.it = Conversation(Plan(**settings), [spoken(0.3, lead_s=0.6)], lambda *_: None)
        self.pass_ms(400, HEARD)
        while self.it.phase is not Phase.AWAITING:
            self.pass_ms(20, NOTHING)

    def pass_ms(self, ms: int, played: PlayedFrame, floor: Floor = UNKNOWN) -> None:
        for _ in range(ms // g711.FRAME_MS):
            self.it.step(self.now_ms, played, more_to_hear=False, floor=floor)
            self.now_ms += g711.FRAME_MS


def test_a_pause_between_two_parts_is_no_end() -> None:
    talk = Talk()
    talk.pass_ms(400, HEARD, AGENT_SPEAKS_ON)
    talk.pass_ms(3000, NOTHING, AGENT_SPEAKS_ON)
    assert talk.it.phase is Phase.LISTENING
    talk.pass_ms(400, HEARD, AGENT_SPEAKS)
    talk.pass_ms(400, NOTHING, CALLER_SPEAKS)
    assert (talk.it.phase, talk.it.turn.number) == (Phase.SPEAKING, 2)
    assert talk.it.turns[1].heard_ms == 800


def test_nobody_is_waited_for_without_end() -> None:
    talk = Talk()
    talk.pass_ms(400, HEARD, AGENT_SPEAKS_ON)
    talk.pass_ms(5100, NOTHING, AGENT_SPEAKS_ON)
    assert talk.it.phase is Phase.SPEAKING


def test_where_nobody_knows_the_quiet_tells() -> None:
    talk = Talk()
    talk.pass_ms(400, HEARD)
    talk.pass_ms(500, NOTHING)
    assert talk.it.phase is Phase.LISTENING
    talk.pass_ms(140, NOTHING)
    assert talk.it.phase is Phase.SPEAKING


def test_only_what_is_heard_is_interrupted_and_at_once() -> None:
    talk = Talk(pattern="b")
    talk.pass_ms(100, HEARD, AGENT_SPEAKS)
    talk.pass_ms(300, NOTHING, AGENT_SPEAKS)
    assert talk.it.phase is Phase.LISTENING
    talk.pass_ms(20, HEARD, AGENT_SPEAKS)
    assert talk.it.phase is Phase.SPEAKING
    talk.pass_ms(100, HEARD, AGENT_SPEAKS)
    interruption = talk.it.turn.interruption
    assert interruption is not None
    assert talk.now_ms - interruption.speech_started_ms <= 100


def test_who_is_not_listened_to_waits_for_the_part_that_can_be_interrupted() -> None:
    talk = Talk(pattern="b")
    talk.pass_ms(800, HEARD, AGENT_SPEAKS_ON)
    assert talk.it.phase is Phase.LISTENING
    talk.pass_ms(20, HEARD, AGENT_SPEAKS)
    assert talk.it.phase is Phase.SPEAKING
