"""Changes the sample rate of sound while it comes, in pieces of any even size."""

from __future__ import annotations

import numpy as np

from local_stack.speech.audio import Floats, to_pcm16

_TAPS = 31


class RateChange:
    """PCM16 mono in, PCM16 mono out; band-limited first, then read off between the samples."""

    def __init__(self, from_hz: int, to_hz: int) -> None:
        self._step = from_hz / to_hz
        self._is_plain = from_hz == to_hz
        self._filter = _low_pass(min(1.0, to_hz / from_hz) / 2)
        self._kept: Floats = np.zeros(_TAPS // 2, np.float32)
        """Samples that were fed and are still needed; before the first there was silence."""
        self._at = 0.0
        """Where the next sample to give lies, counted from the first filtered sample of `_kept`."""

    def push(self, pcm: bytes) -> bytes:
        if self._is_plain:
            return pcm
        samples = np.frombuffer(pcm, "<i2").astype(np.float32) / np.float32(32768.0)
        return self._give(samples)

    def flush(self) -> bytes:
        """What is left at the end."""
        return b"" if self._is_plain else self._give(np.zeros(_TAPS // 2 + 1, np.float32))

    def _give(self, samples: Floats) -> bytes:
        kept = np.concatenate([self._kept, samples])
        if len(kept) < _TAPS + 1:
            self._kept = kept
            return b""
        filtered = np.convolve(kept, self._filter, "valid")
        last = len(filtered) - 1
        count = int(np.floor((last - self._at) / self._step)) + 1 if last >= self._at else 0
        places = self._at + self._step * np.arange(count)
        given = np.interp(places, np.arange(len(filtered)), filtered).astype(np.float32)
        next_at = self._at + self._step * count
        drop = min(int(next_at), last)
        self._kept, self._at = kept[drop:], next_at - drop
        return to_pcm16(given)


def _low_pass(cutoff: float) -> Floats:
    """`cutoff`: as a share of the sample rate."""
    places = np.arange(_TAPS) - _TAPS // 2
    taps = 2 * cutoff * np.sinc(2 * cutoff * places) * np.hamming(_TAPS)
    scaled: Floats = (taps / taps.sum()).astype(np.float32)
    return scaled
