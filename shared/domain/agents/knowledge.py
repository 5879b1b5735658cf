"""What an agent may look up, and from when on it says that it does not know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Interval, Len

from shared.domain.agents.values import Name, closed


@closed
@dataclass(frozen=True, slots=True, kw_only=True)
class KnowledgeUse:
    """`collections`: of the tenant's documents; none: nothing is looked up. `passages`: how many an answer may rest
    on. `threshold`: of likeness, from 0 to 1; what is less like the question is no answer to it. `only_known`: where
    nothing is found, the agent says that it does not know.
    """

    collections: Annotated[tuple[Name, ...], Len(0, 20)] = ()
    passages: Annotated[int, Interval(ge=1, le=10)] = 3
    threshold: Annotated[float, Interval(ge=0, le=1)] = 0.35
    only_known: bool = False
