"""The sound of a telephone line as a provider records it: both sides, kept until it is asked for."""

from __future__ import annotations

import numpy as np

from local_stack.phones import g711, wav
from local_stack.phones.phone_line import LineFrame, PhoneLine


class LineSound:
    """Both sides of one line since `begin`, of the same length; µ-law at 8 kHz."""

    def __init__(self) -> None:
        self.is_paused = False
        self.keeps_pauses = False
        """Whether silence stands in the recording for the time in which it was paused."""
        self._said = bytearray()
        self._heard = bytearray()
        self._line: PhoneLine | None = None

    @property
    def is_empty(self) -> bool:
        return not self._said

    @property
    def duration_s(self) -> float:
        return len(self._said) / g711.SAMPLE_RATE_HZ

    def begin(self, line: PhoneLine) -> None:
        self._line = line
        line.listeners.append(self._take)

    def stop(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            line.listeners.remove(self._take)

    def _take(self, frame: LineFrame) -> None:
        if not self.is_paused:
            self._said += frame.said
            self._heard += frame.heard.payload
        elif self.keeps_pauses:
            self._said += g711.SILENT_FRAME
            self._heard += g711.SILENT_FRAME

    def as_wav(self, channels: int = 1, track: str = "both") -> bytes:
        """16-bit at 8 kHz: who is on the line on the left and what they hear on the right; or one of them
        (`inbound`, `outbound`), or both together.
        """
        said, heard = (g711.decode(bytes(side)) for side in (self._said, self._heard))
        if channels == 2:
            return wav.as_bytes(np.column_stack([said, heard]), g711.SAMPLE_RATE_HZ)
        if track == "inbound":
            return wav.as_bytes(said, g711.SAMPLE_RATE_HZ)
        if track == "outbound":
            return wav.as_bytes(heard, g711.SAMPLE_RATE_HZ)
        both = said.astype(np.int32) + heard
        return wav.as_bytes(np.clip(both, -32768, 32767).astype(np.int16), g711.SAMPLE_RATE_HZ)
