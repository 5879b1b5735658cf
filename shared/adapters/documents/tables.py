"""Rows of a table as sentences of their own: each value beside the name of its column."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from shared.domain.knowledge.blocks import Block, BlockKind


def rows_of(table: Iterable[Sequence[str]]) -> Iterator[Block]:
    """The first row names the columns; a table of one row, or of one column, has no names."""
    head: list[str] | None = None
    alone = True
    for given in table:
        row = [" ".join(cell.split()) for cell in given]
        if not any(row):
            continue
        if head is None:
            head = row
            continue
        alone = False
        yield Block(_sentence(head, row), BlockKind.ROW)
    if alone and head is not None:
        yield Block(" | ".join(cell for cell in head if cell), BlockKind.ROW)


def _sentence(head: Sequence[str], row: Sequence[str]) -> str:
    if len(head) == 1:
        return "; ".join(cell for cell in row if cell)
    names = [*head, *[""] * (len(row) - len(head))]
    return "; ".join(f"{name}: {cell}" if name else cell for name, cell in zip(names, row, strict=False) if cell)
