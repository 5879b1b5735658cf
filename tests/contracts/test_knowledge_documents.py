"""What every `KnowledgeDocuments` does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from shared.adapters.postgres.knowledge_documents import PostgresKnowledgeDocuments
from shared.adapters.postgres.pool import PostgresPool
from shared.domain.errors import InvalidRequest
from shared.domain.knowledge.documents import DocumentKey, DocumentState, Upload
from shared.domain.knowledge.kinds import DocumentKind
from shared.ports.knowledge_documents import KnowledgeDocuments
from tests.contracts.conftest import Tenant
from tests.fakes.knowledge import FakeKnowledgeDocuments

FIRST = Upload("f/1", "faq.md", DocumentKind.MARKDOWN, 10)
SECOND = Upload("f/2", "faq 2.pdf", DocumentKind.PDF, 20)


@pytest.fixture(params=["postgres", "fake"])
async def documents(request: pytest.FixtureRequest) -> AsyncIterator[KnowledgeDocuments]:
    if request.param == "fake":
        yield FakeKnowledgeDocuments()
        return
    pool = PostgresPool(request.getfixturevalue("postgres_dsn"))
    yield PostgresKnowledgeDocuments(pool)
    await pool.aclose()


@pytest.fixture
def key(acme: Tenant) -> DocumentKey:
    return DocumentKey(acme.tenant_id, "shop", "faq")


async def test_a_document_goes_its_way(documents: KnowledgeDocuments, key: DocumentKey) -> None:
    assert await documents.one(key) is None
    put = await documents.put(key, FIRST)
    assert (put.state, put.file, put.files, put.kind) == (
        DocumentState.QUEUED,
        "f/1",
        ("f/1",),
        DocumentKind.MARKDOWN,
    )
    assert await documents.mark(put, DocumentState.INDEXING, done=1, total=3)
    found = await documents.one(key)
    assert found is not None
    assert (found.state, found.done, found.total, found.revision) == (DocumentState.INDEXING, 1, 3, put.revision)
    assert await documents.mark(put, DocumentState.FAILED, failure=("document_encrypted", "locked"))
    found = await documents.one(key)
    assert found is not None
    assert found.failure == ("document_encrypted", "locked")
    assert await documents.mark(put, DocumentState.READY)
    found = await documents.one(key)
    assert found is not None
    assert found.failure is None


async def test_what_is_said_of_an_older_revision_changes_nothing(
    documents: KnowledgeDocuments, key: DocumentKey
) -> None:
    old = await documents.put(key, FIRST)
    new = await documents.put(key, SECOND)
    assert new.revision > old.revision
    assert (new.file_name, new.size_bytes, new.kind) == ("faq 2.pdf", 20, DocumentKind.PDF)
    assert not await documents.mark(old, DocumentState.READY)
    assert not await documents.delete(old)
    found = await documents.one(key)
    assert found is not None
    assert found.state is DocumentState.QUEUED


async def test_a_reserved_file_is_known_whatever_happens(documents: KnowledgeDocuments, key: DocumentKey) -> None:
    await documents.reserve(key, FIRST)
    reserved = await documents.one(key)
    assert reserved is not None
    assert (reserved.state, reserved.files) == (DocumentState.FAILED, ("f/1",))
    put = await documents.put(key, FIRST)
    await documents.reserve(key, SECOND)
    again = await documents.one(key)
    assert again is not None
    assert (again.state, again.file, set(again.files)) == (put.state, "f/1", {"f/1", "f/2"})
    assert again.revision == put.revision
    second = await documents.put(key, SECOND)
    assert set(second.files) == {"f/1", "f/2"}
    await documents.forget_files(key, ["f/1", "f/0"])
    last = await documents.one(key)
    assert last is not None
    assert last.files == ("f/2",)


async def test_who_is_to_be_deleted_is_only_deleted(documents: KnowledgeDocuments, key: DocumentKey) -> None:
    assert not await documents.mark_deleting(key)
    put = await documents.put(key, FIRST)
    assert await documents.mark_deleting(key)
    found = await documents.one(key)
    assert found is not None
    assert found.state is DocumentState.DELETING
    assert found.revision > put.revision
    assert not await documents.mark(found, DocumentState.READY)
    assert not await documents.delete(put)
    assert await documents.delete(found)
    assert await documents.one(key) is None
    assert (await documents.put(key, FIRST)).revision > found.revision


async def test_lists_are_of_one_tenant_and_collection_by_id(
    documents: KnowledgeDocuments, key: DocumentKey, globex: Tenant
) -> None:
    for name in ("b", "C", "a", "d"):
        await documents.put(replace(key, document_id=name), FIRST)
    await documents.put(replace(key, collection="hr"), FIRST)
    await documents.put(replace(key, tenant_id=globex.tenant_id), FIRST)
    found = await documents.all(key.tenant_id, "shop", after="", most=3)
    assert [each.key.document_id for each in found] == ["C", "a", "b"]
    rest = await documents.all(key.tenant_id, "shop", after="b", most=3)
    assert [each.key.document_id for each in rest] == ["d"]
    assert await documents.one(replace(key, tenant_id=globex.tenant_id, document_id="a")) is None


async def test_a_name_that_no_row_can_hold(postgres_dsn: str, key: DocumentKey) -> None:
    pool = PostgresPool(postgres_dsn)
    with pytest.raises(InvalidRequest, match="file_name"):
        await PostgresKnowledgeDocuments(pool).put(key, replace(FIRST, file_name="a\0b"))
    await pool.aclose()
