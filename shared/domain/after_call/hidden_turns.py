"""A call's turns without personal data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from shared.domain.after_call.redaction import redacted_all
from shared.domain.call import Turn


def redacted_turns(turns: Sequence[Turn], *, known: Sequence[str] = ()) -> tuple[Turn, ...]:
    """What is hidden in one of them is hidden in all. `known`: as `redacted` has it."""
    texts = redacted_all([text or "" for turn in turns for text in (turn.heard, turn.said)], known=known)
    return tuple(
        replace(turn, heard=None if turn.heard is None else texts[2 * i], said=texts[2 * i + 1])
        for i, turn in enumerate(turns)
    )
