"""DOCX, by python-docx: headings, paragraphs, and tables row by row. Source: https://python-docx.readthedocs.io"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

from docx import Document
from docx.table import Table, _Row
from docx.text.paragraph import Paragraph

from shared.adapters.documents.packed import check_packed
from shared.adapters.documents.tables import rows_of
from shared.domain.knowledge.blocks import Block, BlockKind, ReadDocument, ReadingLimits, collected

_HEADING = re.compile(r"heading ([1-9])", re.IGNORECASE)
_TITLE = "title"


def read_docx(data: bytes, limits: ReadingLimits) -> ReadDocument:
    """Raises: Refused."""
    check_packed(data, limits, needed="word/document.xml")
    document = Document(io.BytesIO(data))
    blocks = list[Block]()
    title = document.core_properties.title or ""
    for part in document.iter_inner_content():
        if isinstance(part, Table):
            blocks += rows_of([cell.text for cell in row.cells] for row in _rows(part, limits))
        elif block := _block(part):
            title = title or (block.text if block.level == 1 else "")
            blocks.append(block)
        if len(blocks) > limits.blocks:
            break  # `collected` says that it is too much
    return collected(blocks, limits, title)


def _rows(table: Table, limits: ReadingLimits) -> Iterator[_Row]:
    for number, row in enumerate(table.rows):
        if number > limits.blocks:
            return
        yield row


def _block(paragraph: Paragraph) -> Block | None:
    text = paragraph.text.strip()
    style = (paragraph.style.name or "") if paragraph.style is not None else ""
    if not text:
        return None
    if style.lower() == _TITLE:
        return Block(text, BlockKind.HEADING, level=1)
    if found := _HEADING.fullmatch(style):
        return Block(text, BlockKind.HEADING, level=int(found[1]))
    return Block(text)
