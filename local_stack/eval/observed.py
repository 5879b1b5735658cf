"""What came of a call, from all sides: the app's records, the line, the systems, what the model was asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

_RULES: Final = ("system", "developer")
_MATERIAL: Final = ("user", "assistant", "tool")


@dataclass(frozen=True)
class TurnSeen:
    """One turn as the app tells it. `wait_ms`: for the first sound; None where nobody waited. `cites`: documents on
    which the answer rests.
    """

    number: int
    heard: str
    said: str
    outcome: str
    wait_ms: float | None
    parts_ms: Mapping[str, float]
    cites: Sequence[str] = ()


@dataclass(frozen=True)
class Observed:
    """`record`: of the call, with the words as they really were; `shown`: the same as operators see it, where that is
    not the same. `analysis`: what the app made of the call. `understood`: what it last told of the conversation's
    state. `journal`: what was done for the caller, by `name` and `arguments`; `requests`: what the speech service
    was asked.
    """

    record: Mapping[str, Any]
    shown: Mapping[str, Any] | None = None
    analysis: Mapping[str, Any] | None = None
    understood: Mapping[str, Any] | None = None
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
    def shown_words(self) -> str:
        """Of both sides."""
        turns = (self.shown or self.record).get("turns") or ()
        return "\n".join(str(turn.get(side) or "") for turn in turns for side in ("heard", "said"))

    @property
    def waits_ms(self) -> list[float]:
        return [turn.wait_ms for turn in self.turns if turn.wait_ms is not None]

    @property
    def instructions(self) -> str:
        """The rules that the model was given, all of them once."""
        told = dict.fromkeys(self._given(_RULES))
        told |= dict.fromkeys(
            request["details"]["instructions"] for request in self.requests if "instructions" in request["details"]
        )
        return "\n\n".join(told)

    @property
    def told(self) -> str:
        """All that the model was given besides, once."""
        return "\n\n".join(dict.fromkeys(self._given(_MATERIAL)))

    def _given(self, roles: tuple[str, ...]) -> list[str]:
        return [
            message["content"]
            for request in self.requests
            if request["kind"] == "llm"
            for message in request["details"].get("last_messages", [])
            if message["role"] in roles
        ]

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
        cites=tuple(dict.fromkeys(each["document_id"] for each in turn.get("citations") or ())),
    )
