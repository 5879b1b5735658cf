"""Tells whether the caller's side is the agent's own voice coming back, delayed and attenuated."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from shared.domain.audio import BYTES_PER_MS, SAMPLE_RATE_HZ, samples_of

HEARD_MS = 256
"""How much of the caller's side is compared."""
LONGEST_DELAY_MS = 700
PLAYED_MS = HEARD_MS + LONGEST_DELAY_MS
"""How much of the agent's sound, up to the same moment, is compared with it."""
_ALIKE, _ALIKE_AGAIN, _ALIKE_STILL = 0.5, 0.38, 0.28
"""Least likeness of a first echo, of another one on the same line, and of one that goes on. Of echoes
10 to 25 dB down through a reverberant path half are above 0.6; of callers over them 19 of 20 are below 0.36.
"""
_GOES_ON_CHUNKS = 4
_DECIMATION = 4
_RATE_HZ = SAMPLE_RATE_HZ // _DECIMATION
_MEAN = np.full(_DECIMATION, 1 / _DECIMATION, dtype=np.float32)
"""As a product with it, the mean of many short rows takes a tenth of the time."""
_SILENT = 30.0
_TOO_SHORT = 64

_Floats = npt.NDArray[np.float32]


class EchoDetector:
    """Hears one turn; needs to be asked about chunks with voice only."""

    def __init__(self) -> None:
        self._least = _ALIKE
        self._since_alike = _GOES_ON_CHUNKS

    def is_echo(self, heard: bytes, played: bytes) -> bool:
        """Whether the caller's side is the agent's voice, and nothing louder over it.

        `heard`: the last `HEARD_MS` of the caller's side; `played`: the last `PLAYED_MS` of the agent's sound, up to
        the same moment; both PCM16 16 kHz.
        """
        alike = likeness(heard, played)
        if alike >= self._least:
            self._least, self._since_alike = _ALIKE_AGAIN, 0
            return True
        self._since_alike += 1
        return alike >= _ALIKE_STILL and self._since_alike <= _GOES_ON_CHUNKS


def likeness(heard: bytes, played: bytes) -> float:
    """The highest normalised correlation, 0–1, of the caller's side with the agent's sound at any delay."""
    caller = _prepared(heard[-HEARD_MS * BYTES_PER_MS :])
    agent = _prepared(played[-PLAYED_MS * BYTES_PER_MS :])
    if caller.size < _TOO_SHORT or not agent.size:
        return 0.0
    wanted = caller.size + LONGEST_DELAY_MS * _RATE_HZ // 1000
    agent = np.concatenate([np.zeros(max(0, wanted - agent.size), np.float32), agent])
    windows = _window_energies(agent, caller.size)
    size = 1 << (agent.size - 1).bit_length()  # where it wraps around, no delay is looked at
    product = np.fft.rfft(agent, size) * np.conj(np.fft.rfft(caller, size))
    matches = np.abs(np.fft.irfft(product, size)[: windows.size])
    least = _SILENT**2 * caller.size
    energy = float(np.dot(caller, caller))
    return float(np.max(matches / np.sqrt((energy + 1.0) * np.maximum(windows, least))))


def _prepared(pcm: bytes) -> _Floats:
    """At 4 kHz, where voices have most of their energy, with the low tones damped that all voices share."""
    samples = samples_of(pcm).astype(np.float32)
    whole = samples.size // _DECIMATION * _DECIMATION
    few: _Floats = samples[:whole].reshape(-1, _DECIMATION) @ _MEAN
    return few[1:] - np.float32(0.9) * few[:-1] if few.size > 1 else few


def _window_energies(track: _Floats, width: int) -> _Floats:
    """The energy of every stretch of `width` samples."""
    sums = np.concatenate([[0.0], np.cumsum(np.square(track, dtype=np.float64))])
    energies: _Floats = (sums[width:] - sums[:-width]).astype(np.float32)
    return energies
