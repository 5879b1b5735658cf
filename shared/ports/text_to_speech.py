"""Sound from words."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Protocol


class TextToSpeech(Protocol):
    def synthesize(self, text: str, *, voice: str, call_id: str) -> AsyncGenerator[bytes, None]:
        """PCM16 mono 16 kHz in pieces of any even size, as they are made. Raises: TextToSpeechError."""
        ...
