"""Cuts a stream of sound into what is said in one go, where nobody waits for it. No clock: audio is the time."""

from __future__ import annotations

from dataclasses import dataclass, field

from shared.domain.audio import BYTES_PER_MS

CHUNK_MS = 32
CHUNK_BYTES = CHUNK_MS * BYTES_PER_MS
"""512 samples, of which a speech probability is known each."""
_BEGINS, _GOES_ON = 0.5, 0.35
_RISING_CHUNKS = 3
_LEAD_MS = 320
_END_MS = 700
_LONGEST_MS = 25_000


@dataclass(frozen=True, slots=True)
class Speech:
    """PCM16 mono 16 kHz; from and until when, in milliseconds of the stream's own time."""

    began_ms: int
    ended_ms: int
    pcm: bytes


@dataclass
class SpeechCutter:
    """One side of a call. It holds at most one speech."""

    _lead: bytearray = field(default_factory=bytearray)
    _speech: bytearray = field(default_factory=bytearray)
    _loud: int = 0
    _quiet_ms: int = 0
    _is_speaking: bool = False

    @property
    def is_speaking(self) -> bool:
        return self._is_speaking

    def take(self, chunk: bytes, probability: float, ends_at_ms: int) -> Speech | None:
        """The next chunk; what was said, if it is over with it."""
        if not self._is_speaking:
            self._lead += chunk
            del self._lead[: -_LEAD_MS * BYTES_PER_MS]
            self._loud = self._loud + 1 if probability >= _BEGINS else 0
            if self._loud >= _RISING_CHUNKS:
                self._is_speaking, self._quiet_ms, self._loud = True, 0, 0
                self._speech, self._lead = self._lead, bytearray()
            return None
        self._speech += chunk
        self._quiet_ms = 0 if probability >= _GOES_ON else self._quiet_ms + CHUNK_MS
        if self._quiet_ms < _END_MS and len(self._speech) < _LONGEST_MS * BYTES_PER_MS:
            return None
        return self.finish(ends_at_ms)

    def finish(self, ends_at_ms: int) -> Speech | None:
        """The stream ends, or is interrupted: what was said until now."""
        if not self._is_speaking:
            return None
        pcm, self._speech, self._is_speaking = bytes(self._speech), bytearray(), False
        quiet_ms, self._quiet_ms = self._quiet_ms, 0
        return Speech(ends_at_ms - len(pcm) // BYTES_PER_MS, ends_at_ms - quiet_ms, pcm)
