"""What came of a call, from all sides: the app's record, the line, the sample services, what the model was asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class TurnSeen:
    """One turn as the app tells it. `wait_ms`: for the first sound; None where nobody waited."""

    number: int
    heard: str
    said: str
    outcome: str
    wait_ms: float | None
    parts_ms: Mapping[str, float]


@dataclass(frozen=True)
class Observed:
    """`journal`: what the sample services were asked; `requests`: what the speech service was."""

    record: Mapping[str, Any]
    events: Sequence[Mapping[str, Any]] = ()
    journal: Sequence[Mapping[str, Any]] = ()
    requests: Sequence[Mapping[str, Any]] = ()
    folder: Path | None = None
    duration_s: float = 0.0
    turns: Sequence[TurnSeen] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "turns", tuple(map(_turn, self.record.get("turns") or ())))

    @property
    def said(self) -> str:
        return " ".join(turn.said for turn in self.turns if turn.said)

    @property
    def waits_ms(self) -> list[float]:
        return [turn.wait_ms for turn in self.turns if turn.wait_ms is not None]

    @property
    def instructions(self) -> str:
        """The rules that the model was given, all of them once."""
        told = dict.fromkeys(
            message["content"]
            for request in self.requests
            if request["kind"] == "llm"
            for message in request["details"].get("last_messages", [])
            if message["role"] in ("system", "developer")
        )
        told |= dict.fromkeys(
            request["details"]["instructions"] for request in self.requests if "instructions" in request["details"]
        )
        return "\n\n".join(told)

    @property
    def conversation(self) -> str:
        """As lines that a person, or a model, can read."""
        lines: list[str] = []
        for turn in self.turns:
            lines += [f"Caller: {turn.heard}"] if turn.heard else []
            lines += [f"Agent: {turn.said}"] if turn.said else []
        return "\n".join(lines)


def _turn(turn: Mapping[str, Any]) -> TurnSeen:
    latency = turn.get("latency") or {}
    return TurnSeen(
        number=int(turn["number"]),
        heard=(turn.get("heard") or "").strip(),
        said=(turn.get("said") or "").strip(),
        outcome=str(turn.get("outcome") or ""),
        wait_ms=latency.get("total_ms"),
        parts_ms=latency.get("parts_ms") or {},
    )
