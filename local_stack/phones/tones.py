"""Sounds that a telephone exchange makes itself: keys, the beep before a recording, ringing at the other end."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from local_stack.phones import g711

_LEVEL: Final = 5000.0
_KEY_MS: Final = 120
_GAP_MS: Final = 60
ROWS_HZ: Final = (697, 770, 852, 941)
COLUMNS_HZ: Final = (1209, 1336, 1477, 1633)
KEYS: Final = ("123A", "456B", "789C", "*0#D")
PAUSES_MS: Final = {"w": 500, "W": 1000}
"""Letters among keys that stand for waiting."""


def tone(milliseconds: int, *frequencies_hz: float) -> bytes:
    """So many ms of these frequencies together, µ-law at 8 kHz."""
    moments = np.arange(g711.SAMPLE_RATE_HZ * milliseconds // 1000) / g711.SAMPLE_RATE_HZ
    waves: NDArray[np.float64] = sum(np.sin(2 * np.pi * hz * moments) for hz in frequencies_hz)  # type: ignore[assignment]
    return g711.encode((_LEVEL / len(frequencies_hz) * waves).astype(np.int16))


def silence(milliseconds: int) -> bytes:
    return g711.SILENCE_BYTE * (g711.SAMPLE_RATE_HZ * milliseconds // 1000)


def beep() -> bytes:
    """What an answering machine makes when it begins to record."""
    return tone(500, 1000)


def ringing() -> bytes:
    """One ring as the caller hears it, and the pause after it. Source: ITU-T E.180, North America."""
    return tone(1000, 440, 480) + silence(2000)


def keys(digits: str) -> bytes:
    """The keys as they sound, with w and W as pauses. Source: ITU-T Q.23."""
    sound = b""
    for digit in digits:
        if digit in PAUSES_MS:
            sound += silence(PAUSES_MS[digit])
            continue
        row = next(row for row, names in enumerate(KEYS) if digit in names)
        sound += tone(_KEY_MS, ROWS_HZ[row], COLUMNS_HZ[KEYS[row].index(digit)]) + silence(_GAP_MS)
    return sound


def are_keys(text: str) -> bool:
    """Whether every character is a key or a pause."""
    return all(character in PAUSES_MS or any(character in row for row in KEYS) for character in text)
