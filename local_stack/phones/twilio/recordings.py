"""Recordings of calls that the carrier makes and keeps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from local_stack.phones.line_sound import LineSound
from local_stack.phones.phone_line import PhoneLine
from local_stack.phones.twilio.account import new_sid

LIVE: Final = frozenset({"in-progress", "paused"})


@dataclass
class Recording:
    """One recording."""

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
    _sound: LineSound = field(default_factory=LineSound)

    @property
    def is_live(self) -> bool:
        return self.status in LIVE

    @property
    def duration_s(self) -> int:
        return round(self._sound.duration_s)

    def begin(self, line: PhoneLine) -> None:
        self._sound.begin(line)
        self.on_change(self)

    def pause(self, *, keeps_silence: bool) -> None:
        self.status = "paused"
        self._sound.is_paused, self._sound.keeps_pauses = True, keeps_silence

    def resume(self) -> None:
        self.status, self._sound.is_paused = "in-progress", False

    def stop(self, now_ms: float) -> None:
        """`completed`, or `absent` where nothing was recorded."""
        if not self.is_live:
            return
        self._sound.stop()
        self.status, self.ended_ms = ("absent" if self._sound.is_empty else "completed"), now_ms
        self.on_change(self)

    def as_wav(self) -> bytes:
        """16-bit at 8 kHz: the caller on the left and the agent on the right, or both together."""
        return self._sound.as_wav(self.channels, self.track)


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
