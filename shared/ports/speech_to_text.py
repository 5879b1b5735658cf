"""Words from sound."""

from __future__ import annotations

from typing import Protocol


class SpeechToText(Protocol):
    async def transcribe(self, pcm: bytes, *, language: str, call_id: str) -> str:
        """The words in PCM16 mono 16 kHz, "" where there are none. Raises: SpeechToTextError."""
        ...

    async def ping(self) -> None:
        """Raises: SpeechToTextError if the provider is not ready."""
        ...
