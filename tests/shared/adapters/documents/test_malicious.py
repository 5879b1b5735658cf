"""What is made to harm is refused, with a reason, in little time and memory; the reader reads on."""

from __future__ import annotations

import os
import time
from dataclasses import replace

import pytest

from shared.adapters.documents.reader import ProcessDocumentReader
from shared.domain.errors import KnowledgeError
from shared.domain.knowledge.blocks import LIMITS
from shared.domain.knowledge.kinds import DocumentKind
from tests.shared.adapters.documents import files

QUICK = replace(LIMITS, seconds=3)
PDF, DOCX, HTML, MARKDOWN = DocumentKind.PDF, DocumentKind.DOCX, DocumentKind.HTML, DocumentKind.MARKDOWN
PARAGRAPH = b"<w:p><w:r><w:t>x</w:t></w:r></w:p>"

REFUSED = {
    "encrypted PDF": (PDF, lambda: files.pdf(["x"], user_password="user"), "document_encrypted"),
    "PDF of too many pages": (PDF, lambda: files.pdf(["x"] * 501), "document_too_long"),
    "PDF without text": (PDF, lambda: files.pdf([""]), "document_without_text"),
    "PDF that expands without end": (PDF, lambda: files.bomb_pdf(400_000_000), "document_*"),
    "PDF with a tree of pages that is its own branch": (PDF, files.endless_pdf, "document_*"),
    "PDF that draws without end": (PDF, lambda: files.slow_pdf(3_000_000), "document_*"),
    "PDF that is none": (PDF, lambda: b"%PDF-1.7 nothing", "document_damaged"),
    "PDF that is cut off": (PDF, lambda: files.pdf(["x" * 500])[:300], "document_*"),
    "ZIP bomb": (
        DOCX,
        lambda: files.docx_with(b"<a/>", **{"word/media/a.png": b"\0" * 150_000_000}),
        "document_too_costly",
    ),
    "ZIP of too many files": (
        DOCX,
        lambda: files.docx_with(b"<a/>", **{str(number): b"" for number in range(2_001)}),
        "document_too_costly",
    ),
    "ZIP that says it is smaller than it is": (
        DOCX,
        lambda: files.docx_with(b"<a/>" + b" " * 5_000).replace((5_004).to_bytes(4, "little"), b"\x01\0\0\0"),
        "document_damaged",
    ),
    "entity bomb": (DOCX, files.entity_bomb, "document_damaged"),
    "entity bomb in UTF-16": (DOCX, lambda: files.entity_bomb("utf-16"), "document_damaged"),
    "ZIP that is no DOCX": (DOCX, lambda: files.packed({"a.txt": b"a"}), "document_format"),
    "DOCX that is cut off": (DOCX, lambda: files.docx()[:3_000], "document_damaged"),
    "page that nests without end": (HTML, lambda: b"<div hidden>" * 500_000, "document_too_costly"),
    "page with a mark that is never closed": (HTML, lambda: b"<a " * 3_000_000, "document_*"),
    "Markdown of brackets": (MARKDOWN, lambda: b"[" * 2_500_000, "document_*"),
    "binary as text": (DocumentKind.TEXT, lambda: os.urandom(50_000), "document_encoding"),
    "too much text": (DocumentKind.TEXT, lambda: b"word " * 500_000, "document_too_long"),
    "nothing but space": (DocumentKind.TEXT, lambda: b" \n\n \n", "document_without_text"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", REFUSED)
async def test_it_is_refused_in_time(name: str) -> None:
    kind, build, code = REFUSED[name]
    data, began_s = build(), time.monotonic()
    with pytest.raises(KnowledgeError) as refused:
        await ProcessDocumentReader(limits=QUICK).read(data, kind)
    assert not refused.value.retryable
    assert refused.value.code == code or (code == "document_*" and refused.value.code.startswith("document_"))
    assert refused.value.message
    assert time.monotonic() - began_s < QUICK.seconds + 3


async def test_what_is_larger_than_allowed_is_not_read() -> None:
    small = replace(LIMITS, document_bytes=100)
    with pytest.raises(KnowledgeError, match="document_too_large"):
        await ProcessDocumentReader(limits=small).read(b"a" * 101, DocumentKind.TEXT)


async def test_external_entities_bring_nothing_in() -> None:
    xml = (
        b'<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
        b'<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>'
        b"<w:p><w:r><w:t>&x;</w:t></w:r></w:p></w:body></w:document>"
    )
    with pytest.raises(KnowledgeError, match="document_damaged"):
        await ProcessDocumentReader().read(files.docx_with(xml), DOCX)


async def test_the_process_knows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://secret")
    from shared.adapters.documents import reader

    seen: dict[str, str] = {}
    start = reader.asyncio.create_subprocess_exec

    async def watched(*command: str, **options: object) -> object:
        environment = options["env"]
        assert isinstance(environment, dict)
        seen.update(environment)
        return await start(*command, **options)

    monkeypatch.setattr(reader.asyncio, "create_subprocess_exec", watched)
    await ProcessDocumentReader().read(b"words", DocumentKind.TEXT)
    assert set(seen) == {"PYTHONPATH", "PYTHONUTF8"}
