"""Hibari text to speech, clause by clause, so that the first words are heard before the last are made."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from local_stack.speech.audio import Floats, to_pcm16

LONGEST_FIRST_PIECE = 90
"""Characters; a longer first sentence is cut at a clause so that speech can begin."""
LONGEST_PIECE = 240

_CLAUSE_END = re.compile(r"(?<=[,;:—])\s+")
_SPEEDS = (0.5, 2.0)


class HibariVoice:
    """Speaks American English at 24 kHz."""

    def __init__(self, model: Path, threads: int) -> None:
        from hibari import Hibari  # noqa: PLC0415 - half a second, paid in the loading thread

        self._engine: Any = Hibari(model=str(model), threads=threads)
        self.pieces("Ready.")

    def reads(self, text: str) -> bool:
        """Latin letters, and digits; it passes over all others."""
        return any(letter.isascii() and letter.isalnum() for letter in text)

    def pieces(self, text: str) -> list[str]:
        """The text in pieces that are synthesised one after the other."""
        return list(split_text(self._engine.split_sentences(text)))

    def synthesize(self, piece: str, speed: float) -> bytes:
        """PCM16 little-endian mono at 24 kHz; empty when nothing in the piece can be spoken."""
        audio: Floats = self._engine(piece, speed=min(max(speed, _SPEEDS[0]), _SPEEDS[1]))
        return to_pcm16(np.asarray(audio, np.float32))


def split_text(sentences: list[str]) -> Iterator[str]:
    """Sentences, with long ones cut at clauses; the first piece is kept shorter than the others."""
    limit = LONGEST_FIRST_PIECE
    for sentence in sentences:
        current = ""
        for clause in _CLAUSE_END.split(sentence):
            if current and len(current) + len(clause) >= limit:
                yield current
                limit, current = LONGEST_PIECE, clause
            else:
                current = f"{current} {clause}" if current else clause
        if current:
            yield current
            limit = LONGEST_PIECE
