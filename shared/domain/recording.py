"""A call's recording: both sides on one time line, caller left, agent right."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np

from shared.domain.audio import BYTES_PER_MS, SAMPLE_RATE_HZ, samples_of

CONTENT_TYPE = "audio/wav"


def stereo_wav(caller: Sequence[tuple[int, bytes]], agent: Sequence[tuple[int, bytes]]) -> tuple[bytes, int]:
    """A 16-bit stereo WAV at 16 kHz, and its duration in ms.

    Each side is given as pieces of PCM16 16 kHz with the millisecond at which they begin; the first piece of the
    caller is the beginning. Where pieces of one side overlap, the later one stands.
    """
    pieces = [(0, piece) for piece in caller] + [(1, piece) for piece in agent]
    length_ms = max((at_ms + len(pcm) // BYTES_PER_MS for _, (at_ms, pcm) in pieces), default=0)
    track = np.zeros((length_ms * SAMPLE_RATE_HZ // 1000, 2), dtype="<i2")
    for side, (at_ms, pcm) in pieces:
        start = at_ms * SAMPLE_RATE_HZ // 1000
        samples = samples_of(pcm)[: max(0, len(track) - start)]
        track[start : start + len(samples), side] = samples
    data = track.tobytes()
    header = struct.pack(
        "<4sI8sIHHIIHH4sI",
        b"RIFF", 36 + len(data), b"WAVEfmt ", 16, 1, 2, SAMPLE_RATE_HZ, SAMPLE_RATE_HZ * 4, 4, 16, b"data", len(data),
    )  # fmt: skip
    return header + data, length_ms
