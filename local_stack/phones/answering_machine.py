"""What an answering machine does when it is called: it speaks its greeting at once, beeps and records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from local_stack.phones import g711, tones
from local_stack.phones.conversation import Plan
from local_stack.phones.people import Callee
from local_stack.phones.utterance import Utterance

_RECORDS_SILENCE_MS: Final = 5000
"""So long it records silence before it hangs up."""
_BEEP: Final = tones.beep()
BEEP_FRAMES: Final = -(-len(_BEEP) // g711.FRAME_BYTES)


def plan_of(callee: Callee, plan: Plan) -> Plan:
    """The plan of whoever picks up: a machine speaks first, and then listens until nothing comes any more."""
    if callee is not Callee.MACHINE:
        return plan
    return Plan(turns=1, greeting_timeout_ms=0, quiet_ms=_RECORDS_SILENCE_MS, reply_timeout_ms=60_000)


def said_by(callee: Callee, utterances: Sequence[Utterance]) -> Sequence[Utterance]:
    """What whoever picks up says: a machine its greeting and its beep, in one go."""
    if callee is not Callee.MACHINE:
        return utterances
    beep = tuple(_BEEP[at : at + g711.FRAME_BYTES] for at in range(0, len(_BEEP), g711.FRAME_BYTES))
    frames = tuple(frame for one in utterances for frame in one.frames)
    words = " ".join(one.text for one in utterances if one.text) or None
    first = utterances[0].first_loud if utterances else 0
    return (Utterance("machine", frames + beep, first, len(frames) + len(beep) - 1, words),)
