"""What is wrong with a document, by field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.domain.errors import InvalidRequest

_MOST_TOLD = 10


@dataclass(frozen=True, slots=True)
class Fault:
    """`field`: as `tools.http[0].url`."""

    field: str
    message: str


class InvalidDocument(InvalidRequest):
    """A document that cannot be an agent's; `faults` name every field that is wrong."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        told = "; ".join(f"{fault.field}: {fault.message}" for fault in self.faults[:_MOST_TOLD])
        more = f"; and {len(self.faults) - _MOST_TOLD} more" if len(self.faults) > _MOST_TOLD else ""
        super().__init__("agent_document", told + more)
