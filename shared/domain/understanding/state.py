"""The state of a conversation: plain data that is written once a turn and goes along to another agent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, TypeVar

LONGEST_VALUE = 200
_TURNS_KEPT = 50
MOST_ASIDE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A slot's value as code has read it. `said`: the words it was read from; `turn`: when; `recalled`: from an
    earlier call, which counts for nothing until the caller goes on with it.
    """

    value: str
    said: str
    turn: int
    confirmed: bool = False
    recalled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """Why a slot must be asked for again; `why`: as `shared.domain.slots.reading.Why`, or `REFUSED`."""

    why: str
    said: str
    turn: int
    candidates: tuple[str, ...] = ()


REFUSED = "refused"
"""The caller has said that it was understood wrongly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """`intent`: "" until one is known; `aside`: those that wait while another is dealt with, the latest last.
    `step`: of the flow; "" where there is none. The turns in which each was reached stand beside them.
    `declined`: slots that the caller does not want to fill. `unclear`: for how many turns in a row the caller has
    wanted what this agent does not do. `turns`: those that are understood already. `goes_to`: the agent who goes on
    from here, with the version that the call is pinned to.
    """

    agent_id: str
    intent: str = ""
    intent_turn: int = 0
    aside: tuple[str, ...] = ()
    step: str = ""
    step_turn: int = 0
    slots: Mapping[str, Held] = field(default_factory=dict)
    doubts: Mapping[str, Doubt] = field(default_factory=dict)
    declined: tuple[str, ...] = ()
    unclear: int = 0
    turns: tuple[int, ...] = ()
    goes_to: str = ""
    goes_to_version: int = 0

    def has_understood(self, turn: int) -> bool:
        """Also of turns so long ago that nobody knows any more."""
        return turn in self.turns or (len(self.turns) >= _TURNS_KEPT and turn < min(self.turns))

    def after(self, turn: int) -> State:
        """The same, with this turn understood."""
        return replace(self, turns=tuple(sorted({*self.turns, turn})[-_TURNS_KEPT:]))

    @property
    def latest_turn(self) -> int:
        return max(self.turns, default=0)

    @property
    def is_recalled(self) -> bool:
        return any(held.recalled for held in self.slots.values())

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


_Part = TypeVar("_Part", Held, Doubt)


def state_of(document: Any) -> State:
    """What `to_json` gave, also by another release. Raises: ValueError for anything else."""
    try:
        known = {each.name: document[each.name] for each in fields(State) if each.name in document}
        for name in ("aside", "declined", "turns"):
            known[name] = tuple(known.get(name, ()))
        known["slots"] = {name: _part(Held, each) for name, each in known.get("slots", {}).items()}
        known["doubts"] = {name: _part(Doubt, each) for name, each in known.get("doubts", {}).items()}
        return State(**known)
    except (TypeError, AttributeError, KeyError) as error:
        raise ValueError("this is not the state of a conversation") from error


def _part(kind: type[_Part], document: Mapping[str, Any]) -> _Part:
    known: dict[str, Any] = {each.name: document[each.name] for each in fields(kind) if each.name in document}
    if "candidates" in known:
        known["candidates"] = tuple(known["candidates"])
    return kind(**known)
