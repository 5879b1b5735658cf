"""The carrier's buffer of the agent's voice: what of it is heard when, and which marks have been reached."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from local_stack.phones import g711


@dataclass(frozen=True)
class PlayedFrame:
    """20 ms of the agent's side of the line. `dry_bytes` of it are silence because the buffer was empty."""

    payload: bytes
    audible: bool
    dry_bytes: int


class PlaybackBuffer:
    """Audio is played in the order it came, 160 bytes a tick; a mark is reached when all before it is played.

    After `clear` the marks that were not reached are handed back at once, as the carrier echoes them.
    Source: https://www.twilio.com/docs/voice/media-streams/websocket-messages
    """

    def __init__(self) -> None:
        self._audio = bytearray()
        self._marks: deque[tuple[int, str]] = deque()
        self._received = 0
        self._played = 0
        self._audible_until = 0

    @property
    def received(self) -> int:
        """Bytes that were ever added; a place in the stream, to be compared with `played`."""
        return self._received

    @property
    def played(self) -> int:
        """Bytes that were ever heard; after `clear` all that were added."""
        return self._played

    @property
    def waiting_ms(self) -> float:
        """How much audio is still to be played."""
        return len(self._audio) * 1000 / g711.SAMPLE_RATE_HZ

    @property
    def audible_waiting(self) -> bool:
        """Whether anything that is still to be played can be heard."""
        return self._audible_until > self._played

    def add(self, payload: bytes) -> bool:
        """Appends µ-law of any length; says whether any of it can be heard."""
        audible = False
        for start in range(0, len(payload), g711.FRAME_BYTES):
            piece = payload[start : start + g711.FRAME_BYTES]
            if g711.is_audible(piece):
                audible = True
                self._audible_until = self._received + start + len(piece)
        self._audio += payload
        self._received += len(payload)
        return audible

    def mark(self, name: str) -> None:
        """Sets a mark behind all that was received so far."""
        self._marks.append((self._received, name))

    def reached_marks(self) -> list[str]:
        """Takes away and returns the marks before which nothing is left to play."""
        reached = []
        while self._marks and self._marks[0][0] <= self._played:
            reached.append(self._marks.popleft()[1])
        return reached

    def clear(self) -> list[str]:
        """Drops what is not yet played; returns the marks that were waiting, in order."""
        self._played = self._received
        self._audible_until = self._received
        self._audio.clear()
        return self.reached_marks()

    def play(self) -> PlayedFrame:
        """The next 20 ms, filled up with silence where nothing is waiting."""
        piece = bytes(self._audio[: g711.FRAME_BYTES])
        del self._audio[: len(piece)]
        self._played += len(piece)
        dry = g711.FRAME_BYTES - len(piece)
        return PlayedFrame(piece + g711.SILENCE_BYTE * dry, g711.is_audible(piece), dry)
