"""A call in words."""

from __future__ import annotations

from collections.abc import Iterable

from shared.domain.call import Turn


def text_of(turns: Iterable[Turn]) -> str:
    """A line a speech, `caller: …` and `agent: …`; of an interrupted answer what was heard of it."""
    lines = []
    for turn in turns:
        if turn.heard:
            lines.append(f"caller: {turn.heard}")
        if turn.said:
            lines.append(f"agent: {turn.said}")
    return "\n".join(lines)
