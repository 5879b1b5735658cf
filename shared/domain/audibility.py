"""How much of a sound can be heard at all: providers succeed with silence, too."""

from __future__ import annotations

import numpy as np

from shared.domain.audio import BYTES_PER_MS, samples_of

_AUDIBLE = 200
"""A sample louder than this is no silence: about -44 dB of full scale."""
_FRAME_MS = 20
_FRAME_SAMPLES = _FRAME_MS * BYTES_PER_MS // 2


def audible_ms(pcm: bytes) -> int:
    """How many milliseconds of PCM16 16 kHz are louder than silence, in frames of 20."""
    samples = samples_of(pcm)
    loud = np.abs(samples.astype(np.int32)) > _AUDIBLE
    starts = np.arange(0, len(samples), _FRAME_SAMPLES)
    return int(np.logical_or.reduceat(loud, starts).sum()) * _FRAME_MS if len(samples) else 0


def audible_bytes(pcm: bytes | bytearray) -> int:
    """Up to where PCM16 16 kHz can be heard; 0 where it is silent."""
    loud = np.flatnonzero(np.abs(samples_of(bytes(pcm)).astype(np.int32)) > _AUDIBLE)
    return (int(loud[-1]) + 1) * 2 if loud.size else 0
