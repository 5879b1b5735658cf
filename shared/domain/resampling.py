"""Changes the sample rate of a stream as it flows, a piece at a time, with about a millisecond of delay."""

from __future__ import annotations

from functools import lru_cache
from math import gcd

import numpy as np
import numpy.typing as npt

from shared.domain.audio import Samples

_ZERO_CROSSINGS = 8
_FEW_PHASES = 3
_KAISER_BETA = 6.0  # about 60 dB of stop-band attenuation, more than G.711 can carry


@lru_cache(maxsize=16)
def _phases(up: int, down: int) -> npt.NDArray[np.float32]:
    """A windowed-sinc low-pass split into `up` phases, each row the taps for one output position."""
    widest = max(up, down)
    half = _ZERO_CROSSINGS * widest
    time = np.arange(-half, half + 1) / widest
    taps = np.sinc(time * 0.94) * np.kaiser(2 * half + 1, _KAISER_BETA)
    per_phase = -(-taps.size // up)
    padded = np.zeros(per_phase * up)
    padded[: taps.size] = taps
    rows = padded.reshape(per_phase, up).T[:, ::-1]
    filters: npt.NDArray[np.float32] = (rows / rows.sum(axis=1, keepdims=True)).astype(np.float32)
    return filters


class Resampler:
    """Converts int16 mono samples from one rate to another; keeps what it needs between pieces.

    Anti-aliased (polyphase windowed sinc). `push` gives what is ready, `flush` the rest of the last piece.
    """

    def __init__(self, from_hz: int, to_hz: int) -> None:
        divisor = gcd(from_hz, to_hz)
        self._up, self._down = to_hz // divisor, from_hz // divisor
        self._filters = _phases(self._up, self._down)
        self._taps = self._filters.shape[1]
        self._held = np.zeros(self._taps - 1, dtype=np.float32)
        self._next = 0  # position of the next output sample, in 1/up of an input sample, from `_held`'s start

    def push(self, samples: Samples) -> Samples:
        """Shape (n,) in, about (n * to/from,) out."""
        if self._up == self._down or not samples.size:
            return samples
        signal = np.concatenate([self._held, samples.astype(np.float32)])
        out = self._filtered(signal)
        following = self._next + out.size * self._down
        consumed = min(following // self._up, signal.size - self._taps + 1)
        self._held = signal[consumed:]
        self._next = following - consumed * self._up
        clipped: Samples = np.rint(out).clip(-32768, 32767).astype(np.int16)
        return clipped

    def _filtered(self, signal: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """The output samples, not yet rounded, whose taps lie within the signal."""
        last = (signal.size - self._taps) * self._up
        if last < self._next:
            return signal[:0]
        if self._up <= _FEW_PHASES:  # every phase over the whole piece is cheaper than a window for each sample
            phases = [np.correlate(signal, taps, "valid") for taps in self._filters]
            every = phases[0] if self._up == 1 else np.stack(phases, axis=1).ravel()
            return every[self._next : last + 1 : self._down]
        base, phase = np.divmod(np.arange(self._next, last + 1, self._down), self._up)
        windows = np.lib.stride_tricks.sliding_window_view(signal, self._taps)
        out: npt.NDArray[np.float32] = np.einsum("ij,ij->i", windows[base], self._filters[phase])
        return out

    def flush(self) -> Samples:
        """What still hangs in the filter, after the last piece."""
        if self._up == self._down:
            return np.zeros(0, dtype=np.int16)
        return self.push(np.zeros(self._taps // 2, dtype=np.int16))
