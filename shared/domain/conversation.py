"""What the model is told: who it is, what has been said, and what the caller says now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

_MANNERS = (
    "You are speaking with a caller on the telephone. Answer in one or two short spoken sentences. "
    "Use plain words without lists, markup, emoji or links. If you do not know something, say so."
)
_REMEMBERED_TURNS = 20

APOLOGY = "I am sorry, something went wrong on my side. Could you say that again?"


def system_prompt(persona: str, *, switched_to: str = "") -> str:
    """`switched_to`: the tag of the language that the caller speaks now, where it is not the agent's own."""
    language = f" The caller speaks the language {switched_to}: answer in it." if switched_to else ""
    return f"{persona}\n\n{_MANNERS}{language}"


def remembered(journals: Sequence[Mapping[str, str]]) -> list[tuple[str, str]]:
    """The exchanges so far, as (caller, agent), from the journals of turns 0…n: what was really heard of each
    answer. Either may be empty, as the caller's part before the greeting is; where both are, it is left out.
    """
    exchanges = [(journal.get("heard", ""), journal.get("said", "")) for journal in journals]
    return [exchange for exchange in exchanges if any(exchange)][-_REMEMBERED_TURNS:]
