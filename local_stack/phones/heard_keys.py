"""The keys that sound in what somebody heard on the telephone, made out of the sound itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from local_stack.phones import g711, tones

_LEAST_FRAMES: Final = 3
"""A key sounds for 40 ms at least; so many frames in a row are no chance. Source: ITU-T Q.24"""
_LEAST_SHARE: Final = 0.25
"""Of a frame's power that lies on each of the two tones; of speech it never lies on both for so long."""
_LEAST_SUM: Final = 0.75
_RATE_HZ: Final = g711.SAMPLE_RATE_HZ


@dataclass(frozen=True)
class HeardKey:
    key: str
    at_ms: int
    """Since the beginning of the sound."""


def _waves(frequencies_hz: tuple[int, ...]) -> NDArray[np.complex64]:
    moments = np.arange(g711.FRAME_BYTES)[:, None] / _RATE_HZ
    waves: NDArray[np.complex64] = np.exp(-2j * np.pi * moments * np.array(frequencies_hz)).astype(np.complex64)
    return waves


_ROWS: Final = _waves(tones.ROWS_HZ)
_COLUMNS: Final = _waves(tones.COLUMNS_HZ)


def heard_keys(ulaw_8k: bytes) -> list[HeardKey]:
    """In the order in which they sound. Source: ITU-T Q.23."""
    count = len(ulaw_8k) // g711.FRAME_BYTES
    if not count:
        return []
    frames = g711.decode(ulaw_8k[: count * g711.FRAME_BYTES]).astype(np.float32).reshape(count, g711.FRAME_BYTES)
    loud = np.flatnonzero((frames**2).mean(axis=1) > g711.AUDIBLE_RMS**2)
    names = np.full(count, "", "<U1")
    if len(loud):
        names[loud] = _names(frames[loud])
    return _pressed(names)


def _names(frames: NDArray[np.float32]) -> NDArray[np.str_]:
    """The key of each frame; empty where none sounds."""
    power = (frames**2).sum(axis=1, keepdims=True) * g711.FRAME_BYTES / 2
    rows, columns = (np.abs(frames @ waves) ** 2 / power for waves in (_ROWS, _COLUMNS))
    row, column = rows.max(axis=1), columns.max(axis=1)
    sounds = (row > _LEAST_SHARE) & (column > _LEAST_SHARE) & (row + column > _LEAST_SUM)
    keys = np.array([list(names) for names in tones.KEYS])
    return np.where(sounds, keys[rows.argmax(axis=1), columns.argmax(axis=1)], "")


def _pressed(names: NDArray[np.str_]) -> list[HeardKey]:
    """Of frames one after the other with the same key one press."""
    pressed: list[HeardKey] = []
    began = 0
    for at in range(1, len(names) + 1):
        if at < len(names) and names[at] == names[began]:
            continue
        if names[began] and at - began >= _LEAST_FRAMES:
            pressed.append(HeardKey(str(names[began]), began * g711.FRAME_MS))
        began = at
    return pressed
