"""Whose turn it is on a line, as far as the provider knows: where it asks the app for every answer, it does."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Holder(StrEnum):
    NOBODY_KNOWS = "nobody knows"
    """Sound comes and goes: only the quiet tells that somebody has ended."""
    AGENT = "agent"
    """It speaks, or has more to say: the app is being asked for it."""
    CALLER = "caller"
    """The agent has said all, and the provider listens."""


@dataclass(frozen=True)
class Floor:
    holder: Holder = Holder.NOBODY_KNOWS
    is_deaf: bool = False
    """What a caller says now is heard by nobody."""


UNKNOWN = Floor()
AGENT_SPEAKS = Floor(Holder.AGENT)
"""To its end, or until the caller interrupts, where that may be."""
AGENT_SPEAKS_ON = Floor(Holder.AGENT, is_deaf=True)
"""More comes after what is heard now, whatever the caller says; or the app is being asked for it."""
CALLER_SPEAKS = Floor(Holder.CALLER)

_A_MOMENT_S = 1.0


def while_listening(longest_silence_s: float) -> Floor:
    """Who is listened to for a moment only has not been given the whole answer, and may interrupt it."""
    return AGENT_SPEAKS if longest_silence_s <= _A_MOMENT_S else CALLER_SPEAKS
