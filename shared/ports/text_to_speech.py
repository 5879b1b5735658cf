"""Sound from words."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Protocol


class TextToSpeech(Protocol):
    def synthesize(
        self, text: str, *, voice: str, call_id: str, late_after_ms: int = 0
    ) -> AsyncGenerator[bytes, None]:
        """PCM16 mono 16 kHz in pieces of any even size, as they are made; at least one. Closing the generator
        cancels it. `late_after_ms`: how long the first piece may take before a second provider is asked beside the
        first, where there is one; 0: never. Raises: TextToSpeechError.
        """
        ...
