"""What the carrier knows of a call at any moment, as its REST API and its callbacks tell it."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from typing import Final

FINAL: Final = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})


@dataclass(frozen=True)
class AskedRequest:
    """A request to the app; `status` None where no answer came."""

    at_ms: float
    method: str
    url: str
    status: int | None


@dataclass(frozen=True)
class TypedWords:
    """What a caller says who types; `language`: of which a recogniser would say that it is."""

    text: str
    language: str = ""


@dataclass
class CallState:
    """Status and moments (epoch ms) of a call. A final status never changes again."""

    created_ms: float
    status: str = "queued"
    answered_ms: float | None = None
    ended_ms: float | None = None
    end_reason: str = ""
    answered_by: str | None = None
    """Who picked up an outbound call, once that was found out: `human`, `machine_start` …"""
    taken_up: bool = False
    """Whether the app took up the conversation."""
    has_dropped_socket: bool = False
    """Whether the connection was broken that was to break once."""
    sequence: int = 0
    """Number of the next status callback."""
    requests: list[AskedRequest] = field(default_factory=list)
    typed: deque[TypedWords] = field(default_factory=deque)
    """Not yet passed on to the app."""

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
