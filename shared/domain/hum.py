"""Tells coughs and "mhm" from words: a closed mouth lets little out above 1 kHz, a cough has no pitch."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from shared.domain.audio import BYTES_PER_MS, samples_of

HEARD_MS = 64
_RATE_HZ = 8000
_LOW_HZ, _EDGE_HZ, _HIGH_HZ = 100, 900, 3400
_CLOSED_DB = -19.0
_LEAST_PITCH = 0.45
"""Words have 0.7 and more but for their consonants, coughs 0.5 and less."""
_NOISE_SHARE = 0.8
"""How much of the noise is taken off; all of it would take weak consonants with it."""
_SHORTEST_LAG, _LONGEST_LAG = 20, 110
"""Pitch from 73 to 400 Hz, in samples."""
_MEAN_OF_TWO = np.full(2, 0.5, dtype=np.float32)

_Floats = npt.NDArray[np.float32]


def is_hum(heard: bytes, noise_db: float = 0.0) -> bool:
    """Whether voice at the end of the caller's PCM16 16 kHz (its last `HEARD_MS` are looked at) is none that makes
    words. It says nothing of what is not voice. `noise_db`: the level of the line's noise (`Loudness.noise_db`).
    """
    samples = samples_of(heard[-HEARD_MS * BYTES_PER_MS :]).astype(np.float32)
    narrow = samples[: samples.size & ~1].reshape(-1, 2) @ _MEAN_OF_TWO
    if narrow.size < 2 * _LONGEST_LAG:
        return False
    return pitch(narrow) < _LEAST_PITCH or openness_db(narrow[-narrow.size // 2 :], noise_db) < _CLOSED_DB


def pitch(narrow: _Floats) -> float:
    """How much the sound repeats itself, 0–1: the highest autocorrelation at the lags of voices."""
    centred = narrow - narrow.mean()
    size = 2 * narrow.size
    power = np.square(np.abs(np.fft.rfft(centred, size)))
    alike = np.fft.irfft(power, size)[: _LONGEST_LAG + 1]
    overlap = 1 - np.arange(_LONGEST_LAG + 1) / narrow.size
    return float((alike / overlap)[_SHORTEST_LAG:].max() / (alike[0] + 1.0))


def openness_db(narrow: _Floats, noise_db: float = 0.0) -> float:
    """How loud the sound is above 900 Hz against below, most white noise of that level taken off."""
    window = _window(narrow.size)
    power = np.square(np.abs(np.fft.rfft(narrow * window)))
    power -= _NOISE_SHARE * 10 ** (noise_db / 10) * float(np.dot(window, window))
    low, edge, high = (round(hz * narrow.size / _RATE_HZ) for hz in (_LOW_HZ, _EDGE_HZ, _HIGH_HZ))
    above, below = float(power[edge:high].sum()), float(power[low:edge].sum())
    return float(10 * np.log10(max(above, 1.0) / max(below, 1.0)))


@lru_cache(maxsize=4)
def _window(size: int) -> _Floats:
    return np.hanning(size).astype(np.float32)
