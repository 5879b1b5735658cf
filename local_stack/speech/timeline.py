"""Keeps the moments of each request, so that a benchmark can see what the service itself took."""

from __future__ import annotations

import time
from collections import Counter, deque
from dataclasses import asdict, dataclass, field
from typing import Any

KEPT_ENTRIES = 10_000


@dataclass(slots=True)
class Entry:
    """One request. Moments are Unix epoch milliseconds; a moment that did not come is None."""

    kind: str
    """`stt`, `llm`, `tts` or `embedding`."""
    number: int
    """Counts the provider's requests of this kind since the start or the last reset, from 1."""
    received_ms: float
    provider: str = "primary"
    """`fallback` where the service was asked as the second provider."""
    complete_ms: float | None = None
    """The request's body had arrived."""
    first_byte_ms: float | None = None
    done_ms: float | None = None
    aborted_ms: float | None = None
    """The client went away, or the answer was cut, before the end."""
    status: int | None = None
    call_key: str = ""
    tag: int | None = None
    """The sequence number that ties the requests of one turn together (scripted mode)."""
    details: dict[str, Any] = field(default_factory=dict)

    def mark_first_byte(self) -> None:
        """The first byte of the answer's content goes out now."""
        if self.first_byte_ms is None:
            self.first_byte_ms = now_ms()


def now_ms() -> float:
    """Unix epoch milliseconds."""
    return time.time() * 1000.0


class Timeline:
    """The requests in the order of their arrival; the oldest are forgotten."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=KEPT_ENTRIES)
        self._counts: Counter[tuple[str, str]] = Counter()

    def open(self, kind: str, provider: str) -> Entry:
        """Note that a request has arrived."""
        self._counts[provider, kind] += 1
        entry = Entry(kind=kind, number=self._counts[provider, kind], received_ms=now_ms(), provider=provider)
        self._entries.append(entry)
        return entry

    def clear(self) -> None:
        """Forget everything and count from 1 again."""
        self._entries.clear()
        self._counts.clear()

    def to_json(self) -> list[dict[str, Any]]:
        """The entries as JSON objects."""
        return [asdict(entry) for entry in self._entries]
