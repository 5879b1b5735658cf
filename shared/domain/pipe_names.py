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


def words(call_id: str) -> str:
    """On a line that carries text, instead of frames: what the caller says and does (`shared.domain.words`)."""
    return f"{call_prefix(call_id)}:words"


def orders(call_id: str) -> str:
    """Transfers that wait until the line asks what to do next."""
    return f"{call_prefix(call_id)}:orders"


def inlets(call_id: str, *, carries_text: bool) -> tuple[str, str]:
    """Where it is said that the line is there, and that it is gone: beside what the caller says, and for the rest."""
    return words(call_id) if carries_text else frames(call_id), events(call_id)


def state(call_id: str) -> str:
    """What the conversation has come to (`shared.domain.understanding`); no pipe."""
    return f"{call_prefix(call_id)}:state"


def overheard(call_id: str) -> str:
    """What both sides said, where a provider lets us listen along. It outlives our part in the call."""
    return f"{call_prefix(call_id)}:overheard"


def of_call(call_id: str) -> tuple[str, ...]:
    """All pipes of a call that are not a turn's."""
    return frames(call_id), events(call_id), words(call_id), orders(call_id)


def turn(call_id: str, number: int, pipe: str) -> str:
    """One of `TURN_PIPES` of a turn."""
    return f"{call_prefix(call_id)}:turn:{number}:{pipe}"


CURSOR = "cursor"
"""Where in the frames, or words, this turn's listening begins; written by the listening before it."""
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
TOOLS = "tools"
"""What each take's answer wanted of tools, and what they gave."""
REPLY = "reply"
"""The answer's sentences on a line that asks for them by requests, in order, and its end."""
HANDED = "handed"
"""How many of the reply's sentences the line was given, and when."""

TURN_PIPES = (CURSOR, LISTENED, TRANSCRIPT, SENTENCES, AUDIO, SENT, CONTROL, SPOKEN, TOOLS, REPLY, HANDED)

EPOCHS = ("think:epoch", "speak:epoch", "rescue:epoch")
"""Which execution of a step is the newest: numbers beside a turn's pipes."""
THINK_EPOCH, SPEAK_EPOCH, RESCUE_EPOCH = EPOCHS

END_POSITION = "1000000-0"
"""After everything else in a pipe of a turn: what its writer writes last."""
