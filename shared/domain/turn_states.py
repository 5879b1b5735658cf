"""The states of listening to one turn, the inputs, and what is known of the speech that is being heard."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Hearing(StrEnum):
    """The states of one turn's listening."""

    QUIET = "quiet"
    """Nobody speaks."""
    RISING = "rising"
    """There is voice, too short yet to be speech."""
    HOLDING = "holding"
    """There is speech over the agent, which is held; nobody knows yet whether the turn is taken."""
    DOUBTING = "doubting"
    """That speech has paused; the agent is still held, until the words are known or waited for long enough."""
    SPEAKING = "speaking"
    """The turn is the caller's, who speaks."""
    PAUSING = "pausing"
    """The turn is the caller's, who is silent for now, or presses keys."""
    CLOSING = "closing"
    """The turn is over but for its words."""
    ENDED = "ended"


class InputKind(StrEnum):
    """What one input means to the machine."""

    VOICE = "voice"
    HUM = "hum"
    SILENCE = "silence"
    ECHO = "echo"
    WORDS = "words"
    BACKCHANNEL = "backchannel"
    NO_WORDS = "no words"
    UNKNOWN_WORDS = "unknown words"
    KEY = "key"
    LAST_KEY = "last key"


@dataclass(frozen=True, slots=True)
class Reading:
    """The words of everything up to a pause, as they were read; "" where they could not be had."""

    kind: InputKind
    pause: int
    text: str
    finished: float


@dataclass(slots=True)
class Speech:
    """What is known of the speech that is being heard."""

    started_ms: int
    voice_until_ms: int
    over: bool = False
    """It began while the agent spoke, and nothing in it is known to be more than a backchannel."""
    spoken: bool = False
    """There is voice in it, not keys alone."""
    keys_until_ms: int | None = None
    voiced_ms: int = 0
    hummed_ms: int = 0
    echoed_ms: int = 0
    stirred_ms: int = 0
    """Voice within a pause, too short yet to end it."""
    first_pause: int = 0
    pauses: int = 0
    paused_at_ms: int | None = None
    """When the last pause was told."""
    open_pause: int = 0
    """The pause that lasts, 0 before it is told."""
    words: Reading | None = None
    """Those of the open pause."""
    cut: bool = False
