"""What is done with a document step by step: read, cut, embedded, indexed, or deleted.

Each step may run twice, and on two workers at once; the revision that it is about says whether it still counts.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any

from shared.domain.errors import KnowledgeError, VoiceAgentError
from shared.domain.knowledge.chunking import passage_ids, passages_of
from shared.domain.knowledge.documents import (
    DocumentKey,
    DocumentState,
    IngestRequest,
    KnowledgeDocument,
    passages_file,
)
from shared.domain.knowledge.ingestion import OVERTAKEN, Deed
from shared.ports.file_store import FileStore
from shared.ports.knowledge import Embeddings, Knowledge, Passage
from shared.ports.knowledge_documents import DocumentReader, KnowledgeDocuments

logger = logging.getLogger(__name__)

PASSAGES_A_STEP = 64
_MOST_PASSAGES = 10_000


@dataclass(frozen=True, slots=True)
class IngestParts:
    """What the steps work with; `model`: what the vectors are made with."""

    documents: KnowledgeDocuments
    files: FileStore
    reader: DocumentReader
    embeddings: Embeddings
    knowledge: Knowledge
    model: str


class IngestDocument:
    """Its methods are the steps. They raise only what trying again may mend; the rest is told of the document."""

    def __init__(self, parts: IngestParts) -> None:
        self._parts = parts

    async def begin(self, request: IngestRequest) -> tuple[Deed, int]:
        """What is to do, and about which revision."""
        document = await self._parts.documents.one(request.key)
        if document is None or document.state in (DocumentState.READY, DocumentState.FAILED):
            return Deed.NOTHING, 0
        deed = Deed.ERASE if document.state is DocumentState.DELETING else Deed.READ
        return deed, document.revision

    async def read(self, request: IngestRequest) -> int:
        """How many passages it has."""
        document = await self._current(request)
        if document is None or not await self._parts.documents.mark(document, DocumentState.READING):
            return OVERTAKEN
        return await self._or_failed(document, self._read(document))

    async def index(self, request: IngestRequest) -> int:
        """Put some passages in the index, from `request.first` on; how many there are then."""
        document = await self._current(request)
        if document is None:
            return OVERTAKEN
        return await self._or_failed(document, self._index(document, request.first))

    async def finish(self, request: IngestRequest) -> int:
        """Take out what the document does not say any more; how many passages it has."""
        document = await self._current(request)
        if document is None:
            return OVERTAKEN
        return await self._or_failed(document, self._finish(document))

    async def give_up(self, request: IngestRequest) -> int:
        """Of a document with which a step could not be done however often it was tried."""
        document = await self._current(request)
        if document is not None:
            await self._fail(document, "knowledge_unavailable", "the index, or who makes its vectors, did not answer")
        return OVERTAKEN

    async def erase(self, request: IngestRequest) -> int:
        """Out of the index, then the files, then the row: what remains after a crash is found again by it."""
        document = await self._current(request)
        if document is None or document.state is not DocumentState.DELETING:
            return OVERTAKEN
        await self._take_out(document.key)
        await self._delete_files(document.files)
        await self._parts.documents.delete(document)
        return 0

    async def _current(self, request: IngestRequest) -> KnowledgeDocument | None:
        document = await self._parts.documents.one(request.key)
        return document if document is not None and document.revision == request.revision else None

    async def _read(self, document: KnowledgeDocument) -> int:
        data = await self._parts.files.get(document.file)
        if data is None:
            raise KnowledgeError("upload_incomplete", "the upload did not come to its end")
        content = await self._parts.reader.read(data, document.kind)
        title = content.title or document.file_name
        cuts = list(passages_of(content))
        if not 0 < len(cuts) <= _MOST_PASSAGES:
            raise KnowledgeError("document_too_long", f"the document has more than {_MOST_PASSAGES} passages")
        key = document.key
        ids = passage_ids(key.collection, key.document_id, title, self._parts.model, cuts)
        kept = {"title": title, "ids": ids, "cuts": [[cut.place, cut.text] for cut in cuts]}
        await self._parts.files.put(
            passages_file(document.file), json.dumps(kept).encode(), content_type="application/json"
        )
        if not await self._parts.documents.mark(document, DocumentState.INDEXING, total=len(cuts)):
            return OVERTAKEN
        return len(cuts)

    async def _index(self, document: KnowledgeDocument, first: int) -> int:
        key, parts = document.key, self._parts
        passages = await self._passages(document)
        held = await parts.knowledge.held(key.tenant_id, key.collection, key.document_id)
        batch = [each for each in passages[first : first + PASSAGES_A_STEP] if each.passage_id not in held]
        if batch:
            texts = [embedded(each) for each in batch]
            await parts.knowledge.put(key.tenant_id, batch, await parts.embeddings.embed(texts, is_question=False))
        done = min(first + PASSAGES_A_STEP, len(passages))
        if await parts.documents.mark(document, DocumentState.INDEXING, done=done, total=len(passages)):
            return done
        # Whoever deletes it may have looked before this step wrote.
        found = await parts.documents.one(key)
        if found is None or found.state is DocumentState.DELETING:
            await self._take_out(key)
        return OVERTAKEN

    async def _finish(self, document: KnowledgeDocument) -> int:
        key, parts = document.key, self._parts
        ids = [each.passage_id for each in await self._passages(document)]
        await parts.knowledge.remove(key.tenant_id, key.collection, key.document_id, keep=ids)
        old = [file for file in document.files if file != document.file]
        await self._delete_files(old)
        await parts.documents.forget_files(key, old)
        marked = await parts.documents.mark(document, DocumentState.READY, done=len(ids), total=len(ids))
        return len(ids) if marked else OVERTAKEN

    async def _passages(self, document: KnowledgeDocument) -> list[Passage]:
        data = await self._parts.files.get(passages_file(document.file))
        if data is None:
            raise KnowledgeError("upload_incomplete", "the passages are gone")
        kept: dict[str, Any] = json.loads(data)
        key = document.key
        return [
            Passage(passage_id, key.collection, key.document_id, kept["title"], place, text)
            for passage_id, (place, text) in zip(kept["ids"], kept["cuts"], strict=True)
        ]

    async def _take_out(self, key: DocumentKey) -> None:
        await self._parts.knowledge.remove(key.tenant_id, key.collection, key.document_id)

    async def _delete_files(self, files: tuple[str, ...] | list[str]) -> None:
        for file in files:
            await self._parts.files.delete(passages_file(file))
            await self._parts.files.delete(file)

    async def _or_failed(self, document: KnowledgeDocument, step: Awaitable[int]) -> int:
        try:
            return await step
        except VoiceAgentError as error:
            if error.retryable:
                raise
            await self._fail(document, error.code, error.message)
            return OVERTAKEN

    async def _fail(self, document: KnowledgeDocument, code: str, message: str) -> None:
        logger.info("document %s failed: %s", document.key.digest, code)
        await self._parts.documents.mark(document, DocumentState.FAILED, failure=(code, message))


def embedded(passage: Passage) -> str:
    """What a passage says where it stands: a sentence alone often does not name what it is about."""
    return "\n".join(part for part in (passage.title, passage.place, passage.text) if part)
