"""Markdown and plain text, by their lines: headings, paragraphs, tables. Source: https://spec.commonmark.org"""

from __future__ import annotations

import re
from collections.abc import Iterator

from shared.adapters.documents.letters import text_in
from shared.adapters.documents.tables import rows_of
from shared.domain.knowledge.blocks import Block, BlockKind, ReadDocument, ReadingLimits, collected

_HEADING = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*")
_UNDERLINE = re.compile(r" {0,3}(=+|-{2,})[ \t]*")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_TABLE_RULE = re.compile(r"[ \t]*\|?[ \t]*:?-+:?[ \t]*(\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*")
_ITEM = re.compile(r"[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]+")
_RULE = re.compile(r" {0,3}([-*_])(?:[ \t]*\1){2,}[ \t]*")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_LINK = re.compile(r"!?\[([^\]\n]{0,500})\]\([^)\s]{0,2000}(?:\s+\"[^\"\n]{0,500}\")?\)")
_STRONG = re.compile(r"(\*\*|__)(?=\S)([^*_\n]{1,500})(?<=\S)\1")


def read_markdown(data: bytes, limits: ReadingLimits) -> ReadDocument:
    """Raises: Refused. Comments, which nobody sees, are not read."""
    lines = _COMMENT.sub("", text_in(data)).split("\n")
    blocks = list(_blocks(lines))
    title = next((block.text for block in blocks if block.kind is BlockKind.HEADING and block.level == 1), "")
    return collected(blocks, limits, title)


def read_text(data: bytes, limits: ReadingLimits) -> ReadDocument:
    """Paragraphs, between empty lines. Raises: Refused."""
    paragraphs = re.split(r"\n[ \t]*\n", text_in(data))
    return collected([Block(paragraph.strip()) for paragraph in paragraphs], limits)


def _blocks(lines: list[str]) -> Iterator[Block]:
    paragraph, table = list[str](), list[str]()
    fence = ""
    for line in lines:
        if fence or _FENCE.match(line):
            found = _FENCE.match(line)
            if found and (not fence or found[1].startswith(fence)):
                fence = "" if fence else found[1]
                line = ""  # noqa: PLW2901 - the fence itself is no text
            paragraph.append(line)
            continue
        is_row = line.lstrip().startswith("|") or (bool(table) and "|" in line)
        if table and not is_row:
            yield from _table(table)
            table = []
        heading = _HEADING.fullmatch(line)
        underline = _UNDERLINE.fullmatch(line) if len(paragraph) == 1 else None
        if is_row or heading or underline or not line.strip() or _ITEM.match(line) or _RULE.fullmatch(line):
            if underline and not is_row:
                level = 1 if "=" in underline[1] else 2
                yield Block(_plain(paragraph.pop()), BlockKind.HEADING, level)
                continue
            yield from _paragraph(paragraph)
            paragraph = []
        if is_row:
            table.append(line)
        elif heading:
            yield Block(_plain(heading[2] or ""), BlockKind.HEADING, len(heading[1]))
        elif line.strip() and not _RULE.fullmatch(line):
            paragraph.append(_ITEM.sub("", line))
    yield from _table(table)
    yield from _paragraph(paragraph)


def _paragraph(lines: list[str]) -> Iterator[Block]:
    if text := _plain(" ".join(line.strip() for line in lines)):
        yield Block(text)


def _table(lines: list[str]) -> Iterator[Block]:
    rows = [line for line in lines if not _TABLE_RULE.fullmatch(line)]
    yield from rows_of([_plain(cell) for cell in row.strip().strip("|").split("|")] for row in rows)


def _plain(text: str) -> str:
    return " ".join(_STRONG.sub(r"\2", _LINK.sub(r"\1", text)).replace("`", "").split())
