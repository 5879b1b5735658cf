"""Audio at the service's border: WAV in and out, sample rates, without any model."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

_STREAMED_BYTES = 0xFFFFFFFF
"""The size that stands in a WAV header when the end is not known yet."""

_PCM, _EXTENSIBLE = 1, 0xFFFE


class AudioError(Exception):
    """The bytes are not audio that can be read; the message says why in one line."""


@dataclass(frozen=True, slots=True)
class Pcm:
    """Mono samples in [-1, 1] at `rate_hz`."""

    samples: Floats
    rate_hz: int

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate_hz

    def at(self, rate_hz: int) -> Pcm:
        """The same sound at another rate, band-limited."""
        if rate_hz == self.rate_hz or not len(self.samples):
            return Pcm(self.samples, rate_hz)
        wanted = max(1, round(len(self.samples) * rate_hz / self.rate_hz))
        spectrum = np.fft.rfft(self.samples)
        kept = np.zeros(wanted // 2 + 1, dtype=spectrum.dtype)
        shared = min(len(spectrum), len(kept))
        kept[:shared] = spectrum[:shared]
        samples = np.fft.irfft(kept, wanted) * (wanted / len(self.samples))
        return Pcm(samples.astype(np.float32), rate_hz)


def read_wav(content: bytes) -> Pcm:
    """Read a PCM16 WAV file of any rate; channels are mixed. Raises AudioError.

    Sizes in the header are not trusted: streamed files carry none.
    Source: https://www.mmsp.ece.mcgill.ca/Documents/AudioFormats/WAVE/WAVE.html
    """
    if len(content) < 12 or content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        raise AudioError("not a WAV file (RIFF/WAVE header missing)")
    position, layout = 12, None
    while position + 8 <= len(content):
        name = content[position : position + 4]
        (size,) = struct.unpack_from("<I", content, position + 4)
        body = content[position + 8 : position + 8 + size]
        if name == b"fmt ":
            layout = _read_format(body)
        elif name == b"data":
            if layout is None:
                raise AudioError("WAV data before its format")
            return _samples(body, *layout)
        position += 8 + size + size % 2
    raise AudioError("WAV file without data")


def _read_format(body: bytes) -> tuple[int, int]:
    if len(body) < 16:
        raise AudioError("WAV format chunk too short")
    kind, channels, rate_hz, _, _, bits = struct.unpack_from("<HHIIHH", body)
    if kind not in (_PCM, _EXTENSIBLE) or bits != 16:
        raise AudioError(f"WAV encoding {kind} with {bits} bits; only 16-bit PCM is supported")
    if not 1 <= channels <= 8 or not 4_000 <= rate_hz <= 192_000:
        raise AudioError(f"WAV with {channels} channels at {rate_hz} Hz is out of range")
    return channels, rate_hz


def _samples(body: bytes, channels: int, rate_hz: int) -> Pcm:
    usable = len(body) - len(body) % (2 * channels)
    frames = np.frombuffer(body[:usable], dtype="<i2").reshape(-1, channels)
    return Pcm((frames.mean(axis=1) / 32768.0).astype(np.float32), rate_hz)


def to_pcm16(samples: Floats) -> bytes:
    """Samples in [-1, 1] as 16-bit little-endian."""
    return (np.clip(samples, -1.0, 1.0) * 32767.0).astype("<i2").tobytes()


def wav_header(rate_hz: int, data_bytes: int | None = None) -> bytes:
    """The 44 bytes before mono PCM16; without `data_bytes` the header of a stream of unknown length."""
    data = _STREAMED_BYTES if data_bytes is None else data_bytes
    riff = _STREAMED_BYTES if data_bytes is None else data_bytes + 36
    form = struct.pack("<HHIIHH", _PCM, 1, rate_hz, rate_hz * 2, 2, 16)
    return (
        b"RIFF"
        + struct.pack("<I", riff)
        + b"WAVEfmt "
        + struct.pack("<I", 16)
        + form
        + b"data"
        + struct.pack("<I", data)
    )
