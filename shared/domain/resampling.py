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
_LEAST, _MOST = np.array(-32768, dtype=np.float32), np.array(32767, dtype=np.float32)

_Signal = npt.NDArray[np.float32]


@lru_cache(maxsize=16)
def _phases(up: int, down: int) -> _Signal:
    """A windowed-sinc low-pass split into `up` phases, each row the taps for one output position."""
    widest = max(up, down)
    half = _ZERO_CROSSINGS * widest
    time = np.arange(-half, half + 1) / widest
    taps = np.sinc(time * 0.94) * np.kaiser(2 * half + 1, _KAISER_BETA)
    per_phase = -(-taps.size // up)
    padded = np.zeros(per_phase * up)
    padded[: taps.size] = taps
    rows = padded.reshape(per_phase, up).T[:, ::-1]
    filters: _Signal = (rows / rows.sum(axis=1, keepdims=True)).astype(np.float32)
    return filters


@lru_cache(maxsize=16)
def _blocks(up: int, down: int) -> _Signal:
    """A column of taps for each of the `up` output samples that `down` input samples give."""
    filters = _phases(up, down)
    taps = filters.shape[1]
    columns = np.zeros(((up - 1) * down // up + taps, up), dtype=np.float32)
    for number in range(up):
        start, phase = divmod(number * down, up)
        columns[start : start + taps, number] = filters[phase]
    return columns


def _in_blocks(signal: _Signal, rows: int, up: int, down: int) -> _Signal:
    """So many whole blocks, from the signal's start, as one matrix product over overlapping windows.

    A row alone would go to BLAS, which adds in another order; then a cut could be seen in the last bit.
    """
    columns = _blocks(up, down)
    strides = (signal.itemsize * down if rows > 1 else 0, signal.itemsize)
    windows: _Signal = np.ndarray((max(2, rows), columns.shape[0]), np.float32, signal, 0, strides)
    return (windows @ columns)[:rows]


def _rounded(out: _Signal) -> Samples:
    """In place as far as it goes: in a frame of 20 ms an array costs more than its arithmetic."""
    return np.rint(out, out=out).clip(_LEAST, _MOST, out=out).astype(np.int16).reshape(-1)


DOUBLING_TAPS = _phases(2, 1).shape[1]


def doubled(signal: _Signal) -> Samples:
    """A stretch of a stream at twice its rate, for who keeps the stream: shape (n,) in, with the
    `DOUBLING_TAPS - 1` samples before the stretch, (2 * (n - DOUBLING_TAPS + 1),) out: what a `Resampler` gives.
    """
    return _rounded(_in_blocks(signal, signal.size - DOUBLING_TAPS + 1, 2, 1))


class Resampler:
    """Converts int16 mono samples from one rate to another; keeps what it needs between pieces.

    Anti-aliased (polyphase windowed sinc). `push` gives what is ready, `flush` the rest of the last piece.
    """

    def __init__(self, from_hz: int, to_hz: int) -> None:
        divisor = gcd(from_hz, to_hz)
        self._up, self._down = to_hz // divisor, from_hz // divisor
        self._taps = _phases(self._up, self._down).shape[1]
        self._held = np.zeros(self._taps - 1, dtype=np.float32)
        self._next = 0  # position of the next output sample, in 1/up of an input sample, from `_held`'s start

    def push(self, samples: Samples) -> Samples:
        """Shape (n,) in, about (n * to/from,) out."""
        if self._up == self._down or not samples.size:
            return samples
        signal = np.concatenate((self._held, samples), dtype=np.float32)
        return _rounded(self._by_blocks(signal) if self._up <= _FEW_PHASES else self._one_by_one(signal))

    def _by_blocks(self, signal: _Signal) -> _Signal:
        """With few phases: all whole blocks at once."""
        width = _blocks(self._up, self._down).shape[0]
        rows = max(0, (signal.size - width) // self._down + 1)
        self._held = signal[rows * self._down :]
        return _in_blocks(signal, rows, self._up, self._down) if rows else signal[:0]

    def _one_by_one(self, signal: _Signal) -> _Signal:
        """With hundreds of phases: a window for each output sample whose taps lie within the signal."""
        last = max((signal.size - self._taps) * self._up, self._next - 1)
        base, phase = np.divmod(np.arange(self._next, last + 1, self._down), self._up)
        windows = np.lib.stride_tricks.sliding_window_view(signal, self._taps)
        out: _Signal = np.einsum("ij,ij->i", windows[base], _phases(self._up, self._down)[phase])
        following = self._next + out.size * self._down
        consumed = min(following // self._up, signal.size - self._taps + 1)
        self._held = signal[consumed:]
        self._next = following - consumed * self._up
        return out

    def flush(self) -> Samples:
        """What still hangs in the filter, after the last piece."""
        if self._up == self._down:
            return np.zeros(0, dtype=np.int16)
        return self.push(np.zeros(self._taps // 2, dtype=np.int16))
