"""What the model is told: who it is, what has been said, and what the caller says now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

_MANNERS = (
    "You are speaking with a caller on the telephone. Answer in one or two short spoken sentences. "
    "Use plain words without lists, markup, emoji or links. If you do not know something, say so."
)
_REMEMBERED_TURNS = 20

GREETING = "(The call begins.)"
"""Models expect the caller to begin; this stands for the ringing that the greeting answers."""

APOLOGY = "I am sorry, something went wrong on my side. Could you say that again?"
NOT_UNDERSTOOD = "Sorry, I did not catch that."


def system_prompt(persona: str) -> str:
    return f"{persona}\n\n{_MANNERS}"


def remembered(journals: Sequence[Mapping[str, str]]) -> list[tuple[str, str]]:
    """The exchanges so far, as (caller, agent), from the journals of turns 0…n: what was really heard of each
    answer. Turns in which nobody said anything are passed over.
    """
    exchanges = []
    for number, journal in enumerate(journals):
        heard = journal.get("heard", GREETING if number == 0 else "")
        said = journal.get("said", "")
        if said or (heard and number):
            exchanges.append((heard, said))
    return exchanges[-_REMEMBERED_TURNS:]
