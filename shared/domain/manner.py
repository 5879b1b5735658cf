"""How an agent behaves in a conversation: how it takes turns, and how late its answers may be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, Self

from shared.domain.errors import InvalidRequest


class Sensitivity(StrEnum):
    """How readily sound counts as speech: `low` for noisy surroundings, `high` for quiet callers."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


_RANGES: dict[str, tuple[int, int]] = {
    "filler_after_ms": (0, 30_000),
    "race_after_ms": (0, 30_000),
    "reply_limit_ms": (1_000, 60_000),
}
_MOST_PHRASES, _LONGEST_PHRASE = 50, 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """Times are in milliseconds after the end of the caller's turn; 0 switches the measure off.

    `backchannels`: words that do not interrupt; none: those of the language. `speculates`: whether answers are
    prepared at short pauses. `filler_after_ms`: when a filler is spoken if nothing else is ready; `fillers`: its
    phrases; none: those of the language. `race_after_ms`: how long a provider may take to begin before a second
    one is asked beside it. `reply_limit_ms`: when an answer that does not come is given up, with an apology; if
    nobody lives to do that, the watch does it a second later.
    """

    sensitivity: Sensitivity = Sensitivity.NORMAL
    backchannels: tuple[str, ...] = ()
    speculates: bool = True
    filler_after_ms: int = 1500
    fillers: tuple[str, ...] = ()
    race_after_ms: int = 1500
    reply_limit_ms: int = 8000

    def to_json(self) -> dict[str, Any]:
        return {field.name: _plain(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Raises: InvalidRequest that names the field; unknown fields are passed over, missing ones have defaults."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: _read(name, value) for name, value in document.items() if name in known})


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _read(name: str, value: Any) -> Any:
    if name == "sensitivity":
        if value not in list(Sensitivity):
            raise InvalidRequest("manner", f"sensitivity must be one of {', '.join(Sensitivity)}")
        return Sensitivity(value)
    if name == "speculates":
        if not isinstance(value, bool):
            raise InvalidRequest("manner", "speculates must be true or false")
        return value
    if name in _RANGES:
        low, high = _RANGES[name]
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise InvalidRequest("manner", f"{name} must be a whole number from {low} to {high}")
        return value
    if not isinstance(value, list) or len(value) > _MOST_PHRASES:
        raise InvalidRequest("manner", f"{name} must be a list of at most {_MOST_PHRASES} phrases")
    if not all(isinstance(phrase, str) and 0 < len(phrase.strip()) <= _LONGEST_PHRASE for phrase in value):
        raise InvalidRequest("manner", f"each of {name} must be a text of 1 to {_LONGEST_PHRASE} characters")
    return tuple(phrase.strip() for phrase in value)
