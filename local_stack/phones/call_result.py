"""What a call came to, measured from outside; the same for every provider."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local_stack.phones.call_files import CallFiles
from local_stack.phones.events import CallEvent
from local_stack.phones.measures import Turn


@dataclass(frozen=True)
class CallResult:
    """The account of one call that is over."""

    call_sid: str
    """The provider's id of the call, under which the app's API knows it (`provider_call_id`)."""
    status: str
    """The last state in the provider's own word, such as `completed`."""
    end_reason: str
    media_opened: bool
    """Whether the app took up the conversation: by a media socket, or where text is passed by its first words."""
    turns: Sequence[Turn]
    errors: Sequence[str]
    """The provider's complaints about the app, one line each, with their codes."""
    duration_s: int
    lag_p99_ms: float
    """How late the frames were sent; the measurement is worth something below about 10 ms."""
    most_waiting_ms: float
    """The most audio that waited in the provider's buffer."""
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
