"""How far a call has come, in Sarvam's own words."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class CallState:
    """`status` is `in_progress` until it is one of connected, no_answer, busy, failed. Moments are Unix epoch ms."""

    created_ms: float
    status: str = "in_progress"
    answered_ms: float | None = None
    ended_ms: float | None = None
    end_reason: str = ""
    failure_reason: str = ""

    @property
    def is_over(self) -> bool:
        return self.ended_ms is not None

    @property
    def duration_s(self) -> float:
        if self.answered_ms is None or self.ended_ms is None:
            return 0.0
        return round(max(0.0, self.ended_ms - self.answered_ms) / 1000, 2)

    def end(self, at_ms: float, status: str, reason: str, failure_reason: str = "") -> None:
        """The first end stands."""
        if self.ended_ms is None:
            self.ended_ms, self.status, self.end_reason = at_ms, status, reason
            self.failure_reason = failure_reason
