"""PDF, by pypdf: the text of each page in paragraphs. Source: https://pypdf.readthedocs.io/en/stable/"""

from __future__ import annotations

import io
import logging
import re

from pypdf import PasswordType, PdfReader
from pypdf.errors import PdfReadError

from shared.domain.knowledge.blocks import Block, ReadDocument, ReadingLimits, Refused, collected

_PARAGRAPH_ENDS = re.compile(r"\n\s*\n")
_HYPHENATED = re.compile(r"(?<=[^\W\d_])-\n(?=[a-z])")


def read_pdf(data: bytes, limits: ReadingLimits) -> ReadDocument:
    """Raises: Refused. What is only in pictures is not read."""
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        reader = PdfReader(io.BytesIO(data), strict=False)
        # Without a password for opening it, a document may still forbid its printing.
        if reader.is_encrypted and reader.decrypt("") is PasswordType.NOT_DECRYPTED:
            raise Refused("document_encrypted", "the document is protected by a password")
        if len(reader.pages) > limits.pages:
            raise Refused("document_too_long", f"the document has more than {limits.pages} pages")
        title = str((reader.metadata.title if reader.metadata else "") or "")
        blocks = list[Block]()
        characters = 0
        for number, page in enumerate(reader.pages, start=1):
            if number > limits.pages:
                raise Refused("document_too_long", f"the document has more than {limits.pages} pages")
            text = page.extract_text()
            characters += len(text)
            if characters > limits.characters:
                raise Refused("document_too_long", f"the document has more than {limits.characters} characters")
            blocks += [Block(_joined(part), page=number) for part in _PARAGRAPH_ENDS.split(text)]
    except PdfReadError as error:
        raise Refused("document_damaged", f"the PDF cannot be read ({type(error).__name__})") from error
    return collected(blocks, limits, title)


def _joined(paragraph: str) -> str:
    """Its lines are the layout's; where a sentence ends, a line stays."""
    lines = _HYPHENATED.sub("", paragraph).split("\n")
    return " ".join(" ".join(lines).split())
