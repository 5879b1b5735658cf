"""What Vonage knows of a call at any moment, as its REST API and its events tell it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

from local_stack.phones.vonage.account import digits_of, new_conversation, new_leg
from local_stack.phones.vonage.notices import moment
from local_stack.phones.vonage.options import CallOptions

FINAL: Final = frozenset({"completed", "busy", "cancelled", "failed", "rejected", "unanswered", "timeout"})
_PRICE: Final = "0.00500000"


class LegState:
    """Of the caller's leg; a final status never changes again."""

    def __init__(self, options: CallOptions, now_ms: float) -> None:
        self.leg = new_leg()
        self.conversation = new_conversation()
        self.status = "started"
        self.end_reason = ""
        self.answered_ms: float | None = None
        self.ended_ms: float | None = None
        self._options = options
        self._created_ms = now_ms

    @property
    def over(self) -> bool:
        return self.ended_ms is not None

    @property
    def duration_s(self) -> int:
        """Seconds begun between answer and end."""
        if self.ended_ms is None or self.answered_ms is None:
            return 0
        return max(1, math.ceil((self.ended_ms - self.answered_ms) / 1000))

    def answer(self, now_ms: float) -> None:
        if self.answered_ms is None and not self.over:
            self.status, self.answered_ms = "answered", now_ms

    def end(self, now_ms: float, status: str, reason: str) -> None:
        if not self.over:
            self.status, self.ended_ms, self.end_reason = status, now_ms, reason

    def parties(self) -> dict[str, str]:
        options = self._options
        return {
            "from": digits_of(options.from_number),
            "to": digits_of(options.to_number),
            "uuid": self.leg,
            "conversation_uuid": self.conversation,
        }

    def event(self, status: str, now_ms: float, **more: Any) -> dict[str, Any]:
        """An event of this leg."""
        facts: dict[str, Any] = {"status": status, "direction": self._options.direction.value, **self.parties()}
        if status == "completed":
            facts |= {"duration": str(self.duration_s), "rate": "0.00450000", "price": _PRICE, "network": "GB-FIXED"}
            facts |= {"start_time": _moment(self.answered_ms), "end_time": _moment(self.ended_ms)}
        return {**facts, **more, "timestamp": moment(now_ms)}

    def resource(self) -> dict[str, Any]:
        """As the REST API shows it."""
        options = self._options
        return {
            "uuid": self.leg,
            "status": self.status,
            "direction": options.direction.value,
            "conversation_uuid": self.conversation,
            "from": {"type": "phone", "number": digits_of(options.from_number)},
            "to": {"type": "phone", "number": digits_of(options.to_number)},
            "start_time": _moment(self._created_ms),
            "end_time": _moment(self.ended_ms),
            "duration": str(self.duration_s) if self.over else None,
            "rate": "0.00450000",
            "price": _PRICE if self.over else None,
            "network": "GB-FIXED",
            "_links": {"self": {"href": f"/calls/{self.leg}"}},
        }


@dataclass(frozen=True)
class Command:
    """What is wanted of a call from outside: its end, or another NCCO, or the address of one."""

    ends: bool = False
    ncco: list[Any] | None = None
    url: str | None = None


class CallEnded(Exception):
    """Unwinds the call; not an error."""

    def __init__(self, status: str, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


def _moment(at_ms: float | None) -> str | None:
    return None if at_ms is None else moment(at_ms)
