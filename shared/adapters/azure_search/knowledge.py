"""Fills `Knowledge` with Azure AI Search: one index for all tenants, and every request bound to one of them."""

from __future__ import annotations

import asyncio
import hashlib
import importlib
import json
import re
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

from shared.adapters.azure_search.address import SearchAddress
from shared.domain.errors import KnowledgeError
from shared.domain.knowledge.scores import likeness
from shared.ports.knowledge import Passage
from shared.use_cases.knowledge.ranking import ranked

if TYPE_CHECKING:
    from shared.adapters.azure_search.service import SearchService

_T = TypeVar("_T")
_MODULE = "shared.adapters.azure_search.service"
_PAGE = 1_000
_CANDIDATES_EACH = 5
_FEWEST_CANDIDATES = 20
_HIGHEST_SEMANTIC = 4.0
"""Source: https://learn.microsoft.com/azure/search/semantic-search-overview#how-results-are-scored"""
_SEEN_WITHIN_S = 30.0
_LOOKING_EVERY_S = 0.25
"""What is written is found a moment later."""
_OPERATORS = re.compile(r"[+\-|\"*()\\~:'&!^/{}\[\]?]")
"""They would mean something in a query. Source: https://learn.microsoft.com/azure/search/query-simple-syntax"""


class AzureSearchKnowledge:
    """`timeout_s` bounds each request with its retries."""

    def __init__(self, address: SearchAddress, *, timeout_s: float = 20.0) -> None:
        self._address = address
        self._timeout_s = timeout_s
        self._made_for = 0
        self._module: ModuleType | None = None
        self._services: WeakKeyDictionary[asyncio.AbstractEventLoop, SearchService] = WeakKeyDictionary()

    async def put(self, tenant_id: str, passages: Sequence[Passage], vectors: Sequence[Sequence[float]]) -> None:
        if not passages:
            return
        dimensions = len(vectors[0])
        if self._made_for != dimensions:
            await self._run(lambda service: service.make(dimensions))
            self._made_for = dimensions
        rows = [_row(tenant_id, *each) for each in zip(passages, vectors, strict=True)]
        await self._run(lambda service: service.put(rows))

    async def held(self, tenant_id: str, collection: str, document_id: str) -> set[str]:
        return {passage_id for _, passage_id in await self._keys(tenant_id, collection, document_id)}

    async def remove(self, tenant_id: str, collection: str, document_id: str, *, keep: Sequence[str] = ()) -> None:
        kept = set(keep)
        try:
            async with asyncio.timeout(_SEEN_WITHIN_S):
                while True:
                    held = await self._keys(tenant_id, collection, document_id)
                    gone = [key for key, passage_id in held if passage_id not in kept]
                    if not gone:
                        return
                    for first in range(0, len(gone), _PAGE):
                        await self._run(partial(_delete, gone[first : first + _PAGE]))
                    await asyncio.sleep(_LOOKING_EVERY_S)
        except TimeoutError:
            message = "what was deleted is still found"
            raise KnowledgeError("search_unavailable", message, retryable=True) from None

    async def search(
        self, tenant_id: str, collections: Sequence[str], text: str, vector: Sequence[float], *, most: int
    ) -> Sequence[Passage]:
        if not collections:
            return []
        wanted = [("collection", collections)]
        words = " ".join(_OPERATORS.sub(" ", text).split())
        candidates = max(_FEWEST_CANDIDATES, _CANDIDATES_EACH * most)
        found = await self._run(
            lambda service: service.search(words or "*", vector, self._filter(tenant_id, wanted), candidates),
            missing=[],
        )
        if found and all(score is not None for _, _, score in found):
            return [_passage(row, (score or 0.0) / _HIGHEST_SEMANTIC) for row, _, score in found[:most]]
        return ranked(text, [_passage(row, cosine) for row, cosine, _ in found], most)

    async def ping(self) -> None:
        await self._run(lambda service: service.ping())

    async def aclose(self) -> None:
        """Close the running event loop's clients."""
        if (service := self._services.pop(asyncio.get_running_loop(), None)) is not None:
            await service.close()

    async def _keys(self, tenant_id: str, collection: str, document_id: str) -> list[tuple[str, str]]:
        filtered = self._filter(tenant_id, [("collection", [collection]), ("document_id", [document_id])])
        found: list[tuple[str, str]] = []
        while True:
            after = found[-1][0] if found else ""
            page = await self._run(partial(_page, filtered, after), missing=[])
            found += page
            if len(page) < _PAGE:
                return found

    @staticmethod
    def _filter(tenant_id: str, wanted: Sequence[tuple[str, Sequence[str]]]) -> str:
        """Each name is a literal of its own, whatever is in it; the tenant always stands outside of every `or`."""

        def equal(field: str, value: str) -> str:
            return f"{field} eq '" + value.replace("'", "''") + "'"

        parts = [f"({' or '.join(equal(field, value) for value in values)})" for field, values in wanted]
        return " and ".join([equal("tenant_id", tenant_id), *parts])

    async def _run(self, work: Callable[[SearchService], Awaitable[_T]], *, missing: Any = None) -> _T:
        """`missing`: what it gives where there is no index yet."""
        if self._module is None:
            self._module = await asyncio.to_thread(importlib.import_module, _MODULE)
        module, loop = self._module, asyncio.get_running_loop()
        try:
            if loop not in self._services:
                self._services[loop] = module.SearchService(self._address, self._timeout_s)
            async with asyncio.timeout(self._timeout_s):
                return await work(self._services[loop])
        except TimeoutError as error:
            message = "Azure AI Search did not answer in time"
            raise KnowledgeError("search_timeout", message, retryable=True) from error
        except module.AzureError as error:
            if missing is not None and module.is_missing(error):
                return missing  # type: ignore[no-any-return]
            self._made_for = 0  # the index may be gone, and is made anew by who writes next
            raise module.knowledge_error(error) from error


async def _delete(keys: list[str], service: SearchService) -> None:
    await service.delete(keys)


async def _page(filtered: str, after: str, service: SearchService) -> list[tuple[str, str]]:
    return await service.passages(filtered, after, _PAGE)


def _row(tenant_id: str, passage: Passage, vector: Sequence[float]) -> dict[str, Any]:
    content = json.dumps([tenant_id, passage.passage_id])
    return {
        "key": hashlib.sha256(content.encode()).hexdigest(),
        "tenant_id": tenant_id,
        "collection": passage.collection,
        "document_id": passage.document_id,
        "passage_id": passage.passage_id,
        "title": passage.title,
        "place": passage.place,
        "text": passage.text,
        "vector": list(vector),
    }


def _passage(row: dict[str, Any], score: float) -> Passage:
    return Passage(
        row["passage_id"],
        row["collection"],
        row["document_id"],
        row["title"],
        row["place"],
        row["text"],
        likeness(score),
    )
