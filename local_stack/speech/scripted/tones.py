"""Tones that carry a number: what the scripted voice says instead of words."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from local_stack.speech.audio import Floats, Pcm, to_pcm16
from local_stack.speech.backend import SPEECH_RATE_HZ

NUMBERS = 100
"""Numbers are told apart modulo this."""

_LOWEST_HZ = 400
_STEP_HZ = 25
_LOOP_S = 0.2
"""After this every tone begins anew without a seam: all frequencies are multiples of its inverse."""


@lru_cache(maxsize=NUMBERS)
def _loop(number: int) -> bytes:
    moments = np.arange(round(SPEECH_RATE_HZ * _LOOP_S)) / SPEECH_RATE_HZ
    swell = 0.75 + 0.25 * np.sin(2 * np.pi * moments / _LOOP_S)
    tone = 0.3 * swell * np.sin(2 * np.pi * (_LOWEST_HZ + _STEP_HZ * number) * moments)
    return to_pcm16(tone.astype(np.float32))


def tone(number: int, size_bytes: int) -> bytes:
    """PCM16 at SPEECH_RATE_HZ whose pitch tells `number` modulo NUMBERS; it is never silent."""
    loop = _loop(number % NUMBERS)
    return (loop * (size_bytes // len(loop) + 1))[:size_bytes]


def number_of(pcm: Pcm) -> int | None:
    """The number that a tone of at least 100 ms carries, at 8 kHz or more; None when it is no such tone."""
    samples: Floats = pcm.samples
    if pcm.seconds < 0.1 or not np.any(samples):
        return None
    padded = max(len(samples), pcm.rate_hz)  # a finer grid than the tones' own distance
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), padded))
    peak_hz = float(spectrum.argmax()) * pcm.rate_hz / padded
    number = round((peak_hz - _LOWEST_HZ) / _STEP_HZ)
    return number if 0 <= number < NUMBERS else None
