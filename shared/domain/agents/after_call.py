"""What is made of a call when it is over, and how long it is kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from annotated_types import Interval, Len

from shared.domain.agents.values import JsonSchema, Phrase, closed

Days = Annotated[int, Interval(ge=0, le=3_650)]


@closed
@dataclass(frozen=True, slots=True, kw_only=True)
class AfterCall:
    """`extract`: the schema of what is read out of the conversation; none: nothing. `rubric`: what a good call of
    this agent has, each to be judged. `outcomes`: what a call may have come to; none: the model finds words.
    """

    analyses: bool = False
    outcomes: Annotated[tuple[Phrase, ...], Len(0, 30)] = ()
    extract: JsonSchema = field(default_factory=dict)
    rubric: Annotated[tuple[Phrase, ...], Len(0, 20)] = ()
    redacts: bool = True
    """Whether personal data is taken out of what is shown, exported and sent on."""


@closed
@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """Days; 0: it is deleted as soon as nothing needs it any more. `raw`: what was really said, encrypted."""

    recordings: Days = 90
    transcripts: Days = 365
    raw: Days = 30
