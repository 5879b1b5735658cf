"""What a document is made of once it is read: headings, paragraphs and rows, in their order."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class BlockKind(StrEnum):
    """What a piece of a document is."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    ROW = "row"


@dataclass(frozen=True, slots=True)
class Block:
    """`level`: of a heading, 1 the highest. `page`: from 1, 0 where there are none."""

    text: str
    kind: BlockKind = BlockKind.PARAGRAPH
    level: int = 0
    page: int = 0


@dataclass(frozen=True, slots=True)
class ReadDocument:
    """`title`: as the document has it itself, or empty."""

    title: str
    blocks: tuple[Block, ...]


class Refused(Exception):
    """A document that is not read, and why: `code` for programs, the text for who uploaded it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class ReadingLimits:
    """What one document may cost. `expanded_bytes`: of all that is packed in it, together."""

    document_bytes: int = 20_000_000
    expanded_bytes: int = 100_000_000
    pages: int = 500
    characters: int = 2_000_000
    blocks: int = 20_000
    seconds: int = 60
    memory_bytes: int = 1_000_000_000


LIMITS = ReadingLimits()


def collected(blocks: list[Block], limits: ReadingLimits, title: str = "") -> ReadDocument:
    """The document, without what is empty. Raises: Refused for too much, and for nothing at all."""
    kept = tuple(block for block in blocks if block.text)
    if not any(block.kind is not BlockKind.HEADING for block in kept):
        raise Refused("document_without_text", "the document has no text: a scan has to be made readable first")
    if len(kept) > limits.blocks or sum(len(block.text) for block in kept) > limits.characters:
        raise Refused("document_too_long", f"the document has more than {limits.characters} characters of text")
    return ReadDocument(" ".join(title.split())[:200], kept)
