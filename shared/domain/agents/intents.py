"""What callers of an agent want, what must be known for it, and in which steps it is done."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from annotated_types import Len

from shared.domain.agents.values import Description, Name, Phrase, Spoken, Text, closed


class SlotKind(StrEnum):
    """How what a caller says is read."""

    TEXT = "text"
    PERSON_NAME = "person_name"
    DATE = "date"
    TIME = "time"
    PHONE_NUMBER = "phone_number"
    AMOUNT = "amount"
    NUMBER = "number"
    DIGITS = "digits"
    """As an order's number is said: digit by digit, or in groups."""
    SPELLED = "spelled"
    """Letters and digits, as a name or a code is spelled."""
    CHOICE = "choice"


@closed
@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """`choices`: what a CHOICE may be. `ask`: how it is asked for; none: the model finds words."""

    name: Name
    kind: SlotKind
    description: Annotated[str, Len(0, 1_000)] = ""
    required: bool = True
    choices: Annotated[tuple[Phrase, ...], Len(0, 50)] = ()
    ask: Annotated[str, Len(0, 1_000)] = ""
    confirm: bool = False
    """Whether the value is said to the caller, and counts only when they have said that it is right."""
    in_past: bool = False
    """Of a date: it lies behind, as that of a birth."""


@closed
@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    name: Name
    description: Description
    examples: Annotated[tuple[Spoken, ...], Len(0, 30)] = ()
    slots: Annotated[tuple[Slot, ...], Len(0, 30)] = ()


@closed
@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """Where it goes on, when the caller wants `intent` (none: whatever it is) and all of `known` slots are known.
    One of `step` and `agent`.
    """

    intent: Annotated[str, Len(0, 63)] = ""
    known: Annotated[tuple[Name, ...], Len(0, 30)] = ()
    step: Annotated[str, Len(0, 63)] = ""
    agent: Annotated[str, Len(0, 128)] = ""
    """Another agent of the tenant, who goes on with the call."""


@closed
@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """`tools`: the names of those that may be used here; none: all of the agent's."""

    name: Name
    instructions: Text
    tools: Annotated[tuple[str, ...], Len(0, 50)] = ()
    transitions: Annotated[tuple[Transition, ...], Len(0, 30)] = ()


@closed
@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """The first step is where a call begins. Without steps the persona leads the conversation freely."""

    steps: Annotated[tuple[Step, ...], Len(0, 50)] = ()
