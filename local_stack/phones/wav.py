"""WAV files in and out, with the variants that people's tools write and the standard library cannot read."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from local_stack.phones import g711

_PCM: Final = 1
_EXTENSIBLE: Final = 0xFFFE
_UNKNOWN_LENGTH: Final = 0xFFFFFFFF


class UnusableAudio(ValueError):
    """The bytes cannot be played as a caller's voice; the message says why in one line."""


@dataclass(frozen=True)
class Recording:
    """Sound read from a file: `samples` are float64 in -1..1, one channel."""

    samples: NDArray[np.float64]
    rate_hz: int

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate_hz


@dataclass(frozen=True)
class _Format:
    tag: int
    channels: int
    rate_hz: int
    bits: int


def read(data: bytes) -> Recording:
    """Reads PCM of 8, 16, 24 or 32 bits, 32- or 64-bit float or µ-law; several channels are averaged.

    Raises: UnusableAudio.
    Source: https://learn.microsoft.com/windows/win32/api/mmreg/ns-mmreg-waveformatextensible
    """
    if len(data) < 12 or data[:4] not in (b"RIFF", b"RF64") or data[8:12] != b"WAVE":
        raise UnusableAudio("not a WAV file")
    chunks = _chunks(data)
    if b"fmt " not in chunks or b"data" not in chunks:
        raise UnusableAudio("the WAV file has no format or no data")
    form = _format(chunks[b"fmt "])
    samples = _samples(chunks[b"data"], form)
    whole = len(samples) // form.channels * form.channels
    if whole == 0:
        raise UnusableAudio("the WAV file is empty")
    mono = samples[:whole].reshape(-1, form.channels).mean(axis=1)
    if not np.isfinite(mono).all():
        raise UnusableAudio("the WAV file holds samples that are not numbers")
    return Recording(mono, form.rate_hz)


def write(path: Path, samples: NDArray[np.int16], rate_hz: int) -> None:
    """Writes PCM16: one channel, or as many as there are columns."""
    path.write_bytes(as_bytes(samples, rate_hz))


def as_bytes(samples: NDArray[np.int16], rate_hz: int) -> bytes:
    """A WAV file of PCM16: one channel, or as many as there are columns."""
    channels = 1 if samples.ndim == 1 else samples.shape[1]
    body = samples.astype("<i2").tobytes()
    head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(body), b"WAVE", b"fmt ", 16, _PCM, channels,
                       rate_hz, rate_hz * 2 * channels, 2 * channels, 16, b"data", len(body))  # fmt: skip
    return head + body


def _chunks(data: bytes) -> dict[bytes, bytes]:
    """The first chunk of each name; a stream of unknown length runs to the end of the file."""
    found: dict[bytes, bytes] = {}
    at = 12
    while at + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, at)
        body = data[at + 8 :] if size == _UNKNOWN_LENGTH else data[at + 8 : at + 8 + size]
        found.setdefault(name, body)
        at += 8 + size + (size & 1)
    return found


def _format(chunk: bytes) -> _Format:
    if len(chunk) < 16:
        raise UnusableAudio("the WAV file's format is cut short")
    tag, channels, rate_hz, _, _, bits = struct.unpack_from("<HHIIHH", chunk)
    if tag == _EXTENSIBLE and len(chunk) >= 26:
        tag = struct.unpack_from("<H", chunk, 24)[0]
    if not 1 <= channels <= 64 or not 1000 <= rate_hz <= 768_000:
        raise UnusableAudio(f"the WAV file has {channels} channels at {rate_hz} Hz")
    return _Format(tag, channels, rate_hz, bits)


def _samples(body: bytes, form: _Format) -> NDArray[np.float64]:
    width = form.bits // 8
    body = body[: len(body) // width * width] if width else b""
    match form.tag, form.bits:
        case (1, 8):
            values = (np.frombuffer(body, np.uint8).astype(np.float64) - 128) / 128
        case (1, 16):
            values = np.frombuffer(body, "<i2") / 2**15
        case (1, 24):
            parts = np.frombuffer(body, np.uint8).reshape(-1, 3).astype(np.int32)
            values = ((parts[:, 0] << 8 | parts[:, 1] << 16 | parts[:, 2] << 24) >> 8) / 2**23
        case (1, 32):
            values = np.frombuffer(body, "<i4") / 2**31
        case (3, 32 | 64):
            values = np.frombuffer(body, f"<f{width}").astype(np.float64)
        case (7, 8):
            values = g711.decode(body) / 2**15
        case _:
            what = f"format {form.tag}, {form.bits} bits"
            raise UnusableAudio(f"the WAV file has an encoding that is not read here ({what})")
    return values.astype(np.float64)
