"""Recordings of calls that the carrier makes and keeps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from local_stack.phones import g711, wav
from local_stack.phones.phone_line import LineFrame, PhoneLine
from local_stack.phones.twilio.account import new_sid

LIVE: Final = frozenset({"in-progress", "paused"})


@dataclass
class Recording:
    """One recording; `said` and `heard` are µ-law of both sides of the line, of the same length."""

    call_sid: str
    account_sid: str
    started_ms: float
    channels: int = 1
    source: str = "StartCallRecordingAPI"
    track: str = "both"
    sid: str = field(default_factory=lambda: new_sid("RE"))
    status: str = "in-progress"
    ended_ms: float | None = None
    on_change: Callable[[Recording], None] = lambda _recording: None
    """Told when it begins, and when it is complete or absent."""
    _said: bytearray = field(default_factory=bytearray)
    _heard: bytearray = field(default_factory=bytearray)
    _line: PhoneLine | None = None
    _keeps_pauses: bool = False

    @property
    def is_live(self) -> bool:
        return self.status in LIVE

    @property
    def duration_s(self) -> int:
        return round(len(self._said) / g711.SAMPLE_RATE_HZ)

    def begin(self, line: PhoneLine) -> None:
        self._line = line
        line.listeners.append(self._take)
        self.on_change(self)

    def _take(self, frame: LineFrame) -> None:
        if self.status == "in-progress":
            self._said += frame.said
            self._heard += frame.heard.payload
        elif self._keeps_pauses:
            self._said += g711.SILENT_FRAME
            self._heard += g711.SILENT_FRAME

    def pause(self, *, keeps_silence: bool) -> None:
        self.status, self._keeps_pauses = "paused", keeps_silence

    def resume(self) -> None:
        self.status = "in-progress"

    def stop(self, now_ms: float) -> None:
        """`completed`, or `absent` where nothing was recorded."""
        if not self.is_live:
            return
        if self._line is not None:
            self._line.listeners.remove(self._take)
        self._line = None
        self.status, self.ended_ms = ("completed" if self._said else "absent"), now_ms
        self.on_change(self)

    def as_wav(self) -> bytes:
        """16-bit at 8 kHz: the caller on the left and the agent on the right, or both together."""
        said, heard = (g711.decode(bytes(side)) for side in (self._said, self._heard))
        if self.channels == 2:
            return wav.as_bytes(np.column_stack([said, heard]), g711.SAMPLE_RATE_HZ)
        if self.track == "inbound":
            return wav.as_bytes(said, g711.SAMPLE_RATE_HZ)
        if self.track == "outbound":
            return wav.as_bytes(heard, g711.SAMPLE_RATE_HZ)
        both = said.astype(np.int32) + heard
        return wav.as_bytes(np.clip(both, -32768, 32767).astype(np.int16), g711.SAMPLE_RATE_HZ)


class Recordings:
    """All of them, by SID."""

    def __init__(self) -> None:
        self.by_sid: dict[str, Recording] = {}

    def add(self, recording: Recording) -> None:
        self.by_sid[recording.sid] = recording

    def of_call(self, call_sid: str) -> list[Recording]:
        """The newest first."""
        return [one for one in reversed(self.by_sid.values()) if one.call_sid == call_sid]

    def stop_all(self, call_sid: str, now_ms: float) -> None:
        for recording in self.of_call(call_sid):
            recording.stop(now_ms)
