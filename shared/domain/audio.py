"""Audio as the inside of the house knows it: PCM16 little-endian mono at 16 kHz, and G.711 at its border."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

SAMPLE_RATE_HZ = 16_000
BYTES_PER_MS = SAMPLE_RATE_HZ * 2 // 1000

Samples = npt.NDArray[np.int16]
_WIRE = np.dtype("<i2")


def samples_of(pcm: bytes) -> Samples:
    """PCM16 little-endian bytes as samples; a torn last byte is dropped."""
    return np.frombuffer(pcm, _WIRE, len(pcm) // 2)


def bytes_of(samples: npt.NDArray[np.floating | np.signedinteger]) -> bytes:
    """Samples as PCM16 little-endian bytes, clipped to the range of 16 bits."""
    return bytes(np.clip(np.rint(samples), -32768, 32767).astype("<i2").tobytes())


def duration_ms(pcm: bytes) -> float:
    """How long `pcm` (16 kHz) sounds."""
    return len(pcm) / BYTES_PER_MS


def _expansion_table() -> Samples:
    code = ~np.arange(256, dtype=np.int32) & 0xFF
    magnitude = (((code & 0x0F) << 3) + 0x84) << ((code & 0x70) >> 4)
    return np.where(code & 0x80, 0x84 - magnitude, magnitude - 0x84).astype(np.int16)


def _compression_table() -> Any:
    """µ-law code of every 16-bit sample, by its bits taken as an unsigned number."""
    linear = np.arange(65_536, dtype=np.uint16).view(np.int16).astype(np.int32)
    sign = np.where(linear < 0, 0x80, 0)
    magnitude = np.minimum(np.abs(linear), 32635) + 0x84
    exponent = np.floor(np.log2(magnitude)).astype(np.int32) - 7
    mantissa = (magnitude >> (exponent + 3)) & 0x0F
    return (~(sign | (exponent << 4) | mantissa) & 0xFF).astype(np.uint8)


MULAW_EXPANSION = _expansion_table()
"""The 16-bit sample of every µ-law code. Source: ITU-T G.711, table 2a."""
MULAW_SILENCE = b"\xff"
_COMPRESS = _compression_table()


def decode_mulaw(payload: bytes) -> Samples:
    """G.711 µ-law bytes as 16-bit samples at the same rate."""
    return MULAW_EXPANSION.take(np.frombuffer(payload, dtype=np.uint8))


def encode_mulaw(samples: Samples) -> bytes:
    """16-bit samples as G.711 µ-law bytes at the same rate. Source: ITU-T G.711, table 2a."""
    return bytes(_COMPRESS.take(samples.view(np.uint16)).tobytes())
