"""What is heard where no word can be had: two soft notes, one below the other."""

from __future__ import annotations

from functools import cache

import numpy as np

from shared.domain.audio import SAMPLE_RATE_HZ, bytes_of

_NOTES_HZ = (523.25, 392.0)
_NOTE_S = 0.28
_LEVEL = 0.12
_FADE_S = 0.06


@cache
def gentle_tone() -> bytes:
    """PCM16 mono 16 kHz, about half a second, soft at both ends."""
    moments = np.arange(round(SAMPLE_RATE_HZ * _NOTE_S)) / SAMPLE_RATE_HZ
    fade = np.minimum(1.0, np.minimum(moments, _NOTE_S - moments) / _FADE_S)
    notes = [_LEVEL * 32767 * fade * np.sin(2 * np.pi * hertz * moments) for hertz in _NOTES_HZ]
    return bytes_of(np.concatenate(notes))
