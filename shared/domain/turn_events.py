"""What the machine of turn-taking hears and tells. All times are in the milliseconds of the turn's own audio."""

from __future__ import annotations

from dataclasses import dataclass

CHUNK_MS = 32  # Silero's window at 16 kHz: 512 samples


@dataclass(frozen=True, slots=True)
class Chunk:
    """`CHUNK_MS` of the caller's side.

    `probability`: of speech, 0–1. `quiet_tail_ms`: how much of its end is quiet by its energy, 0–32; quicker than
    the detector's probability, which decays slowly. `is_hum`: voiced, but with a closed mouth, like "mhm".
    `is_echo`: the agent's own voice coming back.
    """

    probability: float
    quiet_tail_ms: int = 0
    is_hum: bool = False
    is_echo: bool = False


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The caller speaks, or presses a key; `at_ms` is where it began."""

    at_ms: int


@dataclass(frozen=True, slots=True)
class PauseBegan:
    """The caller fell silent at `at_ms`, for now. The words up to there are wanted under this number (from 1)."""

    number: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class SpeechResumed:
    """The caller went on within the same turn: what was prepared for the last pause is of no use."""

    at_ms: int


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The caller speaks over the agent since `at_ms`: hold the agent until it is known what it was."""

    at_ms: int


@dataclass(frozen=True, slots=True)
class TurnTaken:
    """The interruption is real: stop the agent for good."""

    at_ms: int


@dataclass(frozen=True, slots=True)
class FalseInterruption:
    """It was a cough, a noise or an echo: the agent goes on."""

    at_ms: int


@dataclass(frozen=True, slots=True)
class Backchannel:
    """It was "mhm" or "yeah": the agent goes on."""

    at_ms: int
    text: str


@dataclass(frozen=True, slots=True)
class NothingSaid:
    """What sounded like speech had no words, or none that want an answer; the turn goes on listening."""

    at_ms: int


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """The turn is over; the speech stands between `started_ms` and `ended_ms`, its words are those of `pause` (0:
    there was no speech, keys only). `cut`: it reached the limit.
    """

    started_ms: int
    ended_ms: int
    pause: int
    cut: bool = False


Event = (
    SpeechStarted
    | PauseBegan
    | SpeechResumed
    | Interrupted
    | TurnTaken
    | FalseInterruption
    | Backchannel
    | NothingSaid
    | TurnEnded
)
