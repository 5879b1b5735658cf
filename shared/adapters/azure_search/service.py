"""An Azure AI Search index through the official SDK; loaded at its first use, since the SDK loads slowly.

Source: https://learn.microsoft.com/rest/api/searchservice/ (2026-04-01)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
)
from azure.identity.aio import DefaultAzureCredential, ManagedIdentityCredential
from azure.search.documents.aio import SearchClient
from azure.search.documents.indexes.aio import SearchIndexClient
from azure.search.documents.indexes.models import (
    HnswAlgorithmConfiguration,
    HnswParameters,
    SearchField,
    SearchIndex,
    SemanticConfiguration,
    SemanticField,
    SemanticPrioritizedFields,
    SemanticSearch,
    VectorSearch,
    VectorSearchProfile,
)
from azure.search.documents.models import VectorizedQuery

from shared.adapters.azure_search.address import SearchAddress
from shared.domain.errors import KnowledgeError

KEY, TENANT, COLLECTION, DOCUMENT, PASSAGE = "key", "tenant_id", "collection", "document_id", "passage_id"
TITLE, PLACE, TEXT, VECTOR = "title", "place", "text", "vector"
_SELECT = [COLLECTION, DOCUMENT, PASSAGE, TITLE, PLACE, TEXT]
_SEMANTIC, _PROFILE, _GRAPH = "passages", "passages", "passages"
_NEAREST = 50
"""What semantic ranking looks at. Source: https://learn.microsoft.com/azure/search/semantic-search-overview"""
_TRANSIENT = frozenset({207, 404, 408, 409, 422, 429, 500, 502, 503, 504})


class SearchService:
    """The index's clients in one event loop. Its methods raise: AzureError; see `knowledge_error`."""

    def __init__(self, address: SearchAddress, timeout_s: float) -> None:
        self._address = address
        options: dict[str, Any] = {
            "retry_total": 2,
            "retry_backoff_factor": 0.2,
            "connection_timeout": timeout_s,
            "read_timeout": timeout_s,
            "use_env_settings": False,  # it would read ~/.netrc in a thread before every request
        }
        if address.api_key:
            credential: Any = AzureKeyCredential(address.api_key)
            self._identity: Any = None
        else:
            by_id = address.client_id
            self._identity = ManagedIdentityCredential(client_id=by_id) if by_id else DefaultAzureCredential()
            credential = self._identity
        self._indexes = SearchIndexClient(address.endpoint, credential, **options)
        self._documents = SearchClient(address.endpoint, address.index, credential, **options)

    async def make(self, dimensions: int) -> None:
        """Raises: KnowledgeError for an index that was made for vectors of another length."""
        try:
            index = await self._indexes.get_index(self._address.index)
        except ResourceNotFoundError:
            try:
                index = await self._indexes.create_index(_definition(self._address.index, dimensions))
            except ResourceExistsError:
                index = await self._indexes.get_index(self._address.index)  # somebody was faster
        has = next((field.vector_search_dimensions for field in index.fields if field.name == VECTOR), None)
        if has != dimensions:
            message = f"the index holds vectors of {has} numbers, not {dimensions}: each model needs its own index"
            raise KnowledgeError("knowledge_index", message)

    async def put(self, rows: Sequence[Mapping[str, Any]]) -> None:
        _see_done(await self._documents.upload_documents([dict(row) for row in rows]))

    async def delete(self, keys: Sequence[str]) -> None:
        _see_done(await self._documents.delete_documents([{KEY: key} for key in keys]))

    async def passages(self, filtered: str, after: str, most: int) -> list[tuple[str, str]]:
        """Keys and ids of passages, by their keys; those that come `after` one."""
        page = await self._documents.search(
            "*", filter=f"{filtered} and {KEY} gt {quoted(after)}", select=[KEY, PASSAGE], order_by=[KEY], top=most
        )
        return [(row[KEY], row[PASSAGE]) async for row in page]

    async def search(
        self, text: str, vector: Sequence[float], filtered: str, most: int
    ) -> list[tuple[dict[str, Any], float, float | None]]:
        """Rows with their cosine (0: only words found them) and, with semantic ranking, its score from 0 to 4."""
        semantic: dict[str, Any] = (
            {"query_type": "semantic", "semantic_configuration_name": _SEMANTIC, "semantic_error_mode": "partial"}
            if self._address.semantic
            else {}
        )
        query = VectorizedQuery(vector=list(vector), k_nearest_neighbors=_NEAREST, fields=VECTOR)
        found = await self._documents.search(
            text,
            vector_queries=[query],
            vector_filter_mode="preFilter",
            filter=filtered,
            select=_SELECT,
            top=most,
            debug="vector",
            **semantic,
        )
        return [(row, _cosine(row), row["@search.reranker_score"]) async for row in found]

    async def ping(self) -> None:
        """An index that is not there yet is made by the first document."""
        try:
            await self._indexes.get_index(self._address.index)
        except ResourceNotFoundError:
            return

    async def close(self) -> None:
        await self._documents.close()
        await self._indexes.close()
        if self._identity is not None:
            await self._identity.close()


def quoted(text: str) -> str:
    """A literal of a filter. Source: https://learn.microsoft.com/azure/search/query-odata-filter-orderby-syntax"""
    return "'" + text.replace("'", "''") + "'"


def is_missing(error: AzureError) -> bool:
    """Whether there is no index yet."""
    return isinstance(error, ResourceNotFoundError)


def knowledge_error(error: AzureError) -> KnowledgeError:
    """Its message names no document and no account."""
    if isinstance(error, ClientAuthenticationError):
        return KnowledgeError("search_refused", "Azure AI Search does not accept our identity")
    if isinstance(error, HttpResponseError) and error.status_code is not None:
        retryable = error.status_code in _TRANSIENT
        code = "search_unavailable" if retryable else "search_rejected"
        return KnowledgeError(code, f"Azure AI Search refuses (HTTP {error.status_code})", retryable=retryable)
    kind = type(error).__name__
    return KnowledgeError("search_unavailable", f"Azure AI Search cannot be reached ({kind})", retryable=True)


def _see_done(results: Iterable[Any]) -> None:
    """Raises: KnowledgeError where a part of it was not done."""
    refused = [result.status_code for result in results if not result.succeeded]
    if refused:
        retryable = all(status in _TRANSIENT for status in refused)
        message = f"{len(refused)} passages were not taken (HTTP {refused[0]})"
        raise KnowledgeError("search_incomplete", message, retryable=retryable)


def _cosine(row: Mapping[str, Any]) -> float:
    """What the service found out about its vector, before it was mixed with the words."""
    about = row["@search.document_debug_info"]
    subscores = about.vectors.subscores if about is not None and about.vectors is not None else None
    for fields in (subscores.vectors or []) if subscores is not None else []:
        result = fields.get(VECTOR)
        if result is not None and result.vector_similarity is not None:
            return float(result.vector_similarity)
    return 0.0


def _definition(name: str, dimensions: int) -> SearchIndex:
    text = "Edm.String"
    return SearchIndex(
        name=name,
        fields=[
            SearchField(name=KEY, type=text, key=True, filterable=True, sortable=True),
            *(SearchField(name=each, type=text, filterable=True) for each in (TENANT, COLLECTION, DOCUMENT)),
            SearchField(name=PASSAGE, type=text),
            *(SearchField(name=each, type=text, searchable=True) for each in (TITLE, PLACE, TEXT)),
            SearchField(
                name=VECTOR,
                type="Collection(Edm.Single)",
                searchable=True,
                hidden=True,
                vector_search_dimensions=dimensions,
                vector_search_profile_name=_PROFILE,
            ),
        ],
        vector_search=VectorSearch(
            algorithms=[HnswAlgorithmConfiguration(name=_GRAPH, parameters=HnswParameters(metric="cosine"))],
            profiles=[VectorSearchProfile(name=_PROFILE, algorithm_configuration_name=_GRAPH)],
        ),
        semantic_search=SemanticSearch(
            configurations=[
                SemanticConfiguration(
                    name=_SEMANTIC,
                    prioritized_fields=SemanticPrioritizedFields(
                        title_field=SemanticField(field_name=TITLE),
                        content_fields=[SemanticField(field_name=TEXT), SemanticField(field_name=PLACE)],
                    ),
                )
            ]
        ),
    )
