"""A call in words."""

from __future__ import annotations

from collections.abc import Iterable

from shared.domain.call import Turn


def text_of(turns: Iterable[Turn]) -> str:
    """A line a speech, `caller: …` and `agent: …`; of an interrupted answer what was heard of it. Below an answer
    stand the passages on which it rests.
    """
    lines = []
    for turn in turns:
        if turn.heard:
            lines.append(f"caller: {turn.heard}")
        if turn.said:
            lines.append(f"agent: {turn.said}")
            lines += [f"  rests on: {citation}" for citation in turn.citations]
    return "\n".join(lines)


def with_keys(words: str, keys: str) -> str:
    """What the caller said and pressed, as one text: `(keys: 1 2)`. The `#` that ends the keys is none of them."""
    pressed = keys[:-1] if len(keys) > 1 and keys.endswith("#") else keys
    return f"{words} (keys: {' '.join(pressed)})".strip() if pressed else words
