"""Uploads are checked before anything is kept, and somebody always works on what is new."""

from __future__ import annotations

from typing import Any

import pytest

from shared.domain.errors import InvalidRequest, NotFound, StoreError
from shared.domain.knowledge.blocks import LIMITS
from shared.domain.knowledge.documents import DocumentKey, DocumentState, IngestRequest
from shared.use_cases.knowledge.keep_documents import KeepDocuments
from tests.fakes.knowledge import FakeIngestions, FakeKnowledgeDocuments
from tests.fakes.stores import FakeFileStore

KEY = DocumentKey("acme", "shop", "faq")
PDF, ZIP = b"%PDF-1.7 x", b"PK\x03\x04 x"
DOCX_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


@pytest.fixture
def documents() -> FakeKnowledgeDocuments:
    return FakeKnowledgeDocuments()


@pytest.fixture
def files() -> FakeFileStore:
    return FakeFileStore()


@pytest.fixture
def keep(documents: FakeKnowledgeDocuments, files: FakeFileStore) -> KeepDocuments:
    return KeepDocuments(documents, files)


async def upload(keep: KeepDocuments, ingestions: FakeIngestions | None = None, **more: Any) -> Any:
    given = {"key": KEY, "data": b"words", "content_type": "text/plain", "file_name": "faq.txt"} | more
    key, data = given.pop("key"), given.pop("data")
    return await keep.upload(ingestions or FakeIngestions(), key, data, **given)


async def test_an_upload_is_kept_and_begun(keep: KeepDocuments, files: FakeFileStore) -> None:
    ingestions = FakeIngestions()
    document = await upload(keep, ingestions, file_name="C:\\x\\Häufige Fragen.txt")
    assert (document.state, document.file_name, document.size_bytes) == (
        DocumentState.QUEUED,
        "Häufige Fragen.txt",
        5,
    )
    assert files.kept == {document.file: b"words"}
    assert ingestions.started == [IngestRequest("acme", "shop", "faq")]


@pytest.mark.parametrize(
    ("content_type", "file_name", "data", "kind"),
    [
        ("application/pdf", "", PDF, "pdf"),
        ("", "a.PDF", PDF, "pdf"),
        ("application/octet-stream", "a.docx", ZIP, "docx"),
        (DOCX_TYPE, "", ZIP, "docx"),
        ("text/html; charset=utf-8", "", b"<p>", "html"),
        ("text/plain", "a.md", b"# a", "markdown"),
        ("text/plain", "a.unknown", b"a", "text"),
        ("text/csv", "a", b"a,b", "csv"),
    ],
)
async def test_formats(keep: KeepDocuments, content_type: str, file_name: str, data: bytes, kind: str) -> None:
    assert (await upload(keep, data=data, content_type=content_type, file_name=file_name)).kind == kind


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"data": b""}, "document_empty"),
        ({"data": b"a" * (LIMITS.document_bytes + 1)}, "body_too_large"),
        ({"content_type": "image/png"}, "document_format"),
        ({"content_type": "", "file_name": "a.exe"}, "document_format"),
        ({"content_type": "application/pdf"}, "document_format"),
        ({"data": PDF}, "document_format"),
        ({"data": ZIP}, "document_format"),
        ({"content_type": "application/pdf", "data": ZIP}, "document_format"),
        ({"file_name": "a\nb.txt"}, "file_name"),
        ({"file_name": "a" * 201}, "file_name"),
        ({"key": DocumentKey("acme", "Shop", "faq")}, "collection"),
        ({"key": DocumentKey("acme", "a' or 1", "faq")}, "collection"),
        ({"key": DocumentKey("acme", "shop", "../faq")}, "document_id"),
        ({"key": DocumentKey("acme", "shop", "")}, "document_id"),
    ],
)
async def test_what_is_refused_is_not_kept(
    keep: KeepDocuments, files: FakeFileStore, documents: FakeKnowledgeDocuments, wrong: Any, code: str
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        await upload(keep, **wrong)
    assert refused.value.code == code
    assert (files.kept, documents.rows) == ({}, {})


async def test_who_is_about_to_end_is_waited_for(keep: KeepDocuments) -> None:
    ingestions = FakeIngestions(busy=3)
    await upload(keep, ingestions)
    assert len(ingestions.started) == 1


async def test_who_has_taken_it_up_is_enough(keep: KeepDocuments, documents: FakeKnowledgeDocuments) -> None:
    class AtWork(FakeIngestions):
        async def start(self, request: IngestRequest) -> bool:
            document = documents.rows[KEY]
            await documents.mark(document, DocumentState.READING)
            return False

    await upload(keep, AtWork())


async def test_nobody_takes_it_up(keep: KeepDocuments) -> None:
    with pytest.raises(StoreError) as busy:
        await upload(keep, FakeIngestions(busy=10_000))
    assert (busy.value.code, busy.value.retryable) == ("ingestion_busy", True)


async def test_a_failed_write_is_found_again_to_be_deleted(
    keep: KeepDocuments, files: FakeFileStore, documents: FakeKnowledgeDocuments, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(name: str, data: bytes, *, content_type: str) -> None:
        raise StoreError("files_timeout", "late", retryable=True)

    monkeypatch.setattr(files, "put", broken)
    with pytest.raises(StoreError):
        await upload(keep)
    row = documents.rows[KEY]
    assert (row.state, len(row.files)) == (DocumentState.FAILED, 1)


async def test_removing(keep: KeepDocuments, documents: FakeKnowledgeDocuments) -> None:
    with pytest.raises(NotFound):
        await keep.remove(FakeIngestions(), KEY)
    await upload(keep)
    ingestions = FakeIngestions()
    await keep.remove(ingestions, KEY)
    assert (documents.rows[KEY].state, len(ingestions.started)) == (DocumentState.DELETING, 1)


async def test_nobody_sees_another_tenants_document(keep: KeepDocuments) -> None:
    await upload(keep)
    with pytest.raises(NotFound):
        await keep.one(DocumentKey("globex", "shop", "faq"))
    with pytest.raises(NotFound):
        await keep.remove(FakeIngestions(), DocumentKey("globex", "shop", "faq"))
    assert await keep.all("globex", "shop", after="") == []
    assert [each.key for each in await keep.all("acme", "shop", after="")] == [KEY]
