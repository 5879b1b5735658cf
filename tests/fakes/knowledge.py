"""Documents, passages and vectors in memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from shared.domain.errors import KnowledgeError
from shared.domain.knowledge.blocks import Block, BlockKind, ReadDocument
from shared.domain.knowledge.documents import (
    DocumentKey,
    DocumentState,
    IngestRequest,
    KnowledgeDocument,
    Upload,
)
from shared.domain.knowledge.kinds import DocumentKind
from shared.domain.knowledge.scores import likeness
from shared.ports.knowledge import Passage
from shared.use_cases.knowledge.ranking import ranked

_NOW = datetime(2026, 1, 1, tzinfo=UTC)


class FakeKnowledgeDocuments:
    """Fills `KnowledgeDocuments`. `states`: all that a document has been, in order."""

    def __init__(self) -> None:
        self.rows: dict[DocumentKey, KnowledgeDocument] = {}
        self.states: list[DocumentState] = []
        self._revision = 0

    async def reserve(self, key: DocumentKey, upload: Upload) -> None:
        known = self.rows.get(key)
        if known is not None:
            self.rows[key] = replace(known, files=(*known.files, upload.file))
            return
        failure = ("upload_incomplete", "the upload did not come to its end")
        self.rows[key] = self._row(key, upload, DocumentState.FAILED, (), failure)

    async def put(self, key: DocumentKey, upload: Upload) -> KnowledgeDocument:
        known = self.rows.get(key)
        row = self._row(key, upload, DocumentState.QUEUED, known.files if known else (), None)
        self.rows[key] = row
        self.states.append(row.state)
        return row

    async def one(self, key: DocumentKey) -> KnowledgeDocument | None:
        return self.rows.get(key)

    async def all(self, tenant_id: str, collection: str, *, after: str, most: int) -> Sequence[KnowledgeDocument]:
        rows = [
            row
            for key, row in sorted(self.rows.items(), key=lambda item: item[0].document_id)
            if (key.tenant_id, key.collection) == (tenant_id, collection) and key.document_id > after
        ]
        return rows[:most]

    async def mark(
        self,
        document: KnowledgeDocument,
        state: DocumentState,
        *,
        done: int = 0,
        total: int = 0,
        failure: tuple[str, str] | None = None,
    ) -> bool:
        row = self._current(document)
        if row is None or row.state is DocumentState.DELETING:
            return False
        self.rows[document.key] = replace(row, state=state, done=done, total=total, failure=failure)
        self.states.append(state)
        return True

    async def mark_deleting(self, key: DocumentKey) -> bool:
        row = self.rows.get(key)
        if row is None:
            return False
        self._revision += 1
        self.rows[key] = replace(row, state=DocumentState.DELETING, revision=self._revision, failure=None)
        return True

    async def forget_files(self, key: DocumentKey, files: Sequence[str]) -> None:
        if key in self.rows:
            row = self.rows[key]
            self.rows[key] = replace(row, files=tuple(file for file in row.files if file not in files))

    async def delete(self, document: KnowledgeDocument) -> bool:
        if self._current(document) is None:
            return False
        del self.rows[document.key]
        return True

    def _current(self, document: KnowledgeDocument) -> KnowledgeDocument | None:
        row = self.rows.get(document.key)
        return row if row is not None and row.revision == document.revision else None

    def _row(
        self,
        key: DocumentKey,
        upload: Upload,
        state: DocumentState,
        files: tuple[str, ...],
        failure: tuple[str, str] | None,
    ) -> KnowledgeDocument:
        self._revision += 1
        return KnowledgeDocument(
            key,
            upload.file_name,
            upload.kind,
            upload.size_bytes,
            upload.file,
            files if upload.file in files else (*files, upload.file),
            state,
            self._revision,
            _NOW,
            failure=failure,
        )


@dataclass
class FakeKnowledge:
    """Fills `Knowledge`. `puts`: ids in the order in which they came; `failures`: raised by the next calls."""

    rows: dict[tuple[str, str], tuple[Passage, Sequence[float]]] = field(default_factory=dict)
    puts: list[str] = field(default_factory=list)
    failures: list[KnowledgeError] = field(default_factory=list)
    before_put: Callable[[], object] = lambda: None

    async def put(self, tenant_id: str, passages: Sequence[Passage], vectors: Sequence[Sequence[float]]) -> None:
        self._fail()
        self.before_put()
        for each, vector in zip(passages, vectors, strict=True):
            self.rows[tenant_id, each.passage_id] = (each, vector)
            self.puts.append(each.passage_id)

    async def held(self, tenant_id: str, collection: str, document_id: str) -> set[str]:
        return {
            passage_id
            for (tenant, passage_id), (each, _) in self.rows.items()
            if (tenant, each.collection, each.document_id) == (tenant_id, collection, document_id)
        }

    async def remove(self, tenant_id: str, collection: str, document_id: str, *, keep: Sequence[str] = ()) -> None:
        self._fail()
        for passage_id in await self.held(tenant_id, collection, document_id) - set(keep):
            del self.rows[tenant_id, passage_id]

    async def search(
        self, tenant_id: str, collections: Sequence[str], text: str, vector: Sequence[float], *, most: int
    ) -> Sequence[Passage]:
        self._fail()
        found = [
            replace(each, score=likeness(_dot(vector, other)))
            for (tenant, _), (each, other) in self.rows.items()
            if tenant == tenant_id and each.collection in collections
        ]
        return ranked(text, sorted(found, key=lambda each: each.score, reverse=True), most)

    async def ping(self) -> None:
        self._fail()

    def texts(self) -> set[str]:
        return {each.text for each, _ in self.rows.values()}

    def _fail(self) -> None:
        if self.failures:
            raise self.failures.pop(0)


def _dot(one: Sequence[float], other: Sequence[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


class FakeEmbeddings:
    """Fills `Embeddings`: vectors of the letters a to z. `asked`: what it was given."""

    def __init__(self) -> None:
        self.asked: list[Sequence[str]] = []
        self.failures: list[KnowledgeError] = []

    async def embed(self, texts: Sequence[str], *, is_question: bool) -> Sequence[Sequence[float]]:
        self.asked.append(list(texts))
        if self.failures:
            raise self.failures.pop(0)
        return [self._vector(text) for text in texts]

    @staticmethod
    def _vector(text: str) -> Sequence[float]:
        counts = [text.lower().count(chr(ord("a") + number)) + 0.01 for number in range(26)]
        length = math.hypot(*counts)
        return [count / length for count in counts]


class FakeDocumentReader:
    """Fills `DocumentReader`: each line is a paragraph under a heading of its own. `failure`: raised instead."""

    def __init__(self) -> None:
        self.failure: KnowledgeError | None = None

    async def read(self, data: bytes, kind: DocumentKind) -> ReadDocument:
        if self.failure is not None:
            raise self.failure
        blocks: list[Block] = []
        for line in data.decode().splitlines():
            blocks += [Block(line[:20], BlockKind.HEADING, 1), Block(line)]
        return ReadDocument("Title", tuple(blocks))


@dataclass
class FakeIngestions:
    """Fills `Ingestions`. `busy`: how often it is at work still."""

    started: list[IngestRequest] = field(default_factory=list)
    busy: int = 0

    async def start(self, request: IngestRequest) -> bool:
        if self.busy:
            self.busy -= 1
            return False
        self.started.append(request)
        return True
