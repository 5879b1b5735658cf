"""What the listening of a turn tells the speaking of the turn before: hold, resume, stop.

At the first moment of speech the answer is held: nothing more is sent, and the line is cleared. If it was speech,
the answer is stopped for good; if it was a cough, a "mhm" or an echo, it is resumed at the cut. The entries stand in
the control pipe: `{n}-1` the nth hold, `{n}-2` its resumption, and at `END_POSITION` the stop.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shared.domain.pipe_names import END_POSITION


@dataclass(frozen=True, slots=True)
class Hold:
    """Be silent for now; the caller began to speak at `at_ms` (Unix epoch). Holds count from 1."""

    number: int
    at_ms: float


@dataclass(frozen=True, slots=True)
class Resume:
    """It was nothing: go on at the cut."""

    number: int


@dataclass(frozen=True, slots=True)
class Stop:
    """The caller has taken the turn, or the call has ended. Of the answer `heard` was heard, where the line knows the
    words; else that is counted up to the hold, where one stands, or up to `at_ms`.
    """

    at_ms: float
    heard: str | None = None


Order = Hold | Resume | Stop


def written(order: Order) -> tuple[str, dict[str, str]]:
    """Where in the control pipe the order stands, and its fields."""
    match order:
        case Hold(number, at_ms):
            return f"{number}-1", {"event": "hold", "at_ms": repr(at_ms)}
        case Resume(number):
            return f"{number}-2", {"event": "resume"}
        case Stop(at_ms, heard):
            known = {} if heard is None else {"heard": heard}
            return END_POSITION, {"event": "stop", "at_ms": repr(at_ms), **known}


def read(position: str, fields: Mapping[bytes, bytes]) -> Order:
    """The order of an entry of the control pipe."""
    number = int(position.partition("-")[0])
    match fields[b"event"]:
        case b"hold":
            return Hold(number, float(fields[b"at_ms"]))
        case b"resume":
            return Resume(number)
        case _:
            heard = fields.get(b"heard")
            return Stop(float(fields[b"at_ms"]), None if heard is None else heard.decode())
