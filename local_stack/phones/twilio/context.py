"""What all parts of one simulated call share."""

from __future__ import annotations

from dataclasses import dataclass

from local_stack.phones.events import EventLog
from local_stack.phones.frame_clock import Clock
from local_stack.phones.twilio.call_state import CallState
from local_stack.phones.twilio.options import CallOptions


@dataclass(frozen=True)
class CallContext:
    sid: str
    options: CallOptions
    state: CallState
    clock: Clock
    log: EventLog

    def now_ms(self) -> float:
        """Unix epoch milliseconds."""
        return self.clock.wall_ms()
