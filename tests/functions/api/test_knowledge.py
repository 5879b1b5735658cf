"""The documents API: administrators bring, list and take away their own tenant's documents, nobody else any."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import azure.functions as func
import pytest
from azure.durable_functions import OrchestrationRuntimeStatus as Status

from functions.api import knowledge
from shared.domain.errors import InvalidRequest
from shared.domain.knowledge.blocks import LIMITS
from shared.domain.knowledge.documents import DocumentKey, DocumentState
from shared.use_cases.knowledge.keep_documents import KeepDocuments
from tests.fakes.knowledge import FakeKnowledgeDocuments
from tests.fakes.stores import FakeFileStore
from tests.functions.conftest import Installer, assert_problem, document_of, request, user_function

KEY = DocumentKey("tenant-1", "shop", "faq")
EVERYTHING = ("put_document", "list_documents", "get_document", "delete_document")


class FakeClient:
    """The durable client: what is started is over at once."""

    def __init__(self) -> None:
        self.started: list[tuple[str, str, Any]] = []
        self.status: Any = None
        self.fails = False

    async def start_new(self, name: str, instance_id: str, content: Any) -> None:
        if self.fails:
            raise ConnectionError("engine")
        self.started.append((name, instance_id, content))

    async def get_status(self, instance_id: str) -> Any:
        return SimpleNamespace(runtime_status=self.status)


@pytest.fixture(autouse=True)
def documents(install: Installer) -> FakeKnowledgeDocuments:
    documents = FakeKnowledgeDocuments()
    install(knowledge, knowing=SimpleNamespace(keep_documents=KeepDocuments(documents, FakeFileStore())))
    return documents


async def ask(
    name: str,
    body: bytes = b"",
    *,
    token: str | None = "admin",
    client: FakeClient | None = None,
    content_type: str = "text/plain",
    collection: str = "shop",
    document_id: str = "faq",
    params: dict[str, str] | None = None,
) -> func.HttpResponse:
    route = {"collection": collection, "document_id": document_id}
    asked = request(route=route, body=body, token=token, headers={"Content-Type": content_type}, params=params or {})
    needs_client = name in ("put_document", "delete_document")
    function = user_function(getattr(knowledge, name))
    response: func.HttpResponse = await (
        function(asked, client=client or FakeClient()) if needs_client else function(asked)
    )
    return response


async def test_from_upload_to_deletion(documents: FakeKnowledgeDocuments) -> None:
    client = FakeClient()
    put = await ask("put_document", b"words", client=client, params={"file_name": "FAQ.txt"})
    assert put.status_code == 202
    shown = document_of(put)
    assert (shown["state"], shown["file_name"], shown["kind"], shown["size_bytes"]) == (
        "queued",
        "FAQ.txt",
        "text",
        5,
    )
    name, instance_id, content = client.started[0]
    assert (name, instance_id) == ("ingest", KEY.instance_id)
    assert (content["tenant_id"], content["collection"], content["document_id"]) == ("tenant-1", "shop", "faq")
    await documents.mark(documents.rows[KEY], DocumentState.INDEXING, done=3, total=9)
    assert document_of(await ask("get_document"))["passages"] == {"done": 3, "total": 9}
    listed = document_of(await ask("list_documents"))["documents"]
    assert [each["document_id"] for each in listed] == ["faq"]
    assert document_of(await ask("list_documents", params={"after": "faq"})) == {"documents": []}
    deleted = await ask("delete_document", client=client)
    assert (deleted.status_code, document_of(deleted)["state"]) == (202, "deleting")
    assert len(client.started) == 2


async def test_a_failure_is_shown_with_its_reason(documents: FakeKnowledgeDocuments) -> None:
    await ask("put_document", b"words")
    await documents.mark(documents.rows[KEY], DocumentState.FAILED, failure=("document_encrypted", "locked"))
    assert document_of(await ask("get_document"))["failure"] == {"code": "document_encrypted", "message": "locked"}


@pytest.mark.parametrize("name", EVERYTHING)
@pytest.mark.parametrize(("token", "status"), [(None, 401), ("stranger", 401), ("operator", 403), ("caller", 403)])
async def test_only_administrators(name: str, token: str | None, status: int) -> None:
    response = await ask(name, b"words", token=token)
    assert response.status_code == status


async def test_other_tenants_documents_are_not_there(documents: FakeKnowledgeDocuments) -> None:
    await ask("put_document", b"words")
    documents.rows[DocumentKey("tenant-2", "shop", "faq")] = documents.rows.pop(KEY)
    assert_problem(await ask("get_document"), 404, "document_unknown")
    assert_problem(await ask("delete_document"), 404, "document_unknown")
    assert document_of(await ask("list_documents")) == {"documents": []}


@pytest.mark.parametrize(
    ("more", "status", "code"),
    [
        ({"body": b""}, 400, "document_empty"),
        ({"body": b"a" * (LIMITS.document_bytes + 1)}, 413, "body_too_large"),
        ({"content_type": "image/png"}, 400, "document_format"),
        ({"collection": "a'b"}, 400, "collection"),
        ({"document_id": "a/b"}, 400, "document_id"),
    ],
)
async def test_bad_uploads(more: Any, status: int, code: str) -> None:
    body = more.pop("body", b"words")
    assert_problem(await ask("put_document", body, **more), status, code)


async def test_an_engine_that_does_not_start_is_told() -> None:
    client = FakeClient()
    client.fails = True
    assert_problem(await ask("put_document", b"words", client=client), 503, "engine_refused")


async def test_who_is_at_work_is_not_started_twice(documents: FakeKnowledgeDocuments) -> None:
    client = FakeClient()
    client.status = Status.Running

    async def taken_up(instance_id: str) -> Any:
        await documents.mark(documents.rows[KEY], DocumentState.READING)
        return SimpleNamespace(runtime_status=Status.Running)

    client.get_status = taken_up  # type: ignore[method-assign]
    assert (await ask("put_document", b"words", client=client)).status_code == 202
    assert client.started == []


async def test_without_an_index_documents_are_refused(install: Installer) -> None:
    class NotSetUp:
        @property
        def keep_documents(self) -> KeepDocuments:
            raise InvalidRequest("knowledge_not_set_up", "none")

    install(knowledge, knowing=NotSetUp())
    assert_problem(await ask("put_document", b"words"), 400, "knowledge_not_set_up")
