"""The caller's sound out of the frames of a call, each frame once."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from shared.domain.audio import BYTES_PER_MS
from shared.domain.errors import MediaError
from shared.ports.media_codec import FrameDecoder
from shared.ports.pipes import Entry

logger = logging.getLogger(__name__)

_MAX_IDENTITY_DIGITS = 18


@dataclass(slots=True)
class FrameReading:
    """`stream_ms`: how far the call has come, by its own sound; `began_ms`: where on it reading began."""

    decoder: FrameDecoder
    stream_ms: int = 0
    began_ms: int | None = None
    broken: int = 0
    _connection: bytes = b""
    _newest: int = -1

    def sound_of(self, batch: list[Entry]) -> bytes:
        """PCM16 mono 16 kHz; what holds no sound of this call is counted and left out."""
        return b"".join(self._decoded(entry) for entry in batch if b"d" in entry.fields)

    def _decoded(self, entry: Entry) -> bytes:
        if self._is_repeated(entry):
            return b""
        try:
            frame = self.decoder.decode(entry.fields[b"d"])
        except MediaError:
            self.broken += 1
            return b""
        if self.began_ms is None:
            self.began_ms = frame.at_ms
        self.stream_ms = frame.at_ms + len(frame.pcm) // BYTES_PER_MS
        return frame.pcm

    def _is_repeated(self, entry: Entry) -> bool:
        """Frames of one connection bear numbers that grow."""
        number = entry.fields.get(b"i", b"")
        if not number.isdigit() or len(number) > _MAX_IDENTITY_DIGITS:
            return False
        connection, newest = entry.fields.get(b"c", b""), int(number)
        if connection == self._connection and newest <= self._newest:
            return True
        self._connection, self._newest = connection, newest
        return False
