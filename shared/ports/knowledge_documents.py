"""Where the state of companies' documents is kept, and who reads their formats."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from shared.domain.knowledge.blocks import ReadDocument
from shared.domain.knowledge.documents import DocumentKey, DocumentState, KnowledgeDocument, Upload
from shared.domain.knowledge.kinds import DocumentKind


class KnowledgeDocuments(Protocol):
    """Raises: StoreError. What is said of a revision that is not the document's any more changes nothing."""

    async def reserve(self, key: DocumentKey, upload: Upload) -> None:
        """Note that there is going to be a file: whatever happens, it is found again to be deleted."""
        ...

    async def put(self, key: DocumentKey, upload: Upload) -> KnowledgeDocument:
        """A new revision, queued; its file is there."""
        ...

    async def one(self, key: DocumentKey) -> KnowledgeDocument | None: ...

    async def all(self, tenant_id: str, collection: str, *, after: str, most: int) -> Sequence[KnowledgeDocument]:
        """By their ids; those that come `after` one."""
        ...

    async def mark(
        self,
        document: KnowledgeDocument,
        state: DocumentState,
        *,
        done: int = 0,
        total: int = 0,
        failure: tuple[str, str] | None = None,
    ) -> bool:
        """Whether it is still this revision."""
        ...

    async def mark_deleting(self, key: DocumentKey) -> bool:
        """From now on it is only deleted, as a revision of its own. Whether there is such a document."""
        ...

    async def forget_files(self, key: DocumentKey, files: Sequence[str]) -> None:
        """They are deleted."""
        ...

    async def delete(self, document: KnowledgeDocument) -> bool:
        """Forget it, if it is still this revision: whether it was."""
        ...


class DocumentReader(Protocol):
    async def read(self, data: bytes, kind: DocumentKind) -> ReadDocument:
        """Raises: KnowledgeError; not retryable for a document that is refused."""
        ...
