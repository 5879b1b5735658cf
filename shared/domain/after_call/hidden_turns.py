"""A call's turns without personal data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from shared.domain.after_call.names import names_in
from shared.domain.after_call.redaction import redacted_all
from shared.domain.call import Turn


def redacted_turns(turns: Sequence[Turn], *, known: Sequence[str] = (), greeting: str = "") -> tuple[Turn, ...]:
    """What is hidden in one of them is hidden in all. `known`: as `redacted` has it. `greeting`: the agent's own,
    which the company has published: the name in it is nobody's secret, unless it may be the caller's too.
    """
    callers = [*known, *(name for turn in turns for name in names_in(turn.heard or ""))]
    words = {word for name in callers for word in name.split()}
    public = [name for name in names_in(greeting) if words.isdisjoint(name.split())]
    published = [turn.number == 0 and greeting.startswith(turn.said) for turn in turns]
    said = ["" if is_own else turn.said for turn, is_own in zip(turns, published, strict=True)]
    hidden = redacted_all([*(turn.heard or "" for turn in turns), *said], known=known, public=public)
    return tuple(
        replace(turn, heard=None if turn.heard is None else heard, said=turn.said if is_own else said)
        for turn, is_own, heard, said in zip(turns, published, hidden, hidden[len(turns) :], strict=False)
    )
