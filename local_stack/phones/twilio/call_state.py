"""What the carrier knows of a call at any moment, as its REST API and its callbacks tell it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from local_stack.phones.call_files import CallFiles
from local_stack.phones.events import CallEvent
from local_stack.phones.measures import Turn

FINAL: Final = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})


@dataclass
class CallState:
    """Status and moments (epoch ms) of a call. A final status never changes again."""

    created_ms: float
    status: str = "queued"
    answered_ms: float | None = None
    ended_ms: float | None = None
    end_reason: str = ""
    sequence: int = 0
    """Number of the next status callback."""

    @property
    def over(self) -> bool:
        return self.status in FINAL

    @property
    def duration_s(self) -> int | None:
        """Seconds begun between answer and end; 0 for a call that was never answered; None while it lasts."""
        if self.ended_ms is None:
            return None
        if self.answered_ms is None:
            return 0
        return max(1, math.ceil((self.ended_ms - self.answered_ms) / 1000))

    def answer(self, now_ms: float) -> None:
        if self.answered_ms is None and not self.over:
            self.status, self.answered_ms = "in-progress", now_ms

    def end(self, now_ms: float, status: str, reason: str) -> None:
        if not self.over:
            self.status, self.ended_ms, self.end_reason = status, now_ms, reason


@dataclass(frozen=True)
class CallResult:
    """What a call came to, measured from outside."""

    call_sid: str
    status: str
    end_reason: str
    media_opened: bool
    turns: Sequence[Turn]
    errors: Sequence[str]
    """The carrier's complaints about the app, one line each, with their codes."""
    duration_s: int
    lag_p99_ms: float
    """How late the frames were sent; the measurement is worth something below about 10 ms."""
    most_waiting_ms: float
    """The most audio that waited in the carrier's buffer."""
    folder: Path | None
    events: Sequence[CallEvent] = field(repr=False, default=())

    @property
    def greeting(self) -> Turn:
        return self.turns[0]

    def to_json(self) -> dict[str, Any]:
        files = None if self.folder is None else CallFiles(self.folder.resolve())
        return {
            "call_sid": self.call_sid,
            "status": self.status,
            "end_reason": self.end_reason,
            "media_opened": self.media_opened,
            "turns": [turn.to_json() for turn in self.turns],
            "errors": list(self.errors),
            "duration_s": self.duration_s,
            "lag_p99_ms": round(self.lag_p99_ms, 2),
            "most_waiting_ms": round(self.most_waiting_ms, 1),
            "files": None if files is None else {
                "caller_wav": str(files.caller_wav), "agent_wav": str(files.agent_wav),
                "events": str(files.events), "transcript": str(files.transcript),
            },
        }  # fmt: skip
