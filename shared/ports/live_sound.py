"""The sound of both sides of a running call, at a provider that lets it be followed but not be spoken into."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Side(StrEnum):
    CALLER = "caller"
    AGENT = "agent"
    """Whoever the caller hears: ours, or the person to whom the call was put through."""


@dataclass(frozen=True, slots=True)
class SoundSource:
    """`stream` and `start` as the provider names them; `provider_call_id` tells whose sound it is."""

    provider_call_id: str
    stream: str
    start: str


@dataclass(frozen=True, slots=True)
class SoundPiece:
    """PCM16 mono 16 kHz, which began at `at_ms` (Unix epoch). `place`: where to go on after all of it."""

    side: Side
    at_ms: int
    pcm: bytes
    place: str


class LiveSound(Protocol):
    def follow(self, source: SoundSource, *, place: str = "") -> AsyncGenerator[SoundPiece, None]:
        """Pieces as they come, each side in order, from a place on; ends with the call. Close it when done.

        Raises: MediaError (retryable), after which it may be followed again from the last place.
        """
        ...
