"""What every way of getting a file has in common: its error, its progress, its copying loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import IO, Protocol

BLOCK_BYTES = 1 << 20


class FetchError(Exception):
    """A file could not be had this way; the message is one line for the reader."""


class Readable(Protocol):
    """Anything that gives bytes."""

    def read(self, size: int = ..., /) -> bytes: ...


class Progress:
    """Counts the bytes of one file and tells a listener whenever another tenth is there."""

    def __init__(self, total_bytes: int, listener: Callable[[int], None]) -> None:
        self._total_bytes = max(total_bytes, 1)
        self._listener = listener
        self._done_bytes = 0
        self._told_tenths = 0

    def restart(self, done_bytes: int) -> None:
        """Begin to count again, `done_bytes` being on disk already."""
        self._done_bytes = done_bytes

    def advance(self, count: int) -> None:
        """`count` more bytes were written."""
        self._done_bytes += count
        tenths = self._done_bytes * 10 // self._total_bytes
        if tenths > self._told_tenths:
            self._told_tenths = tenths
            self._listener(min(tenths * 10, 100))


def copy_stream(source: Readable, out: IO[bytes], progress: Progress) -> None:
    """Copy until the source ends."""
    while block := source.read(BLOCK_BYTES):
        out.write(block)
        progress.advance(len(block))
