"""How likely it is that somebody speaks in a piece of sound."""

from __future__ import annotations

from typing import Protocol


class VoiceActivity(Protocol):
    """The ear for one stream; it remembers what it heard before."""

    async def probability(self, pcm: bytes) -> float:
        """0–1 for the next 512 samples (32 ms) of PCM16 mono 16 kHz."""
        ...


class VoiceActivityDetector(Protocol):
    def open(self) -> VoiceActivity:
        """A new ear; cheap."""
        ...
