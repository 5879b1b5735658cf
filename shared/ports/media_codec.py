"""A carrier's frames as audio and events; sans I/O, one decoder per socket."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class DecodedFrame:
    """`pcm`: PCM16 mono 16 kHz; `at_ms`: its place on the stream's own time line, from 0. `mulaw`: the same as it
    came, where that was µ-law at 8 kHz: a quarter of its length.
    """

    pcm: bytes
    at_ms: int
    mulaw: bytes = b""


class FrameDecoder(Protocol):
    def decode(self, payload: bytes) -> DecodedFrame:
        """One raw frame of the pipe. Raises: MediaError for one that holds no audio of this format."""
        ...
