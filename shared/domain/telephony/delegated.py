"""What a provider's own agent tells of a conversation when it is over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.domain.call import Turn, TurnOutcome


@dataclass(frozen=True, slots=True)
class Speech:
    """One speech of a transcript, in the language in which the provider keeps it."""

    is_caller: bool
    text: str


@dataclass(frozen=True, slots=True)
class Delegated:
    """`interaction_id`: the provider's name of the conversation, beside that of the call. `variables`: what its agent
    knew at the end.
    """

    interaction_id: str = ""
    failure_reason: str = ""
    variables: Mapping[str, Any] = field(default_factory=dict)
    transcript: tuple[Speech, ...] = ()


def turns_of(transcript: Iterable[Speech]) -> list[Turn]:
    """The speeches as turns: what the agent says before the caller is the greeting, turn 0."""
    exchanges: list[tuple[list[str], list[str]]] = [([], [])]
    for speech in transcript:
        heard, said = exchanges[-1]
        if speech.is_caller and (said or len(exchanges) == 1):
            heard, said = [], []
            exchanges.append((heard, said))
        (heard if speech.is_caller else said).append(speech.text)
    turns = [
        Turn(number, " ".join(heard) if number else None, " ".join(said), TurnOutcome.COMPLETED)
        for number, (heard, said) in enumerate(exchanges)
    ]
    return [turn for turn in turns if turn.heard or turn.said]
