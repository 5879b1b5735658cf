"""Companies bring documents, ask how far they are, and take them away."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol
from uuid import uuid4

from shared.domain.errors import InvalidRequest, NotFound, StoreError
from shared.domain.knowledge.blocks import LIMITS
from shared.domain.knowledge.documents import (
    DocumentKey,
    DocumentState,
    IngestRequest,
    KnowledgeDocument,
    Upload,
    checked_collection,
    checked_file_name,
    checked_key,
)
from shared.domain.knowledge.kinds import kind_of
from shared.ports.file_store import FileStore
from shared.ports.knowledge_documents import KnowledgeDocuments

_TAKEN_UP_WITHIN_S = 10.0
_LOOKING_EVERY_S = 0.1
_PAGE = 200
_WAITING = (DocumentState.QUEUED, DocumentState.DELETING)


class Ingestions(Protocol):
    """The durable engine, as far as documents need it."""

    async def start(self, request: IngestRequest) -> bool:
        """Work on the document, unless somebody does already. Whether it was begun now. Raises: StoreError."""
        ...


class KeepDocuments:
    """One orchestration at a time works on a document; it looks again for news before it ends."""

    def __init__(self, documents: KnowledgeDocuments, files: FileStore) -> None:
        self._documents = documents
        self._files = files

    async def upload(
        self, ingestions: Ingestions, key: DocumentKey, data: bytes, *, content_type: str, file_name: str
    ) -> KnowledgeDocument:
        """Raises: InvalidRequest, StoreError."""
        checked = checked_key(key.tenant_id, key.collection, key.document_id)
        if not data:
            raise InvalidRequest("document_empty", "the body is empty: it must be the document")
        if len(data) > LIMITS.document_bytes:
            raise InvalidRequest("body_too_large", f"a document has at most {LIMITS.document_bytes} bytes")
        kind = kind_of(content_type, file_name or key.document_id, data)
        name = checked_file_name(file_name, key.document_id)
        upload = Upload(f"{checked.folder}/{uuid4().hex}", name, kind, len(data))
        await self._documents.reserve(checked, upload)
        await self._files.put(upload.file, data, content_type="application/octet-stream")
        document = await self._documents.put(checked, upload)
        await self._see_taken_up(ingestions, checked)
        return document

    async def remove(self, ingestions: Ingestions, key: DocumentKey) -> None:
        """It is deleted in the background, whatever is being done with it now. Raises: NotFound, StoreError."""
        checked = checked_key(key.tenant_id, key.collection, key.document_id)
        if not await self._documents.mark_deleting(checked):
            raise _unknown()
        await self._see_taken_up(ingestions, checked)

    async def one(self, key: DocumentKey) -> KnowledgeDocument:
        """Raises: NotFound."""
        checked = checked_key(key.tenant_id, key.collection, key.document_id)
        document = await self._documents.one(checked)
        if document is None:
            raise _unknown()
        return document

    async def all(self, tenant_id: str, collection: str, *, after: str) -> Sequence[KnowledgeDocument]:
        return await self._documents.all(tenant_id, checked_collection(collection), after=after, most=_PAGE)

    async def _see_taken_up(self, ingestions: Ingestions, key: DocumentKey) -> None:
        """Who works on it may be about to end without having seen what is new."""
        request = IngestRequest(key.tenant_id, key.collection, key.document_id)
        try:
            async with asyncio.timeout(_TAKEN_UP_WITHIN_S):
                while not await ingestions.start(request):
                    await asyncio.sleep(_LOOKING_EVERY_S)
                    document = await self._documents.one(key)
                    if document is None or document.state not in _WAITING:
                        return
        except TimeoutError as error:
            raise StoreError("ingestion_busy", "the document is still being worked on", retryable=True) from error


def _unknown() -> NotFound:
    return NotFound("document_unknown", "there is no such document")
