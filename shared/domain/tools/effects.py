"""When a tool may be called at all, seen from what it does to the world."""

from __future__ import annotations

from shared.domain.agents.tools import BuiltIn, Effect

_LEAVING = frozenset({BuiltIn.TRANSFER, BuiltIn.HANG_UP})


def may_run_tentatively(effect: Effect) -> bool:
    """Whether it may be called for words that the caller may not have finished, and for nothing if they go on."""
    return effect is Effect.READS


def leaves_the_call(name: str, *, transfers_with_answers: bool = False) -> bool:
    """Whether our part ends with it: it is called when what was said before has been heard; but for a transfer on a
    line that can be told of it with the answer alone, and does it after the words.
    """
    return name in _LEAVING and not (transfers_with_answers and name == BuiltIn.TRANSFER)
