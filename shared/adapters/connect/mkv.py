"""Reads what a Kinesis video stream gives: Matroska fragments one after the other, in pieces of any size.

Only what Amazon Connect writes is understood: names of tracks, tags, and blocks of sound; all else is passed over. It
holds no more than one small element, raises nothing, and finds its way again after what is no Matroska.
Source: https://www.rfc-editor.org/rfc/rfc8794 (EBML), https://www.rfc-editor.org/rfc/rfc9559 (Matroska)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

LARGEST_ELEMENT_BYTES = 256 * 1024
"""Of those that are read whole; Connect's blocks of sound have one kilobyte."""
_LONGEST_PASSED_BYTES = 16 * 1024 * 1024
"""An element that claims to be longer is none."""
_EBML = b"\x1a\x45\xdf\xa3"
_SEGMENT, _CLUSTER = 0x18538067, 0x1F43B675
_ENTERED = frozenset({_SEGMENT, _CLUSTER, 0x1654AE6B, 0x1254C367, 0x7373, 0xA0})
"""Segment, Cluster, Tracks, Tags, Tag, BlockGroup: their children follow as if they stood by themselves."""
_TRACK, _TAG, _TIMECODE, _SIMPLE_BLOCK, _BLOCK = 0xAE, 0x67C8, 0xE7, 0xA3, 0xA1
_READ = frozenset({_TRACK, _TAG, _TIMECODE, _SIMPLE_BLOCK, _BLOCK})
_LACING = 0x06
_UNKNOWN = -1


@dataclass(frozen=True, slots=True)
class FragmentBegan:
    """Tags and tracks of the fragment before hold no more."""


@dataclass(frozen=True, slots=True)
class TrackNamed:
    number: int
    name: str


@dataclass(frozen=True, slots=True)
class Tagged:
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Sounded:
    """`at_ms`: by the clock of whoever wrote it, Unix epoch; `payload` as it stands in the block."""

    track: int
    at_ms: int
    payload: bytes


MkvEvent = FragmentBegan | TrackNamed | Tagged | Sounded


class MkvReader:
    """Feed it bytes as they come."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._to_pass = 0
        self._cluster_ms = 0

    def feed(self, data: bytes) -> list[MkvEvent]:
        """What is whole with these bytes."""
        self._held += data
        return list(self._events())

    @property
    def held_bytes(self) -> int:
        return len(self._held)

    def _events(self) -> Iterator[MkvEvent]:
        while self._pass_over():
            head = _head(self._held)
            if head is None:
                return
            identifier, size, start = head
            if not _is_element(identifier, size):
                self._find_fragment()
                continue
            if identifier in _ENTERED:
                del self._held[:start]
            elif identifier in _READ and size <= LARGEST_ELEMENT_BYTES:
                if len(self._held) < start + size:
                    return
                content = bytes(self._held[start : start + size])
                del self._held[: start + size]
                yield from self._read(identifier, content)
            else:
                is_fragment = self._held.startswith(_EBML)
                del self._held[:start]
                self._to_pass = size
                if is_fragment:
                    self._cluster_ms = 0
                    yield FragmentBegan()

    def _pass_over(self) -> bool:
        """Whether there is anything to look at."""
        passed = min(self._to_pass, len(self._held))
        del self._held[:passed]
        self._to_pass -= passed
        return bool(self._held)

    def _find_fragment(self) -> None:
        """To where the next fragment may begin; what could be the beginning of one is kept."""
        at = self._held.find(_EBML, 1)
        del self._held[: at if at > 0 else max(1, len(self._held) - len(_EBML) + 1)]

    def _read(self, identifier: int, content: bytes) -> Iterator[MkvEvent]:
        if identifier == _TIMECODE:
            self._cluster_ms = int.from_bytes(content[:8], "big")
        elif identifier == _TRACK:
            inside = dict(_children(content))
            number, name = inside.get(0xD7, b""), inside.get(0x536E, b"")
            if number and len(number) <= 8:
                yield TrackNamed(int.from_bytes(number, "big"), _text(name))
        elif identifier == _TAG:
            inside = dict(_children(content))
            if 0x45A3 in inside:
                yield Tagged(_text(inside[0x45A3]), _text(inside.get(0x4487, b"")))
        else:
            yield from self._block(content)

    def _block(self, content: bytes) -> Iterator[Sounded]:
        found = _number(content, 0)
        if found is None or len(content) < found[1] + 3:
            return
        track, at = found
        offset_ms, flags = int.from_bytes(content[at : at + 2], "big", signed=True), content[at + 2]
        if track != _UNKNOWN and not flags & _LACING:
            yield Sounded(track, self._cluster_ms + offset_ms, content[at + 3 :])


def _is_element(identifier: int, size: int) -> bool:
    if size == _UNKNOWN:
        return identifier in (_SEGMENT, _CLUSTER)
    return identifier in _ENTERED or size <= _LONGEST_PASSED_BYTES


def _head(data: bytes | bytearray) -> tuple[int, int, int] | None:
    """An element's identifier (0 for none), its size, and where its content begins; None if more is needed."""
    width = _width(data[0])
    if width > 4:
        return 0, _UNKNOWN, 1
    if len(data) < width + 1:
        return None
    size_width = _width(data[width])
    if size_width > 8:
        return 0, _UNKNOWN, 1
    found = _number(data, width)
    if found is None:
        return None
    return int.from_bytes(data[:width], "big"), found[0], found[1]


def _width(first: int) -> int:
    """Of a number of variable length, by its first byte; 9 where that cannot be one."""
    return 9 - first.bit_length()


def _number(data: bytes | bytearray, at: int) -> tuple[int, int] | None:
    """The number at a place (-1 where all its bits are set) and where it ends; None if it is not whole."""
    if at >= len(data):
        return None
    width = _width(data[at])
    if width > 8 or len(data) < at + width:
        return None
    most = (1 << (7 * width)) - 1
    value = int.from_bytes(data[at : at + width], "big") & most
    return (_UNKNOWN if value == most else value), at + width


def _children(content: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(content):
        head = _head(content[at : at + 12])
        if head is None or head[0] == 0 or head[1] == _UNKNOWN:
            return
        identifier, size, start = head
        yield identifier, content[at + start : at + start + size]
        at += start + size


def _text(content: bytes) -> str:
    return content.rstrip(b"\0").decode("utf-8", "replace")
