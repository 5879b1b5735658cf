"""What happens in a simulated call, as a list of plain facts that can be streamed, stored and printed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class CallEvent:
    """One fact. `at_ms` is Unix epoch milliseconds; `facts` holds JSON values only."""

    name: str
    at_ms: float
    facts: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {"event": self.name, "at_ms": round(self.at_ms, 3), **self.facts}

    def to_line(self) -> bytes:
        """One line of NDJSON."""
        return json.dumps(self.to_json(), ensure_ascii=False).encode() + b"\n"

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> CallEvent:
        facts = {key: fact for key, fact in value.items() if key not in ("event", "at_ms")}
        return cls(str(value["event"]), float(value["at_ms"]), facts)


Listener = Callable[[CallEvent], None]


class EventLog:
    """Keeps the events of one call in order and tells each to a listener as it happens."""

    def __init__(self, wall_ms: Callable[[], float], listener: Listener | None = None) -> None:
        self.events: list[CallEvent] = []
        self.wall_ms = wall_ms
        self._listener = listener

    def add(self, name: str, at_ms: float | None = None, **facts: Any) -> None:
        event = CallEvent(name, self.wall_ms() if at_ms is None else at_ms, facts)
        self.events.append(event)
        if self._listener is not None:
            self._listener(event)
