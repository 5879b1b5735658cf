"""What companies let their agents know: passages of documents, found by likeness and by words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Passage:
    """Some sentences of a document. `passage_id` is unique within the tenant; `place`: where it stands, as
    "page 3" or "Opening hours"; `score`: likeness to what was asked, from 0 to 1.
    """

    passage_id: str
    collection: str
    document_id: str
    title: str
    place: str
    text: str
    score: float = 0.0


class Knowledge(Protocol):
    """An index. Every method keeps to one tenant. Raises: KnowledgeError, retryable where no answer came in time."""

    async def put(self, tenant_id: str, passages: Sequence[Passage], vectors: Sequence[Sequence[float]]) -> None:
        """Add or replace passages, by their ids."""
        ...

    async def held(self, tenant_id: str, collection: str, document_id: str) -> set[str]:
        """Ids of the document's passages that are in it."""
        ...

    async def remove(self, tenant_id: str, collection: str, document_id: str, *, keep: Sequence[str] = ()) -> None:
        """Take out a document's passages but those with the ids in `keep`; after that nobody finds them."""
        ...

    async def search(
        self, tenant_id: str, collections: Sequence[str], text: str, vector: Sequence[float], *, most: int
    ) -> Sequence[Passage]:
        """Those of the collections that are most like it, the best first, with their scores."""
        ...

    async def ping(self) -> None: ...


class Embeddings(Protocol):
    async def embed(self, texts: Sequence[str], *, is_question: bool) -> Sequence[Sequence[float]]:
        """Unit vectors, in order. Raises: KnowledgeError."""
        ...
