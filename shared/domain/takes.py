"""A turn's attempts at an answer. Each take answers what the caller had said by some pause; one at most is heard.

Listening writes into the transcript pipe: a take is tentative at a short pause, withdrawn if the caller goes on, and
final when the turn is over; a final take need not have been tentative. Takes count from 1. Thinking and speaking
both follow the pipe. A newer take, as well as a withdrawal, means that all which was made for the take before is
thrown away.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shared.domain.pipe_names import END_POSITION


@dataclass(frozen=True, slots=True)
class Tentative:
    """The caller pauses, having said `text`: prepare an answer, let nothing of it be heard."""

    take: int
    text: str


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The caller went on: nothing of this take must remain."""

    take: int


@dataclass(frozen=True, slots=True)
class Final:
    """The turn is over: answer `text`. If the take was tentative, its text was the same."""

    take: int
    text: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The turn is over, and nobody knows what the caller said."""

    take: int


@dataclass(frozen=True, slots=True)
class Ended:
    """The call is over; nothing is to be answered."""


TakeEvent = Tentative | Withdrawn | Final | Failed | Ended

_TENTATIVE, _WITHDRAWN, _FINAL, _FAILED = "tentative", "withdrawn", "final", "failed"
_STEPS = {_TENTATIVE: 1, _WITHDRAWN: 2, _FINAL: 3, _FAILED: 3}


def written(event: TakeEvent) -> tuple[str, dict[str, str]]:
    """Where in the transcript pipe the event stands, and its fields."""
    match event:
        case Tentative(take, text):
            return _entry(_TENTATIVE, take, text)
        case Withdrawn(take):
            return _entry(_WITHDRAWN, take)
        case Final(take, text):
            return _entry(_FINAL, take, text)
        case Failed(take):
            return _entry(_FAILED, take)
        case Ended():
            return END_POSITION, {"event": "end"}


def read(position: str, fields: Mapping[bytes, bytes]) -> TakeEvent:
    """The event of an entry of the transcript pipe."""
    take, text = int(position.partition("-")[0]), fields.get(b"text", b"").decode()
    match fields[b"event"].decode():
        case "tentative":
            return Tentative(take, text)
        case "withdrawn":
            return Withdrawn(take)
        case "final":
            return Final(take, text)
        case "failed":
            return Failed(take)
        case _:
            return Ended()


def _entry(event: str, take: int, text: str | None = None) -> tuple[str, dict[str, str]]:
    fields = {"event": event} if text is None else {"event": event, "text": text}
    return f"{take}-{_STEPS[event]}", fields


def sentence_position(take: int, number: int) -> str:
    """Where the sentence with this number (from 1) of a take stands in the sentences pipe."""
    return f"{take}-{number}"


def answer_end_position(take: int) -> str:
    """Where the sentences pipe says that a take's answer is whole."""
    return f"{take}-1000000"


def place(position: str) -> tuple[int, int]:
    """Take and number of an entry of the sentences pipe."""
    take, _, number = position.partition("-")
    return int(take), int(number or 0)
