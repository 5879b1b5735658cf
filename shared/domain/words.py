"""What comes in on a line that carries text: the entries of a call's words pipe.

A line that has a socket writes as things come. One that asks us by requests writes the words of turn n at the
position of turn n, so that a request that is repeated changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_FIRST_TIME_MS = 1_000_000_000
"""Positions before it are numbers of turns, those after it times."""


@dataclass(frozen=True, slots=True)
class Started:
    """The line is there: from now on the caller can hear us. All `at_ms` are Unix epoch."""

    at_ms: float


@dataclass(frozen=True, slots=True)
class Said:
    """The caller has finished, and said this."""

    at_ms: float
    text: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class KeyPressed:
    at_ms: float
    key: str


@dataclass(frozen=True, slots=True)
class BrokeIn:
    """The caller spoke into our answer, of which `heard` was said until then."""

    at_ms: float
    heard: str


@dataclass(frozen=True, slots=True)
class Stirred:
    """The caller is there and speaks; the words will follow."""

    at_ms: float


@dataclass(frozen=True, slots=True)
class LineEnded:
    at_ms: float
    reason: str


WordsEvent = Started | Said | KeyPressed | BrokeIn | Stirred | LineEnded


def written(event: WordsEvent, *, key: str = "") -> dict[str, str]:
    """The fields of the event's entry. `key` tells a repetition: of two in a row with the same key, one counts."""
    fields = {"at_ms": repr(event.at_ms), **({"key": key} if key else {})}
    match event:
        case Started():
            return {"event": "started", **fields}
        case Said(_, text, language):
            return {"event": "said", "text": text, "language": language, **fields}
        case KeyPressed(_, digit):
            return {"event": "pressed", "digit": digit, **fields}
        case BrokeIn(_, heard):
            return {"event": "broke_in", "heard": heard, **fields}
        case Stirred():
            return {"event": "stirred", **fields}
        case LineEnded(_, reason):
            return {"event": "end", "reason": reason, **fields}


def read(fields: Mapping[bytes, bytes], *, at_ms: float) -> WordsEvent:
    """The event of an entry; `at_ms` counts where the entry does not say when it was."""
    at_ms = float(fields.get(b"at_ms", at_ms))

    def text(name: bytes) -> str:
        return fields.get(name, b"").decode()

    match fields[b"event"]:
        case b"said":
            return Said(at_ms, text(b"text"), text(b"language"))
        case b"pressed":
            return KeyPressed(at_ms, text(b"digit"))
        case b"broke_in":
            return BrokeIn(at_ms, text(b"heard"))
        case b"end":
            return LineEnded(at_ms, text(b"reason"))
        case b"started":
            return Started(at_ms)
        case _:
            return Stirred(at_ms)


def key_of(fields: Mapping[bytes, bytes]) -> str:
    return fields.get(b"key", b"").decode()


def position_of(turn: int) -> str:
    """Where the words of a turn stand, on a line that asks by requests; at 0 it says that it is there."""
    return f"{turn}-1"


def turn_at(position: str) -> int | None:
    """The turn whose words stand here, or None if the position is a time."""
    number = int(position.partition("-")[0])
    return number if number < _FIRST_TIME_MS else None
