"""What no call may exceed, whatever its agent is set to."""

from __future__ import annotations

from dataclasses import dataclass

LONGEST_ANSWER_S = 120
"""So long the turn after it waits for an answer that may not be interrupted."""

LONGEST_SILENCE_S = 600
"""A turn in which nobody says a word ends its call before the turn's own deadline does (15 minutes)."""


@dataclass(frozen=True, slots=True)
class CallLimits:
    """`no_media_s`: from the answer to the first frame. `stalled_s`: without any frame in a running call.

    `longest_call_s`: after which the call is ended. `broken_frames`: undecodable frames in one turn.
    """

    no_media_s: int = 20
    stalled_s: int = 20
    longest_call_s: int = 3600
    longest_speech_ms: int = 30_000
    broken_frames: int = 50
