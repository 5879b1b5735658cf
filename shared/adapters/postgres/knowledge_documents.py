"""Fills `KnowledgeDocuments`: each change is one statement that names the revision it is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, LiteralString

from shared.adapters.postgres.pool import PostgresPool
from shared.adapters.postgres.text import are_storable, storable
from shared.domain.errors import InvalidRequest
from shared.domain.knowledge.documents import DocumentKey, DocumentState, KnowledgeDocument, Upload
from shared.domain.knowledge.kinds import DocumentKind

_COLUMNS: LiteralString = """
    tenant_id, collection, document_id, file_name, kind, size_bytes, file, files, state, revision,
    done, total, failure_code, failure_message, updated_at
"""
_THIS: LiteralString = " tenant_id = %(tenant_id)s and collection = %(collection)s and document_id = %(document_id)s"
_RESERVE = """
insert into knowledge_documents (tenant_id, collection, document_id, file_name, kind, size_bytes, file, files, state,
    failure_code, failure_message)
values (%(tenant_id)s, %(collection)s, %(document_id)s, %(file_name)s, %(kind)s, %(size_bytes)s, %(file)s,
    array[%(file)s], 'failed', 'upload_incomplete', 'the upload did not come to its end')
on conflict (tenant_id, collection, document_id) do update
    set files = knowledge_documents.files || excluded.files
"""
_PUT: LiteralString = (
    """
insert into knowledge_documents (tenant_id, collection, document_id, file_name, kind, size_bytes, file, files, state)
values (%(tenant_id)s, %(collection)s, %(document_id)s, %(file_name)s, %(kind)s, %(size_bytes)s, %(file)s,
    array[%(file)s], 'queued')
on conflict (tenant_id, collection, document_id) do update
    set file_name = excluded.file_name, kind = excluded.kind, size_bytes = excluded.size_bytes, state = 'queued',
        file = excluded.file, revision = nextval('knowledge_revisions'), done = 0, total = 0,
        failure_code = null, failure_message = null, updated_at = clock_timestamp()
returning """
    + _COLUMNS
)
_ONE: LiteralString = "select" + _COLUMNS + "from knowledge_documents where" + _THIS
_ALL: LiteralString = (
    "select"
    + _COLUMNS
    + """from knowledge_documents
where tenant_id = %(tenant_id)s and collection = %(collection)s and document_id > %(after)s
order by document_id limit %(most)s
"""
)
_MARK: LiteralString = (
    """
update knowledge_documents set state = %(state)s, done = %(done)s, total = %(total)s,
    failure_code = %(failure_code)s, failure_message = %(failure_message)s, updated_at = clock_timestamp()
where"""
    + _THIS
    + " and revision = %(revision)s and state <> 'deleting' returning revision"
)
_MARK_DELETING: LiteralString = (
    """
update knowledge_documents set state = 'deleting', revision = nextval('knowledge_revisions'),
    failure_code = null, failure_message = null, updated_at = clock_timestamp()
where"""
    + _THIS
    + " returning revision"
)
_FORGET = """
update knowledge_documents set files = array(select kept from unnest(files) as kept where kept <> all(%(gone)s))
where tenant_id = %(tenant_id)s and collection = %(collection)s and document_id = %(document_id)s
"""
_DELETE = """
delete from knowledge_documents
where tenant_id = %(tenant_id)s and collection = %(collection)s and document_id = %(document_id)s
    and revision = %(revision)s
returning revision
"""


class PostgresKnowledgeDocuments:
    """The `KnowledgeDocuments` on a `PostgresPool`."""

    def __init__(self, pool: PostgresPool) -> None:
        self._pool = pool

    async def reserve(self, key: DocumentKey, upload: Upload) -> None:
        await self._pool.execute(_RESERVE, _upload(key, upload), repeatable=True)

    async def put(self, key: DocumentKey, upload: Upload) -> KnowledgeDocument:
        return _document((await self._pool.execute(_PUT, _upload(key, upload), repeatable=False))[0])

    async def one(self, key: DocumentKey) -> KnowledgeDocument | None:
        rows = await self._pool.execute(_ONE, _params(key), repeatable=True)
        return _document(rows[0]) if rows else None

    async def all(self, tenant_id: str, collection: str, *, after: str, most: int) -> Sequence[KnowledgeDocument]:
        params = {"tenant_id": tenant_id, "collection": collection, "after": storable(after), "most": most}
        return [_document(row) for row in await self._pool.execute(_ALL, params, repeatable=True)]

    async def mark(
        self,
        document: KnowledgeDocument,
        state: DocumentState,
        *,
        done: int = 0,
        total: int = 0,
        failure: tuple[str, str] | None = None,
    ) -> bool:
        code, message = failure or (None, None)
        params = {
            **_params(document.key),
            "revision": document.revision,
            "state": str(state),
            "done": done,
            "total": total,
            "failure_code": code,
            "failure_message": message,
        }
        return bool(await self._pool.execute(_MARK, params, repeatable=True))

    async def mark_deleting(self, key: DocumentKey) -> bool:
        return bool(await self._pool.execute(_MARK_DELETING, _params(key), repeatable=True))

    async def forget_files(self, key: DocumentKey, files: Sequence[str]) -> None:
        await self._pool.execute(_FORGET, {**_params(key), "gone": list(files)}, repeatable=True)

    async def delete(self, document: KnowledgeDocument) -> bool:
        params = {**_params(document.key), "revision": document.revision}
        return bool(await self._pool.execute(_DELETE, params, repeatable=False))


def _upload(key: DocumentKey, upload: Upload) -> dict[str, Any]:
    if not are_storable((upload.file_name,)):
        raise InvalidRequest("file_name", "the file's name has characters that cannot be kept")
    return {
        **_params(key),
        "file_name": upload.file_name,
        "kind": str(upload.kind),
        "size_bytes": upload.size_bytes,
        "file": upload.file,
    }


def _params(key: DocumentKey) -> dict[str, Any]:
    return {"tenant_id": key.tenant_id, "collection": key.collection, "document_id": key.document_id}


def _document(row: Mapping[str, Any]) -> KnowledgeDocument:
    code = row["failure_code"]
    return KnowledgeDocument(
        key=DocumentKey(row["tenant_id"], row["collection"], row["document_id"]),
        file_name=row["file_name"],
        kind=DocumentKind(row["kind"]),
        size_bytes=row["size_bytes"],
        file=row["file"],
        files=tuple(row["files"]),
        state=DocumentState(row["state"]),
        revision=row["revision"],
        updated_at=row["updated_at"],
        done=row["done"],
        total=row["total"],
        failure=None if code is None else (code, row["failure_message"]),
    )
