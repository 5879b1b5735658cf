"""The formats that can be read, and how they are told apart: by what is said of a file, and by its beginning."""

from __future__ import annotations

from enum import StrEnum

from shared.domain.errors import InvalidRequest


class DocumentKind(StrEnum):
    """A format."""

    PDF = "pdf"
    DOCX = "docx"
    HTML = "html"
    MARKDOWN = "markdown"
    TEXT = "text"
    CSV = "csv"


_TYPES = {
    "application/pdf": DocumentKind.PDF,
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": DocumentKind.DOCX,
    "text/html": DocumentKind.HTML,
    "application/xhtml+xml": DocumentKind.HTML,
    "text/markdown": DocumentKind.MARKDOWN,
    "text/x-markdown": DocumentKind.MARKDOWN,
    "text/plain": DocumentKind.TEXT,
    "text/csv": DocumentKind.CSV,
    "application/csv": DocumentKind.CSV,
}
_ENDINGS = {
    "pdf": DocumentKind.PDF,
    "docx": DocumentKind.DOCX,
    "html": DocumentKind.HTML,
    "htm": DocumentKind.HTML,
    "md": DocumentKind.MARKDOWN,
    "markdown": DocumentKind.MARKDOWN,
    "txt": DocumentKind.TEXT,
    "csv": DocumentKind.CSV,
}
_VAGUE = ("", "application/octet-stream", "binary/octet-stream")
_PDF_WITHIN = 1024
_PDF_MARK = b"%PDF-"
"""Readers look for it in the first 1024 bytes. Source: PDF 1.7 reference, appendix H.3"""
_ZIP_MARK = b"PK\x03\x04"


def kind_of(content_type: str, file_name: str, data: bytes) -> DocumentKind:
    """Raises: InvalidRequest for a format that is not read, and for content that is not of the format it is said
    to be.
    """
    said = content_type.partition(";")[0].strip().lower()
    ending = file_name.rpartition(".")[2].lower()
    by_name = said in _VAGUE or (said == "text/plain" and ending in _ENDINGS)
    kind = _ENDINGS.get(ending) if by_name else _TYPES.get(said)
    if kind is None:
        raise InvalidRequest("document_format", f"a document is one of {', '.join(DocumentKind)}")
    is_pdf, is_zip = _PDF_MARK in data[:_PDF_WITHIN], data.startswith(_ZIP_MARK)
    if is_pdf != (kind is DocumentKind.PDF) or is_zip != (kind is DocumentKind.DOCX):
        raise InvalidRequest("document_format", f"the file's content is not {kind}")
    return kind
