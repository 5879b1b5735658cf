"""What the pipes of a call are called. The braces keep all of one call's keys in one hash slot."""

from __future__ import annotations


def call_prefix(call_id: str) -> str:
    return f"call:{{{call_id}}}"


def frames(call_id: str) -> str:
    """What the caller sends, in order: raw audio frames (`d`), keys (`k`), and `end` when no more will come."""
    return f"{call_prefix(call_id)}:frames"


def events(call_id: str) -> str:
    """What else the connection said: started, mark, end."""
    return f"{call_prefix(call_id)}:events"


def turn(call_id: str, number: int, pipe: str) -> str:
    """One of `TURN_PIPES` of a turn."""
    return f"{call_prefix(call_id)}:turn:{number}:{pipe}"


CURSOR = "cursor"
"""Where in the frames this turn's listening begins; written by the listening before it."""
TRANSCRIPT = "transcript"
"""What the caller said, as takes (`shared.domain.takes`)."""
SENTENCES = "sentences"
"""The sentences of each take's answer, and that thinking has ended."""
AUDIO = "audio"
"""Synthesised pieces of the final take, in order, before they are sent."""
SENT = "sent"
"""The pieces that went out, noted before each is sent."""
CONTROL = "control"
"""What the next turn's listening tells the speaking: hold, for the caller speaks; resume, for that was nothing;
stop, for the caller has taken the turn (`shared.domain.interruption`)."""
SPOKEN = "spoken"
"""What of the answer was heard: so far, while it is held; in the end at `END_POSITION`."""

LISTENED = "listened"
"""Listening has written all that it writes, the recording's piece included."""

TURN_PIPES = (CURSOR, LISTENED, TRANSCRIPT, SENTENCES, AUDIO, SENT, CONTROL, SPOKEN)

END_POSITION = "1000000-0"
"""After everything else in a pipe of a turn: what its writer writes last."""
