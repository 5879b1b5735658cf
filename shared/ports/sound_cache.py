"""Sound that was synthesised once and is likely to be needed again."""

from __future__ import annotations

from typing import Protocol


class SoundCache(Protocol):
    """None of it raises: a store that is away means that nothing is there."""

    async def get(self, key: str) -> bytes | None:
        """PCM16 mono 16 kHz, or None."""
        ...

    async def put(self, key: str, pcm: bytes, *, lasting: bool) -> None:
        """Keep it; `lasting` sound (fillers, greetings, the apology) for good, other sound for an hour or so."""
        ...
