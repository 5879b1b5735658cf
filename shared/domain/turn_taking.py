"""Decides from the sound alone when the caller begins and when a turn is over. No clock: audio is the time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

CHUNK_MS = 32  # Silero's window at 16 kHz: 512 samples


class Hearing(StrEnum):
    """The states of one turn's listening."""

    QUIET = "quiet"
    RISING = "rising"
    SPEAKING = "speaking"
    PAUSING = "pausing"
    ENDED = "ended"


class Sound(StrEnum):
    """What one chunk of audio means to the machine."""

    VOICE = "voice"
    SILENCE = "silence"


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The caller speaks; `at_ms` is where it began, in audio time."""

    at_ms: int


@dataclass(frozen=True, slots=True)
class PauseBegan:
    """The caller fell silent at `at_ms`, for now."""

    at_ms: int


@dataclass(frozen=True, slots=True)
class SpeechResumed:
    """The caller went on within the same turn."""

    at_ms: int


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """The turn is over; the speech stands between `started_ms` and `ended_ms`. `cut`: it reached the limit."""

    started_ms: int
    ended_ms: int
    cut: bool = False


Event = SpeechStarted | PauseBegan | SpeechResumed | TurnEnded


@dataclass(frozen=True, slots=True)
class Patience:
    """How the machine is tuned, all in milliseconds of audio.

    `onset_ms`: voice needed before it counts as speech. `patience_ms`: silence that ends the turn.
    `longest_ms`: speech after which the turn ends whatever comes.
    """

    onset_ms: int = 96
    patience_ms: int = 700
    longest_ms: int = 30_000
    voice_threshold: float = 0.5
    silence_threshold: float = 0.35


class TurnTaking:
    """One turn. Feed it the speech probability of every chunk of `CHUNK_MS`; events come out.

    Rules stand in `TRANSITIONS`; after `TurnEnded` every further chunk raises ValueError.
    """

    def __init__(self, patience: Patience | None = None, *, from_ms: int = 0) -> None:
        self.state = Hearing.QUIET
        self._patience = patience or Patience()
        self._now_ms = from_ms
        self._started_ms = from_ms
        self._voice_until_ms = from_ms

    @property
    def speech_started_ms(self) -> int:
        return self._started_ms

    def hear(self, probability: float) -> list[Event]:
        """Advance by one chunk whose probability of speech (0–1) is given."""
        begins_ms = self._now_ms
        self._now_ms += CHUNK_MS
        loud = self.state in (Hearing.RISING, Hearing.SPEAKING)
        threshold = self._patience.silence_threshold if loud else self._patience.voice_threshold
        sound = Sound.VOICE if probability >= threshold else Sound.SILENCE
        rule = TRANSITIONS.get((self.state, sound))
        if rule is None:
            raise ValueError(f"a turn that is {self.state} hears nothing more")
        return rule(self, begins_ms)

    def _rise(self, begins_ms: int) -> list[Event]:
        self.state, self._started_ms = Hearing.RISING, begins_ms
        return self._sustain(begins_ms)

    def _sustain(self, _begins_ms: int) -> list[Event]:
        self._voice_until_ms = self._now_ms
        if self._now_ms - self._started_ms < self._patience.onset_ms:
            return []
        self.state = Hearing.SPEAKING
        return [SpeechStarted(self._started_ms)]

    def _settle(self, _begins_ms: int) -> list[Event]:
        self.state = Hearing.QUIET
        return []

    def _stay(self, _begins_ms: int) -> list[Event]:
        return []

    def _speak_on(self, _begins_ms: int) -> list[Event]:
        self._voice_until_ms = self._now_ms
        if self._now_ms - self._started_ms >= self._patience.longest_ms:
            return self._end(cut=True)
        return []

    def _pause(self, begins_ms: int) -> list[Event]:
        self.state = Hearing.PAUSING
        return [PauseBegan(begins_ms), *self._wait(begins_ms)]

    def _wait(self, _begins_ms: int) -> list[Event]:
        if self._now_ms - self._voice_until_ms >= self._patience.patience_ms:
            return self._end(cut=False)
        return []

    def _resume(self, begins_ms: int) -> list[Event]:
        self.state = Hearing.SPEAKING
        return [SpeechResumed(begins_ms), *self._speak_on(begins_ms)]

    def _end(self, *, cut: bool) -> list[Event]:
        self.state = Hearing.ENDED
        return [TurnEnded(self._started_ms, self._voice_until_ms, cut)]


Rule = Callable[[TurnTaking, int], list[Event]]

TRANSITIONS: dict[tuple[Hearing, Sound], Rule] = {
    (Hearing.QUIET, Sound.VOICE): TurnTaking._rise,
    (Hearing.QUIET, Sound.SILENCE): TurnTaking._stay,
    (Hearing.RISING, Sound.VOICE): TurnTaking._sustain,
    (Hearing.RISING, Sound.SILENCE): TurnTaking._settle,
    (Hearing.SPEAKING, Sound.VOICE): TurnTaking._speak_on,
    (Hearing.SPEAKING, Sound.SILENCE): TurnTaking._pause,
    (Hearing.PAUSING, Sound.VOICE): TurnTaking._resume,
    (Hearing.PAUSING, Sound.SILENCE): TurnTaking._wait,
}
