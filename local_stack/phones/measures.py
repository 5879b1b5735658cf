"""What a caller notices of a conversation, in numbers: one record a turn."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass
class Interruption:
    """The caller began to speak while the agent was heard. Moments are Unix epoch milliseconds."""

    speech_started_ms: float
    clear_received_ms: float | None = None
    """When the app told the carrier to drop what it had not yet played."""
    stopped_ms: float | None = None
    """When the agent was no longer heard."""
    frames_after: int = 0
    """Audible frames of the old reply that were still heard after the caller had begun."""

    @property
    def stop_ms(self) -> float | None:
        return None if self.stopped_ms is None else self.stopped_ms - self.speech_started_ms


@dataclass
class Murmur:
    """The caller made a sound over the agent's reply without taking the turn. Moments are Unix epoch milliseconds."""

    label: str
    started_ms: float
    clear_received_ms: float | None = None
    """When the app told the carrier to drop what it had not yet played."""
    silent_ms: float = 0.0
    """How long the reply was not heard because of it; 0: it went on."""


@dataclass
class Turn:
    """Turn 0 is the greeting. Moments are Unix epoch milliseconds, measured where the caller is."""

    number: int
    label: str = ""
    text: str | None = None
    """The words that the caller speaks, where they are known."""
    speech_started_ms: float | None = None
    speech_ended_ms: float | None = None
    """When the frame with the last loud sample was sent."""
    first_received_ms: float | None = None
    """When the first audible audio of the reply came over the socket."""
    first_heard_ms: float | None = None
    """When the first audible frame of the reply was played."""
    last_heard_ms: float | None = None
    heard_ms: int = 0
    """How much of the reply was audible."""
    underruns_ms: list[float] = field(default_factory=list)
    """Holes within the reply in which the buffer was empty."""
    interruption: Interruption | None = None
    """How the reply before this turn was interrupted by it."""
    murmur: Murmur | None = None
    """What the caller murmured into the reply."""
    timed_out: bool = False
    understood: str | None = None
    """What the provider's ear made of the caller's words, where the provider hears itself."""
    understood_ms: float | None = None
    """When the provider passed these words on."""
    spoken: str | None = None
    """What the provider's voice was given to say in reply, where the provider speaks itself."""

    @property
    def response_ms(self) -> float | None:
        """End of the caller's speech until the reply was heard; below zero where the agent cut in."""
        if self.first_heard_ms is None or self.speech_ended_ms is None:
            return None
        return self.first_heard_ms - self.speech_ended_ms

    @property
    def words_to_audio_ms(self) -> float | None:
        """From the moment when the app had the words until its answer was heard."""
        if self.first_heard_ms is None or self.understood_ms is None:
            return None
        return self.first_heard_ms - self.understood_ms

    def to_json(self) -> dict[str, Any]:
        waits = {"response_ms": self.response_ms, "words_to_audio_ms": self.words_to_audio_ms}
        return {**asdict(self), **{name: None if ms is None else round(ms, 1) for name, ms in waits.items()}}
