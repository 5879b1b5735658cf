"""Any recording made into what a telephone line carries: 8 kHz and the band from 200 to 3,400 Hz."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from local_stack.phones.g711 import SAMPLE_RATE_HZ

Samples = NDArray[np.float64]

BAND_HZ: Final = (200.0, 3400.0)
_ZERO_CROSSINGS: Final = 32
"""Half length of the sinc in periods of the lower rate; sets how steep the filter's edge is."""
_KAISER_BETA: Final = 8.6
"""Stop band about 85 dB down."""
_OUTPUTS_AT_ONCE: Final = 4096


def resample(samples: Samples, from_hz: int, to_hz: int) -> Samples:
    """Polyphase windowed-sinc conversion by the exact ratio of the two rates; the length is rounded up."""
    if from_hz == to_hz or len(samples) == 0:
        return samples.astype(np.float64)
    divisor = math.gcd(from_hz, to_hz)
    up, down = to_hz // divisor, from_hz // divisor
    bank = _phase_bank(up, down)
    taps = bank.shape[1]
    ahead = taps // 2
    padded = np.concatenate([np.zeros(ahead), samples, np.zeros(taps)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, taps)
    count = -(-len(samples) * up // down)
    result = np.empty(count)
    for start in range(0, count, _OUTPUTS_AT_ONCE):
        moments = np.arange(start, min(start + _OUTPUTS_AT_ONCE, count)) * down
        result[start : start + len(moments)] = np.einsum("nt,nt->n", windows[moments // up], bank[moments % up])
    return result


def _phase_bank(up: int, down: int) -> Samples:
    """Row p: the filter for an output that lies p/up of an input period after an input sample."""
    cutoff = min(1.0, up / down) * 0.95
    half = math.ceil(_ZERO_CROSSINGS * max(1.0, down / up))
    offsets = np.arange(-half, half + 1) - (np.arange(up) / up)[:, None]
    bank: Samples = cutoff * np.sinc(cutoff * offsets) * _kaiser(offsets / (half + 1))
    normalised: Samples = bank / bank.sum(axis=1, keepdims=True)
    return normalised


def _kaiser(position: Samples) -> Samples:
    """Kaiser window at positions -1..1, zero outside."""
    inside = np.clip(1.0 - position**2, 0.0, None)
    window: Samples = np.i0(_KAISER_BETA * np.sqrt(inside)) / np.i0(_KAISER_BETA)
    return window


def telephone_band(samples: Samples) -> Samples:
    """Passes 200 to 3,400 Hz of an 8 kHz signal; same length, no delay."""
    low, high = (2 * edge / SAMPLE_RATE_HZ for edge in BAND_HZ)
    half = 160
    offsets = np.arange(-half, half + 1, dtype=np.float64)
    window = _kaiser(offsets / (half + 1))
    passes = (high * np.sinc(high * offsets) - low * np.sinc(low * offsets)) * window
    filtered: Samples = np.convolve(samples, passes, mode="full")[half : half + len(samples)]
    return filtered


def to_telephone(samples: Samples, rate_hz: int) -> NDArray[np.int16]:
    """PCM16 at 8 kHz as the line carries it; louder than full scale is cut off."""
    line = telephone_band(resample(samples, rate_hz, SAMPLE_RATE_HZ))
    return np.clip(np.round(line * 32767), -32768, 32767).astype(np.int16)
