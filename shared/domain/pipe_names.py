"""What the pipes of a call are called. The braces keep all of one call's keys in one hash slot."""

from __future__ import annotations


def call_prefix(call_id: str) -> str:
    return f"call:{{{call_id}}}"


def frames(call_id: str) -> str:
    """Raw audio frames of the caller, and `end` when no more will come."""
    return f"{call_prefix(call_id)}:frames"


def events(call_id: str) -> str:
    """What else the connection said: started, mark, dtmf, end."""
    return f"{call_prefix(call_id)}:events"


def turn(call_id: str, number: int, pipe: str) -> str:
    """One of `TURN_PIPES` of a turn."""
    return f"{call_prefix(call_id)}:turn:{number}:{pipe}"


CURSOR = "cursor"
"""Where in the frames this turn's listening begins; written by the listening before it."""
TRANSCRIPT = "transcript"
SENTENCES = "sentences"
AUDIO = "audio"
"""Synthesised pieces, in order, before they are sent."""
SENT = "sent"
"""The pieces that went out, noted before each is sent."""
CONTROL = "control"
"""`stop`: the caller speaks, be silent."""
SPOKEN = "spoken"
"""What of the answer was heard; written when the speaking has ended."""

LISTENED = "listened"
"""Listening has written all that it writes, the recording's piece included."""

TURN_PIPES = (CURSOR, LISTENED, TRANSCRIPT, SENTENCES, AUDIO, SENT, CONTROL, SPOKEN)

END_POSITION = "1000000-0"
"""After the last sentence, and the last piece of sound, of any answer."""
