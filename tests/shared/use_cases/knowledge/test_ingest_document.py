"""A document becomes passages that are found; whatever happens meanwhile, nothing of it is lost or left behind."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from shared.domain.errors import KnowledgeError
from shared.domain.knowledge.documents import DocumentKey, DocumentState, IngestRequest, KnowledgeDocument
from shared.domain.knowledge.ingestion import OVERTAKEN, Deed
from shared.use_cases.knowledge.ingest_document import PASSAGES_A_STEP, IngestDocument, IngestParts
from shared.use_cases.knowledge.keep_documents import KeepDocuments
from tests.fakes.knowledge import (
    FakeDocumentReader,
    FakeEmbeddings,
    FakeIngestions,
    FakeKnowledge,
    FakeKnowledgeDocuments,
)
from tests.fakes.stores import FakeFileStore

KEY = DocumentKey("acme", "shop", "faq")
REQUEST = IngestRequest("acme", "shop", "faq")
UNAVAILABLE = KnowledgeError("index_unavailable", "down", retryable=True)


@dataclass
class House:
    documents: FakeKnowledgeDocuments = field(default_factory=FakeKnowledgeDocuments)
    files: FakeFileStore = field(default_factory=FakeFileStore)
    reader: FakeDocumentReader = field(default_factory=FakeDocumentReader)
    embeddings: FakeEmbeddings = field(default_factory=FakeEmbeddings)
    index: FakeKnowledge = field(default_factory=FakeKnowledge)
    model: str = "model"

    @property
    def ingest(self) -> IngestDocument:
        parts = IngestParts(self.documents, self.files, self.reader, self.embeddings, self.index, self.model)
        return IngestDocument(parts)

    async def upload(self, *lines: str) -> KnowledgeDocument:
        keep = KeepDocuments(self.documents, self.files)
        data = "\n".join(lines).encode()
        return await keep.upload(FakeIngestions(), KEY, data, content_type="text/plain", file_name="faq.txt")

    async def run(self) -> None:
        """As the orchestration does."""
        for _ in range(10):
            deed, revision = await self.ingest.begin(REQUEST)
            request = replace(REQUEST, revision=revision)
            if deed is Deed.NOTHING:
                return
            if deed is Deed.ERASE:
                await self.ingest.erase(request)
                continue
            total = await self.ingest.read(request)
            done = min(total, 0)
            while OVERTAKEN < done < total:
                done = await self.ingest.index(replace(request, first=done))
            if done != OVERTAKEN:
                await self.ingest.finish(request)
        raise AssertionError("it does not come to an end")

    @property
    def document(self) -> KnowledgeDocument:
        return self.documents.rows[KEY]


@pytest.fixture
def house() -> House:
    return House()


async def test_a_document_becomes_passages(house: House) -> None:
    await house.upload("We open at nine.", "Tents cost 99.")
    await house.run()
    assert house.index.texts() == {"We open at nine.", "Tents cost 99."}
    assert (house.document.state, house.document.done, house.document.total) == (DocumentState.READY, 2, 2)
    states = house.documents.states
    assert list(dict.fromkeys(states)) == ["queued", "reading", "indexing", "ready"]
    assert house.embeddings.asked == [
        ["Title\nWe open at nine.\nWe open at nine.", "Title\nTents cost 99.\nTents cost 99."]
    ]


async def test_a_large_one_is_indexed_in_steps_with_progress(house: House) -> None:
    await house.upload(*(f"Line {number}." for number in range(PASSAGES_A_STEP + 5)))
    request = replace(REQUEST, revision=house.document.revision)
    assert await house.ingest.read(request) == PASSAGES_A_STEP + 5
    assert await house.ingest.index(request) == PASSAGES_A_STEP
    assert (house.document.state, house.document.done) == (DocumentState.INDEXING, PASSAGES_A_STEP)
    assert await house.ingest.index(replace(request, first=PASSAGES_A_STEP)) == PASSAGES_A_STEP + 5
    assert [len(asked) for asked in house.embeddings.asked] == [PASSAGES_A_STEP, 5]


async def test_a_step_that_runs_twice_embeds_nothing_twice(house: House) -> None:
    await house.upload("One.", "Two.")
    request = replace(REQUEST, revision=house.document.revision)
    await house.ingest.read(request)
    await house.ingest.index(request)
    await house.ingest.index(request)
    await house.ingest.finish(request)
    await house.ingest.finish(request)
    assert (len(house.index.puts), len(house.embeddings.asked)) == (2, 1)


async def test_a_new_revision_replaces_what_changed_and_takes_out_what_is_gone(house: House) -> None:
    await house.upload("Stays.", "Goes.", "Changes from this.")
    await house.run()
    first = house.document.file
    await house.upload("New.", "Stays.", "Changes to that.")
    await house.run()
    assert house.index.texts() == {"New.", "Stays.", "Changes to that."}
    assert len(house.index.puts) == 5, "what stays is not written again"
    assert first not in house.files.kept
    assert len(house.files.kept) == 2
    assert house.document.files == (house.document.file,)


async def test_with_another_model_everything_is_embedded_anew(house: House) -> None:
    await house.upload("Stays.")
    await house.run()
    house.model = "other"
    await house.upload("Stays.")
    await house.run()
    assert (len(house.index.puts), len(house.index.rows)) == (2, 1)


async def test_what_is_refused_has_failed_with_the_reason_and_what_was_known_stays(house: House) -> None:
    await house.upload("Known.")
    await house.run()
    house.reader.failure = KnowledgeError("document_encrypted", "the document is protected by a password")
    await house.upload("Locked.")
    await house.run()
    assert (house.document.state, house.document.failure) == (
        DocumentState.FAILED,
        ("document_encrypted", "the document is protected by a password"),
    )
    assert house.index.texts() == {"Known."}


async def test_what_may_be_mended_is_raised_and_can_be_given_up(house: House) -> None:
    await house.upload("One.")
    request = replace(REQUEST, revision=house.document.revision)
    await house.ingest.read(request)
    house.index.failures = [UNAVAILABLE]
    with pytest.raises(KnowledgeError):
        await house.ingest.index(request)
    assert house.document.state is DocumentState.INDEXING
    assert await house.ingest.give_up(request) == OVERTAKEN
    assert house.document.state is DocumentState.FAILED
    assert house.document.failure is not None
    await house.upload("One.")
    await house.run()
    assert house.document.state is DocumentState.READY


async def test_steps_of_an_older_revision_do_nothing(house: House) -> None:
    await house.upload("Old.")
    old = replace(REQUEST, revision=house.document.revision)
    await house.ingest.read(old)
    await house.upload("New.")
    for step in (
        house.ingest.read,
        house.ingest.index,
        house.ingest.finish,
        house.ingest.give_up,
        house.ingest.erase,
    ):
        assert await step(old) == OVERTAKEN
    assert house.index.texts() == set()
    assert house.document.state is DocumentState.QUEUED


async def test_deleted_is_gone_from_the_index_the_files_and_the_rows(house: House) -> None:
    await house.upload("One.", "Two.")
    await house.run()
    await house.documents.mark_deleting(KEY)
    await house.run()
    assert (house.index.rows, house.files.kept, house.documents.rows) == ({}, {}, {})


async def test_deleted_while_it_is_indexed_leaves_nothing(house: House) -> None:
    await house.upload("One.", "Two.")
    request = replace(REQUEST, revision=house.document.revision)
    await house.ingest.read(request)

    def deleted_meanwhile() -> None:
        key, row = next(iter(house.documents.rows.items()))
        house.documents.rows[key] = replace(row, state=DocumentState.DELETING, revision=row.revision + 100)

    house.index.before_put = deleted_meanwhile
    assert await house.ingest.index(request) == OVERTAKEN
    assert house.index.rows == {}, "who erased it may have looked before this was written"
    house.index.before_put = lambda: None
    await house.run()
    assert (house.index.rows, house.files.kept, house.documents.rows) == ({}, {}, {})


async def test_a_worker_that_wakes_after_the_deletion_leaves_nothing(house: House) -> None:
    await house.upload("One.")
    request = replace(REQUEST, revision=house.document.revision)
    await house.ingest.read(request)
    house.index.before_put = house.documents.rows.clear
    assert await house.ingest.index(request) == OVERTAKEN
    assert house.index.rows == {}


async def test_a_crash_in_the_middle_of_erasing_is_made_good(house: House) -> None:
    await house.upload("One.")
    await house.run()
    await house.documents.mark_deleting(KEY)
    house.index.failures = [UNAVAILABLE]
    with pytest.raises(KnowledgeError):
        await house.run()
    assert KEY in house.documents.rows
    await house.run()
    assert (house.index.rows, house.files.kept, house.documents.rows) == ({}, {}, {})


async def test_an_upload_that_did_not_end_is_told(house: House) -> None:
    await house.upload("One.")
    house.files.kept.clear()
    await house.run()
    assert house.document.failure == ("upload_incomplete", "the upload did not come to its end")
