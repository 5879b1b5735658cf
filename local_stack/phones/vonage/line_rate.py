"""Between the telephone's 8 kHz and the socket's 16 kHz, frame by frame, without a seam between frames."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from local_stack.phones import g711

RATE_HZ: Final = 16_000
FRAME_BYTES: Final = RATE_HZ * 2 * g711.FRAME_MS // 1000
"""20 ms of L16."""
_HALF: Final = 32
_TAPS: Final = 2 * _HALF + 1


def _low_pass() -> NDArray[np.float64]:
    """Passes below 4 kHz of 16 kHz."""
    offsets = np.arange(-_HALF, _HALF + 1)
    taps: NDArray[np.float64] = 0.47 * np.sinc(0.47 * offsets) * np.kaiser(_TAPS, 8.0)
    normalised: NDArray[np.float64] = taps / taps.sum()
    return normalised


_FILTER: Final = _low_pass()


class ToSocket:
    """µ-law at 8 kHz in, L16 at 16 kHz out; 2 ms late."""

    def __init__(self) -> None:
        self._before = np.zeros(_TAPS - 1)

    def convert(self, ulaw: bytes) -> bytes:
        spread = np.zeros(2 * len(ulaw))
        spread[::2] = g711.decode(ulaw)
        joined = np.concatenate((self._before, spread))
        self._before = joined[-(_TAPS - 1) :]
        return _l16(2 * np.convolve(joined, _FILTER, mode="valid"))


class FromSocket:
    """L16 at 16 kHz in, µ-law at 8 kHz out; 2 ms late."""

    def __init__(self) -> None:
        self._before = np.zeros(_TAPS - 1)

    def convert(self, l16: bytes) -> bytes:
        """`l16`: an even number of samples."""
        joined = np.concatenate((self._before, np.frombuffer(l16, "<i2").astype(np.float64)))
        self._before = joined[-(_TAPS - 1) :]
        narrow = np.convolve(joined, _FILTER, mode="valid")[::2]
        return g711.encode(np.clip(np.round(narrow), -32768, 32767).astype(np.int16))


def _l16(samples: NDArray[np.float64]) -> bytes:
    return np.clip(np.round(samples), -32768, 32767).astype("<i2").tobytes()
