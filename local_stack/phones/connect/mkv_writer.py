"""Writes the Matroska fragments of which a contact's Kinesis video stream is made: both sides of a second of a call.

Source: Matroska's element list (RFC 9559), and fragments of Connect as AWS's consumer libraries parse them.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Final

TRACKS: Final = {1: "AUDIO_FROM_CUSTOMER", 2: "AUDIO_TO_CUSTOMER"}
_UNKNOWN_SIZE: Final = b"\x01\xff\xff\xff\xff\xff\xff\xff"
_AUDIO: Final = 2


def element(identifier: int, content: bytes) -> bytes:
    """`identifier` with its marker bits, as the lists of elements give it."""
    head = identifier.to_bytes((identifier.bit_length() + 7) // 8, "big")
    return head + _size(len(content)) + content


def _size(size: int) -> bytes:
    for length in range(1, 9):
        if size < (1 << (7 * length)) - 1:
            return ((1 << (7 * length)) | size).to_bytes(length, "big")
    raise ValueError("an element cannot be so long")


def _number(identifier: int, value: int) -> bytes:
    return element(identifier, value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big"))


def _text(identifier: int, value: str) -> bytes:
    return element(identifier, value.encode())


def _float(identifier: int, value: float) -> bytes:
    return element(identifier, struct.pack(">d", value))


def _tags(given: Mapping[str, str]) -> bytes:
    simple = b"".join(element(0x67C8, _text(0x45A3, name) + _text(0x4487, value)) for name, value in given.items())
    return element(0x1254C367, element(0x7373, simple))


def _track(number: int, name: str) -> bytes:
    audio = element(0xE1, _float(0xB5, 8000.0) + _number(0x9F, 1) + _number(0x6264, 16))
    entry = _number(0xD7, number) + _number(0x73C5, number) + _number(0x83, _AUDIO)
    return element(0xAE, entry + _text(0x536E, name) + _text(0x86, "A_AAC") + audio)


def fragment(
    blocks: Sequence[tuple[int, int, bytes]], *, starts_ms: int, before: Mapping[str, str], after: Mapping[str, str]
) -> bytes:
    """One fragment. `blocks`: track, milliseconds after `starts_ms`, PCM16 LE at 8 kHz. Tags stand in front of the
    cluster and behind it, as the service puts them.
    """
    head = element(
        0x1A45DFA3,
        _number(0x4286, 1) + _number(0x42F7, 1) + _number(0x42F2, 4) + _number(0x42F3, 8) + _text(0x4282, "matroska")
        + _number(0x4287, 2) + _number(0x4285, 2),
    )  # fmt: skip
    millisecond_ns = _number(0x2AD7B1, 1_000_000)
    information = element(0x1549A966, millisecond_ns + _text(0x4D80, "phones") + _text(0x5741, "phones"))
    tracks = element(0x1654AE6B, b"".join(_track(number, name) for number, name in TRACKS.items()))
    sounds = b"".join(
        element(0xA3, bytes([0x80 | track]) + struct.pack(">h", offset_ms) + b"\x80" + pcm)
        for track, offset_ms, pcm in blocks
    )
    cluster = element(0x1F43B675, _number(0xE7, starts_ms) + sounds)
    segment = (0x18538067).to_bytes(4, "big") + _UNKNOWN_SIZE
    return head + segment + _tags(before) + information + tracks + cluster + _tags(after)
