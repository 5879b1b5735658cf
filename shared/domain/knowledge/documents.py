"""A company's document: whose it is, how far it has come, and what it is called in stores."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from shared.domain.errors import InvalidRequest
from shared.domain.knowledge.kinds import DocumentKind
from shared.domain.steps import Payload

_COLLECTION = re.compile(r"[a-z][a-z0-9_]{0,62}")
_DOCUMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_LONGEST_NAME = 200


class DocumentState(StrEnum):
    """`queued`, `reading` and `indexing` follow each other and end in `ready` or `failed`; whatever it is, a document
    may become `deleting`, and is gone after that.
    """

    QUEUED = "queued"
    READING = "reading"
    INDEXING = "indexing"
    READY = "ready"
    FAILED = "failed"
    DELETING = "deleting"


UNDER_WAY = (DocumentState.QUEUED, DocumentState.READING, DocumentState.INDEXING, DocumentState.DELETING)


@dataclass(frozen=True, slots=True)
class DocumentKey:
    """Whose document, and which."""

    tenant_id: str
    collection: str
    document_id: str

    @property
    def digest(self) -> str:
        """A name for places that allow few characters; two keys never share one."""
        content = json.dumps([self.tenant_id, self.collection, self.document_id])
        return hashlib.sha256(content.encode()).hexdigest()[:40]

    @property
    def instance_id(self) -> str:
        """Of the one orchestration that works on this document at a time."""
        return f"ingest:{self.digest}"

    @property
    def folder(self) -> str:
        return f"documents/{self.digest}"


def checked_key(tenant_id: str, collection: str, document_id: str) -> DocumentKey:
    """Raises: InvalidRequest for names that cannot be."""
    checked_collection(collection)
    if _DOCUMENT.fullmatch(document_id) is None:
        raise InvalidRequest(
            "document_id", "a document's id has up to 128 letters, digits, dots, dashes, underscores"
        )
    return DocumentKey(tenant_id, collection, document_id)


def checked_collection(collection: str) -> str:
    """Raises: InvalidRequest for a name that cannot be."""
    if _COLLECTION.fullmatch(collection) is None:
        raise InvalidRequest("collection", "a collection's name has up to 63 small letters, digits, underscores")
    return collection


def checked_file_name(given: str, otherwise: str) -> str:
    """For people to read, without folders. Raises: InvalidRequest."""
    name = re.split(r"[/\\]", given)[-1].strip() or otherwise
    if len(name) > _LONGEST_NAME or not name.isprintable():
        raise InvalidRequest("file_name", f"a file's name has up to {_LONGEST_NAME} printable characters")
    return name


@dataclass(frozen=True, slots=True)
class Upload:
    """A document as it came. `file`: where its content is kept; each upload has its own."""

    file: str
    file_name: str
    kind: DocumentKind
    size_bytes: int


@dataclass(frozen=True, slots=True)
class KnowledgeDocument:
    """`revision` grows with each upload, and with the wish to delete it. `files`: all that may still be there of this
    upload and earlier ones. `done` of `total` passages are in the index. `failure`: a code, and what it means, where
    its state is failed.
    """

    key: DocumentKey
    file_name: str
    kind: DocumentKind
    size_bytes: int
    file: str
    files: tuple[str, ...]
    state: DocumentState
    revision: int
    updated_at: datetime
    done: int = 0
    total: int = 0
    failure: tuple[str, str] | None = None


def passages_file(file: str) -> str:
    """Where the passages of an upload wait to be indexed."""
    return f"{file}.passages.json"


@dataclass(frozen=True, slots=True)
class IngestRequest(Payload):
    """Input of the `ingest` orchestration and its steps; the steps say which revision they are about, and the one
    that indexes from which passage on.
    """

    tenant_id: str
    collection: str
    document_id: str
    revision: int = 0
    first: int = 0

    def about(self, revision: int) -> IngestRequest:
        return replace(self, revision=revision)

    def from_passage(self, first: int) -> IngestRequest:
        return replace(self, first=first)

    @property
    def key(self) -> DocumentKey:
        return DocumentKey(self.tenant_id, self.collection, self.document_id)
