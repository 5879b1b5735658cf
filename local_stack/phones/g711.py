"""The telephone's own µ-law code, written apart from the app's so that it can bear witness against it."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE_HZ: Final = 8000
FRAME_MS: Final = 20
FRAME_BYTES: Final = SAMPLE_RATE_HZ * FRAME_MS // 1000
"""One byte is one sample: 160 bytes are 20 ms."""

SILENCE_BYTE: Final = b"\xff"
SILENT_FRAME: Final = SILENCE_BYTE * FRAME_BYTES

AUDIBLE_RMS: Final = 150.0
"""Root mean square of PCM16 samples above which 20 ms count as audible (-47 dB of full scale)."""

_BIAS: Final = 132
_CLIP: Final = 32635


def _make_encode_table() -> NDArray[np.uint8]:
    """Byte for every 16-bit sample, at index `sample & 0xFFFF`. Source: ITU-T G.711, table 2a."""
    samples = np.arange(65536, dtype=np.uint16).astype(np.int16).astype(np.int32)
    sign = np.where(samples < 0, 0x80, 0)
    magnitude = np.minimum(np.abs(samples), _CLIP) + _BIAS
    exponent = np.clip(np.floor(np.log2(magnitude)).astype(np.int32) - 7, 0, 7)
    mantissa = (magnitude >> (exponent + 3)) & 0x0F
    table: NDArray[np.uint8] = (~(sign | (exponent << 4) | mantissa) & 0xFF).astype(np.uint8)
    return table


def _make_decode_table() -> NDArray[np.int16]:
    """16-bit sample for every byte. Source: ITU-T G.711, table 2a."""
    code = ~np.arange(256, dtype=np.int32) & 0xFF
    magnitude = ((((code & 0x0F) << 3) + _BIAS) << ((code >> 4) & 0x07)) - _BIAS
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


_ENCODE: Final = _make_encode_table()
_DECODE: Final = _make_decode_table()
_POWER: Final = _DECODE.astype(np.float32) ** 2


def encode(samples: NDArray[np.int16]) -> bytes:
    """µ-law bytes of PCM16 samples, one byte a sample."""
    return _ENCODE[samples.view(np.uint16)].tobytes()


def decode(payload: bytes) -> NDArray[np.int16]:
    """PCM16 samples of µ-law bytes."""
    return _DECODE[np.frombuffer(payload, np.uint8)]


def rms(payload: bytes) -> float:
    """Root mean square of the PCM16 samples that the µ-law bytes stand for; 0.0 for no bytes."""
    if not payload:
        return 0.0
    return float(np.sqrt(_POWER[np.frombuffer(payload, np.uint8)].mean()))


def is_audible(payload: bytes) -> bool:
    """Whether a person would hear these µ-law bytes as something else than silence."""
    return payload.count(0xFF) != len(payload) and rms(payload) > AUDIBLE_RMS
