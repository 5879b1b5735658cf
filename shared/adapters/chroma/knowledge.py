"""Fills `Knowledge` with Chroma: a collection of its own for each tenant, so that no filter can mix them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from shared.adapters.chroma.http import ChromaHttp
from shared.domain.errors import KnowledgeError
from shared.domain.knowledge.scores import likeness
from shared.ports.knowledge import Passage
from shared.use_cases.knowledge.ranking import ranked

_CANDIDATES_EACH = 5
_FEWEST_CANDIDATES = 20
"""The vectors' nearest, among which the words of the question decide."""
_PAGE = 1_000


class ChromaKnowledge:
    """`index` stands before the tenants' collections: each model of vectors needs an index of its own."""

    def __init__(self, url: str, *, index: str = "knowledge", token: str = "", timeout_s: float = 10.0) -> None:
        self._http = ChromaHttp(url, token, timeout_s)
        self._index = index
        self._ids: dict[str, str] = {}

    async def put(self, tenant_id: str, passages: Sequence[Passage], vectors: Sequence[Sequence[float]]) -> None:
        if not passages:
            return
        content = {
            "ids": [each.passage_id for each in passages],
            "embeddings": [list(vector) for vector in vectors],
            "documents": [each.text for each in passages],
            "metadatas": [
                {
                    "collection": each.collection,
                    "document_id": each.document_id,
                    "title": each.title,
                    "place": each.place,
                }
                for each in passages
            ],
        }
        if await self._ask(tenant_id, "upsert", content) is None:
            self._ids[tenant_id] = await self._http.make_collection(self._name(tenant_id))
            if await self._ask(tenant_id, "upsert", content) is None:
                raise KnowledgeError("chroma_unavailable", "the tenant's collection is gone again", retryable=True)

    async def held(self, tenant_id: str, collection: str, document_id: str) -> set[str]:
        where = {"$and": [{"collection": {"$eq": collection}}, {"document_id": {"$eq": document_id}}]}
        found: set[str] = set()
        while True:
            content = {"where": where, "include": [], "limit": _PAGE, "offset": len(found)}
            page = await self._ask(tenant_id, "get", content)
            ids = page["ids"] if page else []
            found.update(ids)
            if len(ids) < _PAGE:
                return found

    async def remove(self, tenant_id: str, collection: str, document_id: str, *, keep: Sequence[str] = ()) -> None:
        gone = sorted(await self.held(tenant_id, collection, document_id) - set(keep))
        for first in range(0, len(gone), _PAGE):
            await self._ask(tenant_id, "delete", {"ids": gone[first : first + _PAGE]})

    async def search(
        self, tenant_id: str, collections: Sequence[str], text: str, vector: Sequence[float], *, most: int
    ) -> Sequence[Passage]:
        if not collections:
            return []
        content = {
            "query_embeddings": [list(vector)],
            "n_results": max(_FEWEST_CANDIDATES, _CANDIDATES_EACH * most),
            "where": {"collection": {"$in": list(collections)}},
            "include": ["documents", "metadatas", "distances"],
        }
        found = await self._ask(tenant_id, "query", content)
        return ranked(text, _passages(found), most) if found else []

    async def ping(self) -> None:
        await self._http.ping()

    async def aclose(self) -> None:
        await self._http.aclose()

    async def _ask(self, tenant_id: str, verb: str, content: dict[str, Any]) -> Any:
        """None where the tenant has no collection (any more)."""
        for _ in range(2):
            known = self._ids.get(tenant_id)
            if known is None:
                known = await self._http.collection_id(self._name(tenant_id))
                if known is None:
                    return None
                self._ids[tenant_id] = known
            if (answer := await self._http.ask(known, verb, content)) is not None:
                return answer
            del self._ids[tenant_id]  # deleted and made anew, perhaps
        return None

    def _name(self, tenant_id: str) -> str:
        """Whatever a tenant is called, it is a name that Chroma allows, and nobody else's."""
        return f"{self._index}-{hashlib.sha256(tenant_id.encode()).hexdigest()[:40]}"


def _passages(found: dict[str, Any]) -> list[Passage]:
    return [
        Passage(
            passage_id,
            about["collection"],
            about["document_id"],
            about["title"],
            about["place"],
            text,
            likeness(1.0 - distance),
        )
        for passage_id, about, text, distance in zip(
            found["ids"][0], found["metadatas"][0], found["documents"][0], found["distances"][0], strict=True
        )
    ]
