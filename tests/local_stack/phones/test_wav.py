from __future__ import annotations

import io
import struct
import wave
from pathlib import Path

import numpy as np
import pytest

from local_stack.phones import wav


def riff(tag: int, channels: int, rate_hz: int, bits: int, body: bytes, *, extra: bytes = b"") -> bytes:
    form = struct.pack("<HHIIHH", tag, channels, rate_hz, 0, 0, bits) + extra
    chunks = b"fmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


VALUES = np.array([0.0, 0.5, -0.5, 0.25])


@pytest.mark.parametrize(
    ("tag", "bits", "body"),
    [
        (1, 8, (VALUES * 128 + 128).astype(np.uint8).tobytes()),
        (1, 16, (VALUES * 2**15).astype("<i2").tobytes()),
        (1, 24, b"".join(int(v * 2**23).to_bytes(3, "little", signed=True) for v in VALUES)),
        (1, 32, (VALUES * 2**31).astype("<i4").tobytes()),
        (3, 32, VALUES.astype("<f4").tobytes()),
        (3, 64, VALUES.astype("<f8").tobytes()),
    ],
)
def test_reads_every_common_encoding(tag: int, bits: int, body: bytes) -> None:
    recording = wav.read(riff(tag, 1, 44_100, bits, body))
    assert recording.rate_hz == 44_100
    assert recording.samples == pytest.approx(VALUES, abs=0.01)


def test_reads_the_extensible_format_of_24_bit_tools() -> None:
    extra = struct.pack("<HHIH14s", 22, 24, 4, 1, b"\0" * 14)
    body = int(0.5 * 2**23).to_bytes(3, "little")
    assert wav.read(riff(0xFFFE, 1, 48_000, 24, body, extra=extra)).samples == pytest.approx([0.5])


def test_averages_channels_and_reads_what_the_standard_library_writes() -> None:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(2)
        writer.setsampwidth(2)
        writer.setframerate(8000)
        writer.writeframes(np.array([[8192, 0], [0, -8192]], "<i2").tobytes())
    assert wav.read(file.getvalue()).samples == pytest.approx([0.125, -0.125])


def test_a_stream_of_unknown_length_is_read_to_its_end() -> None:
    data = bytearray(riff(1, 1, 8000, 16, b"\x00\x40" * 10))
    data[40:44] = b"\xff\xff\xff\xff"
    assert len(wav.read(bytes(data)).samples) == 10


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"ID3 something else", "not a WAV file"),
        (b"", "not a WAV file"),
        (b"RIFF\0\0\0\0WAVE", "no format or no data"),
        (riff(1, 1, 8000, 16, b""), "empty"),
        (riff(1, 0, 8000, 16, b"\0\0"), "0 channels"),
        (riff(2, 1, 8000, 4, b"\0\0"), "encoding"),
        (riff(1, 1, 8000, 0, b"\0\0"), "encoding"),
        (riff(3, 1, 8000, 32, struct.pack("<f", float("nan"))), "not numbers"),
    ],
)
def test_says_why_bytes_cannot_be_played(data: bytes, reason: str) -> None:
    with pytest.raises(wav.UnusableAudio, match=reason):
        wav.read(data)


def test_written_files_are_read_by_the_standard_library(tmp_path: Path) -> None:
    wav.write(tmp_path / "a.wav", np.array([1, -2, 3], np.int16), 8000)
    with wave.open(str(tmp_path / "a.wav")) as reader:
        assert (reader.getnchannels(), reader.getsampwidth(), reader.getframerate()) == (1, 2, 8000)
        assert np.frombuffer(reader.readframes(9), "<i2").tolist() == [1, -2, 3]
