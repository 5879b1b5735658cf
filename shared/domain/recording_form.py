"""A recording as services for speech take it: a WAV file in a multipart form."""

from __future__ import annotations

import struct
from collections.abc import Mapping

from shared.domain.audio import SAMPLE_RATE_HZ


def content_type(boundary: str) -> str:
    return f"multipart/form-data; boundary={boundary}"


def wav_header(data_bytes: int, rate_hz: int = SAMPLE_RATE_HZ) -> bytes:
    """The 44 bytes before PCM16 mono.

    Source: https://www.mmsp.ece.mcgill.ca/Documents/AudioFormats/WAVE/WAVE.html
    """
    return struct.pack(
        "<4sI8sIHHIIHH4sI",
        b"RIFF", 36 + data_bytes, b"WAVEfmt ", 16, 1, 1, rate_hz, rate_hz * 2, 2, 16, b"data", data_bytes,
    )  # fmt: skip


def recording_form(boundary: str, fields: Mapping[str, str], pcm: bytes | memoryview) -> bytes:
    """The fields, and then PCM16 mono 16 kHz as the field `file`; the sound is copied once.

    `boundary` must be random: who knew it could hide fields of his own in the sound. Source: RFC 7578.
    """
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    parts.append(
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="speech.wav"\r\n'
        "Content-Type: audio/wav\r\n\r\n"
    )
    return b"".join(("".join(parts).encode(), wav_header(len(pcm)), pcm, f"\r\n--{boundary}--\r\n".encode()))
