"""Documents of every format come in from outside, what is made to harm does not, and nobody meets another's."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
import psycopg
import pytest
from azure.storage.blob.aio import ContainerClient

from local_stack.supervisor.addresses import Addresses
from local_stack.supervisor.app_settings import storage_connection_string
from shared.domain.knowledge.blocks import LIMITS
from tests.end_to_end.stack import Stack
from tests.shared.adapters.documents import files

pytestmark = [pytest.mark.slow, pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="module")]

COLLECTION = "harbour"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
PDF = "application/pdf"
HTML = b"<!doctype html><title>Tides</title><body><h1>Tides</h1><p>High water is at noon.<script>steal()</script>"
MARKDOWN = "# Berths\n\n## Guests\n\nGuests moor at **jetty nine**.\n\n| Length | Fee |\n|---|---|\n| 8 m | 20 |\n"
TEXT = "The crane lifts four tons.\n\nक्रेन चार टन उठाती है।\n"
CSV = "Boat,Berth\nMarigold,14\nपवन,15\n"

FORMATS: dict[str, tuple[str, Callable[[], bytes], list[str]]] = {
    "rules.pdf": (PDF, lambda: files.pdf(["No anchors here.", "Speed is five knots."], title="Rules"),
                  ["No anchors here.", "Speed is five knots."]),
    "shop.docx": (DOCX, files.docx, ["Item: Tent; Price: 99", "बंद रविवार को।"]),
    "tides.html": ("text/html; charset=utf-8", lambda: HTML, ["High water is at noon."]),
    "berths.md": ("text/markdown", MARKDOWN.encode, ["jetty nine", "Length: 8 m; Fee: 20"]),
    "crane.txt": ("text/plain", TEXT.encode, ["The crane lifts four tons.", "क्रेन चार टन उठाती है।"]),
    "boats.csv": ("text/csv", CSV.encode, ["Boat: Marigold; Berth: 14", "Boat: पवन; Berth: 15"]),
}  # fmt: skip
EXTERNAL_ENTITY = b'<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><d>&x;</d>'
UNREADABLE = ("document_damaged", "document_too_costly", "document_without_text")
"""Where a library gives up depends on its version; that it does, not."""
MALICIOUS: dict[str, tuple[str, Callable[[], bytes], tuple[str, ...]]] = {
    "bomb.docx": (DOCX, lambda: files.docx_with(b"<a/>", **{"word/media/a.png": b"\0" * 150_000_000}),
                  ("document_too_costly",)),
    "entities.docx": (DOCX, files.entity_bomb, ("document_damaged",)),
    "external.docx": (DOCX, lambda: files.docx_with(EXTERNAL_ENTITY), ("document_damaged",)),
    "locked.pdf": (PDF, lambda: files.pdf(["x"], user_password="user"), ("document_encrypted",)),
    "endless.pdf": (PDF, files.endless_pdf, UNREADABLE),
    "long.pdf": (PDF, lambda: files.pdf(["x"] * (LIMITS.pages + 1)), ("document_too_long",)),
    "dense.pdf": (PDF, lambda: files.bomb_pdf(400_000_000), UNREADABLE),
    "nested.html": ("text/html", lambda: b"<div hidden>" * 500_000, ("document_too_costly",)),
    "noise.txt": ("text/plain", lambda: bytes(range(256)) * 200, ("document_encoding",)),
}  # fmt: skip
NOT_TAKEN: dict[str, tuple[str, Callable[[], bytes], int, str]] = {
    "page that is called a PDF": (PDF, lambda: HTML, 400, "document_format"),
    "PDF that is called text": ("text/plain", lambda: files.pdf(["x"]), 400, "document_format"),
    "program": ("application/x-msdownload", lambda: b"MZ\x90", 400, "document_format"),
    "nothing": ("text/plain", lambda: b"", 400, "document_empty"),
    "more than allowed": ("text/plain", lambda: b"a" * (LIMITS.document_bytes + 1), 413, "body_too_large"),
}


@dataclass
class Shelf:
    """A tenant's documents, as its administrator sees them."""

    stack: Stack
    client: httpx.AsyncClient
    collection: str = COLLECTION

    def path(self, document_id: str = "") -> str:
        return f"/api/knowledge/{self.collection}/documents" + (f"/{document_id}" if document_id else "")

    async def put(self, document_id: str, content_type: str, content: bytes) -> httpx.Response:
        headers, name = {"Content-Type": content_type}, {"file_name": document_id}
        return await self.client.put(self.path(document_id), content=content, headers=headers, params=name)

    async def settled(self, document_id: str) -> dict[str, Any]:
        """What is shown of it once nobody works on it any more; {} when it is gone."""

        async def look() -> dict[str, Any] | None:
            answer = await self.client.get(self.path(document_id))
            shown: dict[str, Any] = answer.json()
            return {} if answer.status_code == 404 else shown if shown["state"] in ("ready", "failed") else None

        return await found(look)

    async def listed(self) -> dict[str, str]:
        answer = (await self.client.get(self.path())).json()
        return {each["document_id"]: each["state"] for each in answer["documents"]}

    async def take_away(self, document_id: str) -> None:
        assert (await self.client.delete(self.path(document_id))).status_code == 202
        assert await self.settled(document_id) == {}


Found = TypeVar("Found")


async def found(look: Callable[[], Awaitable[Found | None]], within_s: float = 90) -> Found:
    deadline = time.monotonic() + within_s
    while (seen := await look()) is None:
        assert time.monotonic() < deadline, "it never came"
        await asyncio.sleep(0.1)
    return seen


@pytest.fixture(scope="module")
def stack(scripted_stack: Stack) -> Stack:
    return scripted_stack


@pytest.fixture
async def shelf(stack: Stack) -> AsyncIterator[Shelf]:
    async with client_of(stack, "--role", "admin") as client:
        yield Shelf(stack, client)


def client_of(stack: Stack, *who: str) -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {stack.command('token', *who)}"}
    return httpx.AsyncClient(base_url=stack.app_url, headers=headers, timeout=60)


async def indexed(stack: Stack, document_id: str) -> dict[str, list[str]]:
    """What Chroma itself holds of a document: texts by the name of the collection, which is a tenant's."""
    base = f"http://127.0.0.1:{stack.ports['chroma']}/api/v2/tenants/default_tenant/databases/default_database"
    held: dict[str, list[str]] = {}
    async with httpx.AsyncClient(base_url=base) as chroma:
        for each in (await chroma.get("/collections")).json():
            asked = {"where": {"document_id": document_id}, "include": ["documents"]}
            answer = (await chroma.post(f"/collections/{each['id']}/get", json=asked)).json()
            if answer["ids"]:
                held[each["name"]] = sorted(answer["documents"])
    return held


async def blobs(stack: Stack) -> set[str]:
    connection = storage_connection_string(Addresses(stack.state_dir, stack.ports))
    async with ContainerClient.from_connection_string(connection, "documents") as container:
        return {blob.name async for blob in container.list_blobs()} if await container.exists() else set()


def rows(stack: Stack) -> int:
    with psycopg.connect(stack.database_url) as connection:
        counted = connection.execute("select count(*) from knowledge_documents").fetchone()
    assert counted is not None
    return int(counted[0])


async def test_every_format_from_upload_to_deletion(stack: Stack, shelf: Shelf) -> None:
    before = (await blobs(stack), rows(stack))
    for _ in range(2):  # the second upload replaces the first, without a passage twice
        for name, (content_type, build, _) in FORMATS.items():
            put = await shelf.put(name, content_type, build())
            assert (put.status_code, put.json()["file_name"]) == (202, name), put.text
        for name, (_, _, facts) in FORMATS.items():
            shown = await shelf.settled(name)
            assert (shown["state"], shown["failure"]) == ("ready", None), shown
            assert shown["passages"]["done"] == shown["passages"]["total"] > 0
            ((_, texts),) = (await indexed(stack, name)).items()
            assert len(texts) == len(set(texts)) == shown["passages"]["total"]
            assert all(any(fact in text for text in texts) for fact in facts), texts
            assert not any("steal" in text for text in texts)
    assert set(await shelf.listed()) >= set(FORMATS)
    for name in FORMATS:
        await shelf.take_away(name)
        assert await indexed(stack, name) == {}
    assert (await blobs(stack), rows(stack)) == before


@pytest.mark.parametrize("name", MALICIOUS)
async def test_what_is_made_to_harm_is_refused_with_its_reason(stack: Stack, shelf: Shelf, name: str) -> None:
    content_type, build, codes = MALICIOUS[name]
    assert (await shelf.put(name, content_type, build())).status_code == 202
    shown = await shelf.settled(name)
    assert (shown["state"], shown["failure"]["code"] in codes) == ("failed", True), shown
    assert await indexed(stack, name) == {}
    await shelf.take_away(name)
    assert name not in await shelf.listed()


@pytest.mark.parametrize("name", NOT_TAKEN)
async def test_what_is_no_document_is_not_taken(shelf: Shelf, name: str) -> None:
    content_type, build, status, code = NOT_TAKEN[name]
    answer = await shelf.put("refused", content_type, build())
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert "refused" not in await shelf.listed()


async def test_a_good_one_takes_the_place_of_one_that_was_refused(stack: Stack, shelf: Shelf) -> None:
    await shelf.put("plan", PDF, files.pdf(["x"], user_password="user"))
    assert (await shelf.settled("plan"))["state"] == "failed"
    await shelf.put("plan", PDF, files.pdf(["The plan is simple."]))
    shown = await shelf.settled("plan")
    assert (shown["state"], shown["failure"]) == ("ready", None)
    await shelf.put("plan", PDF, b"%PDF-1.7 nothing")
    assert (await shelf.settled("plan"))["state"] == "failed"
    await shelf.take_away("plan")
    assert await indexed(stack, "plan") == {}


async def test_two_tenants_with_the_same_names_have_nothing_in_common(stack: Stack, shelf: Shelf) -> None:
    async with client_of(stack, "--user", "gustav") as client:
        other = Shelf(stack, client)
        await shelf.put("hours", "text/plain", b"Acme opens at nine.")
        assert (await shelf.settled("hours"))["state"] == "ready"
        assert await other.listed() == {}
        assert (await client.get(other.path("hours"))).status_code == 404
        assert (await client.delete(other.path("hours"))).status_code == 404

        await other.put("hours", "text/plain", b"Globex opens at ten.")
        assert (await other.settled("hours"))["state"] == "ready"
        held = await indexed(stack, "hours")
        assert sorted(held.values()) == [["Acme opens at nine."], ["Globex opens at ten."]]

        await other.take_away("hours")
        assert list((await indexed(stack, "hours")).values()) == [["Acme opens at nine."]]
        assert (await shelf.listed())["hours"] == "ready"
        await shelf.take_away("hours")


async def test_documents_are_for_administrators(stack: Stack) -> None:
    for role, status in (("operator", 403), ("caller", 403)):
        async with client_of(stack, "--role", role) as client:
            shelf = Shelf(stack, client)
            assert (await shelf.put("x", "text/plain", b"x")).status_code == status
            assert (await client.get(shelf.path())).status_code == status
            assert (await client.delete(shelf.path("x"))).status_code == status
    async with httpx.AsyncClient(base_url=stack.app_url) as nobody:
        assert (await nobody.get(f"/api/knowledge/{COLLECTION}/documents")).status_code == 401
