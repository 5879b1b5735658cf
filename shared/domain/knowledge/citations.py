"""The passages on which an answer rests, as they are kept with its turn: where they stand, not what they say."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

CITATIONS = "citations"
"""The entry of a turn's journal."""


@dataclass(frozen=True, slots=True)
class Citation:
    """`place`: as "page 3" or "Opening hours"; `score`: how like it is to what was asked, from 0 to 1. What a passage
    says is not kept: once its document is deleted, nothing of it must be left.
    """

    collection: str
    document_id: str
    passage_id: str
    title: str
    place: str
    score: float

    def __str__(self) -> str:
        return f"{self.title}, {self.place}" if self.place else self.title

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Citation:
        return cls(**{name: document[name] for name in cls.__slots__})


def citations_text(citations: Iterable[Citation]) -> str:
    """As a journal keeps them."""
    return json.dumps([citation.to_json() for citation in citations], ensure_ascii=False)


def read_citations(journal: Mapping[str, str]) -> tuple[Citation, ...]:
    """Those among a journal's entries, the likest passage first."""
    return tuple(Citation.from_json(each) for each in json.loads(journal.get(CITATIONS, "[]")))
