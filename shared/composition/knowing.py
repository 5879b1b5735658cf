"""The part of composition that picks where companies' documents are kept and how their passages are found."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from shared.adapters.azure_blob.file_store import AzureBlobFileStore
from shared.adapters.azure_search.address import SearchAddress
from shared.adapters.azure_search.knowledge import AzureSearchKnowledge
from shared.adapters.chroma.knowledge import ChromaKnowledge
from shared.adapters.documents.reader import ProcessDocumentReader
from shared.adapters.openai.embeddings import OpenAIEmbeddings
from shared.adapters.openai.wire import OpenAIWire
from shared.adapters.postgres.knowledge_documents import PostgresKnowledgeDocuments
from shared.adapters.postgres.pool import PostgresPool
from shared.domain.errors import InvalidRequest
from shared.ports.knowledge import Knowledge
from shared.settings import Settings
from shared.use_cases.knowledge.ingest_document import IngestDocument, IngestParts
from shared.use_cases.knowledge.keep_documents import KeepDocuments
from shared.use_cases.knowledge.look_up import LookUp


class Knowing:
    """Each part is made when it is first used. `wire`: to who makes the vectors."""

    def __init__(
        self, settings: Settings, *, pool: PostgresPool, files: AzureBlobFileStore, wire: Callable[[], OpenAIWire]
    ) -> None:
        self._settings = settings
        self._pool = pool
        self._files = files
        self._wire = wire

    @property
    def is_set_up(self) -> bool:
        return self._settings.knowledge_provider != "none"

    @cached_property
    def keep_documents(self) -> KeepDocuments:
        """Raises: InvalidRequest where there is no index."""
        self._need()
        return KeepDocuments(self._documents, self._files)

    @cached_property
    def ingest_document(self) -> IngestDocument:
        """Raises: InvalidRequest where there is no index."""
        settings = self._settings
        parts = IngestParts(
            documents=self._documents,
            files=self._files,
            reader=ProcessDocumentReader(),
            embeddings=self._embeddings,
            knowledge=self.index,
            model=f"{settings.embedding_model} {settings.embedding_dimensions}",
        )
        return IngestDocument(parts)

    @cached_property
    def look_up(self) -> LookUp | None:
        """None where there is no index."""
        return LookUp(self.index, self._embeddings) if self.is_set_up else None

    @cached_property
    def index(self) -> Knowledge:
        """Raises: InvalidRequest where there is none."""
        settings = self._settings
        self._need()
        if settings.knowledge_provider == "chroma":
            return ChromaKnowledge(settings.chroma_url, index=settings.knowledge_index, token=settings.chroma_token)
        return AzureSearchKnowledge(
            SearchAddress(
                settings.azure_search_endpoint,
                settings.knowledge_index,
                api_key=settings.azure_search_api_key,
                client_id=settings.azure_client_id,
                semantic=settings.azure_search_ranking == "semantic",
            )
        )

    @cached_property
    def _embeddings(self) -> OpenAIEmbeddings:
        settings = self._settings
        return OpenAIEmbeddings(
            self._wire(), model=settings.embedding_model, dimensions=settings.embedding_dimensions
        )

    @cached_property
    def _documents(self) -> PostgresKnowledgeDocuments:
        return PostgresKnowledgeDocuments(self._pool)

    def _need(self) -> None:
        if not self.is_set_up:
            raise InvalidRequest("knowledge_not_set_up", "KNOWLEDGE_PROVIDER is none: documents cannot be taken")
