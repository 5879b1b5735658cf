"""Where a sound can be heard, and how much of it: voices begin and end with silence, providers succeed with it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from shared.domain.audio import BYTES_PER_MS, samples_of

_AUDIBLE = 200
"""A sample louder than this is no silence: about -44 dB of full scale."""
_FRAME_MS = 20
_FRAME_SAMPLES = _FRAME_MS * BYTES_PER_MS // 2
_KEPT_BEFORE_ONSET_MS = 20


def audible_ms(pcm: bytes) -> int:
    """How many milliseconds of PCM16 16 kHz are louder than silence, in frames of 20."""
    loud = _is_loud(pcm)
    starts = np.arange(0, loud.size, _FRAME_SAMPLES)
    return int(np.logical_or.reduceat(loud, starts).sum()) * _FRAME_MS if loud.size else 0


def audible_bytes(pcm: bytes | bytearray) -> int:
    """Up to where PCM16 16 kHz can be heard; 0 where it is silent."""
    loud = np.flatnonzero(_is_loud(bytes(pcm)))
    return (int(loud[-1]) + 1) * 2 if loud.size else 0


def _is_loud(pcm: bytes) -> npt.NDArray[np.bool_]:
    """Of every sample, whether it can be heard."""
    return np.abs(samples_of(pcm).astype(np.int32)) > _AUDIBLE


class OnsetTrim:
    """Takes the silence before the first sound off a stream of PCM16 16 kHz: voices begin with up to 300 ms of it,
    and the caller waits for each of them.
    """

    def __init__(self) -> None:
        self._held = b""
        self._begun = False

    def push(self, pcm: bytes) -> bytes:
        """What is to be played of the next piece; nothing while there is only silence."""
        if self._begun:
            return pcm
        self._held += pcm
        audible = np.flatnonzero(_is_loud(self._held))
        kept_bytes = _KEPT_BEFORE_ONSET_MS * BYTES_PER_MS
        if not audible.size:
            self._held = self._held[-kept_bytes:]
            return b""
        self._begun = True
        begin = max(0, int(audible[0]) * 2 - kept_bytes)
        return self._held[begin:]
