"""Picks the voice that can read a text, and has it made piece by piece on threads of its own."""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import AsyncGenerator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from local_stack.speech.backend import Context, Speaking
from local_stack.speech.errors import ApiError

SPEECH_THREADS = 2
"""Texts that are spoken at once."""


class Voice(Protocol):
    """One that reads aloud, in a script or several."""

    def reads(self, text: str) -> bool:
        """Whether it knows letters of the text."""

    def pieces(self, text: str) -> list[str]:
        """The text in pieces that are synthesised one after the other."""

    def synthesize(self, piece: str, speed: float) -> bytes:
        """PCM16 little-endian mono at 24 kHz; empty when nothing in the piece can be spoken."""


class LocalSynthesizer:
    """Each text is read by the first voice that can, a piece at a time, so that calls take turns."""

    def __init__(self, voices: Sequence[Voice]) -> None:
        self._voices = voices
        self._threads = ThreadPoolExecutor(SPEECH_THREADS, thread_name_prefix="speaking")

    async def synthesize(self, speaking: Speaking, context: Context) -> AsyncGenerator[bytes, None]:
        """Audio of one piece of the text after the other. Raises: ApiError 400 for letters that nobody reads."""
        voice, loop = self._voice_for(speaking.text), asyncio.get_running_loop()
        for piece in voice.pieces(speaking.text):
            audio = await loop.run_in_executor(self._threads, voice.synthesize, piece, speaking.speed)
            if audio:
                yield audio

    def _voice_for(self, text: str) -> Voice:
        if voice := next((voice for voice in self._voices if voice.reads(text)), None):
            return voice
        letter = next((letter for letter in text if letter.isalpha()), "")
        if not letter:
            return self._voices[-1]  # nothing but marks: any voice is silent there
        script = unicodedata.name(letter, "unknown").partition(" ")[0].capitalize()
        raise ApiError(400, f"no voice here reads {script} letters", param="input", code="letters_not_read")
