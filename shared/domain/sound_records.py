"""Pieces of a call's sound as they stand one after the other in a file that only grows."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from shared.domain.audio import BYTES_PER_MS

Side = Literal["caller", "agent"]

_SIDES: tuple[Side, ...] = ("caller", "agent")
_MAGIC = b"\x89SND"
_VERSION = 1
_HEAD = struct.Struct("<4sBBIQII")
"""Magic, version, side, turn, millisecond, length and CRC-32 of the sound."""
_CHECK = struct.Struct("<I")
"""CRC-32 of the head: the magic may also occur within sound."""
HEADER_BYTES = _HEAD.size + _CHECK.size


@dataclass(frozen=True, slots=True)
class SoundRecord:
    """PCM16 16 kHz that sounded in a turn from `at_ms` on the stream's time line."""

    side: Side
    turn: int
    at_ms: int
    pcm: bytes


def written(record: SoundRecord, largest_bytes: int) -> list[bytes]:
    """The record as it stands in the file; as several that follow each other in time where it has more than
    `largest_bytes`. Each stands for itself, so nothing that is written between them breaks them.

    Raises: ValueError if not even a millisecond fits.
    """
    part_bytes = (largest_bytes - HEADER_BYTES) // BYTES_PER_MS * BYTES_PER_MS
    if part_bytes <= 0:
        raise ValueError(f"{largest_bytes} bytes are too small for a record")
    parts = []
    for start in range(0, len(record.pcm), part_bytes):
        pcm = record.pcm[start : start + part_bytes]
        side, at_ms = _SIDES.index(record.side), record.at_ms + start // BYTES_PER_MS
        head = _HEAD.pack(_MAGIC, _VERSION, side, record.turn, at_ms, len(pcm), zlib.crc32(pcm))
        parts.append(head + _CHECK.pack(zlib.crc32(head)) + pcm)
    return parts


def read(data: bytes) -> tuple[list[SoundRecord], int]:
    """The records that are whole, in the order in which they were written, and how many bytes belong to none."""
    records: list[SoundRecord] = []
    lost_bytes = position = 0
    while position < len(data):
        record = _record_at(data, position)
        if record is not None:
            records.append(record)
            position += HEADER_BYTES + len(record.pcm)
            continue
        found = data.find(_MAGIC, position + 1)
        next_position = len(data) if found < 0 else found
        lost_bytes += next_position - position
        position = next_position
    return records, lost_bytes


def _record_at(data: bytes, position: int) -> SoundRecord | None:
    begin = position + HEADER_BYTES
    if not data.startswith(_MAGIC, position) or begin > len(data):
        return None
    (check,) = _CHECK.unpack_from(data, begin - _CHECK.size)
    if zlib.crc32(data[position : begin - _CHECK.size]) != check:
        return None
    _, version, side, turn, at_ms, length, pcm_check = _HEAD.unpack_from(data, position)
    if version != _VERSION or side >= len(_SIDES) or begin + length > len(data):
        return None
    pcm = data[begin : begin + length]
    return SoundRecord(_SIDES[side], turn, at_ms, pcm) if zlib.crc32(pcm) == pcm_check else None


def pieces(records: Iterable[SoundRecord]) -> dict[Side, list[tuple[int, bytes]]]:
    """Each side's sound by turn and time, with the millisecond at which it begins.

    A piece may have been written twice: by a step that ran again, or by a store that was asked again. The longest
    stands, since they begin alike and a step that was stopped on its way knew less of it.
    """
    longest: dict[Side, dict[tuple[int, int], bytes]] = {side: {} for side in _SIDES}
    for record in records:
        of_side, place = longest[record.side], (record.turn, record.at_ms)
        if len(record.pcm) >= len(of_side.get(place, b"")):
            of_side[place] = record.pcm
    return {side: [(place[1], kept[place]) for place in sorted(kept)] for side, kept in longest.items()}
