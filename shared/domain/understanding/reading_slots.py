"""Reads a slot's words by its declaration."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.domain.agents.document import AgentDocument
from shared.domain.agents.intents import Slot
from shared.domain.slots.reader import read_slot
from shared.domain.slots.reading import Context, Reading

_REGION_LETTERS = 2


@dataclass(frozen=True, slots=True)
class Heard:
    """The caller's words of a turn, with what must be known to read them."""

    words: str
    context: Context
    turn: int


def context_of(agent: AgentDocument, now: datetime, language: str) -> Context:
    """What must be known of a call to read what is said in it. `now` has a time zone."""
    try:
        today = now.astimezone(ZoneInfo(agent.time_zone)).date()
    except (ZoneInfoNotFoundError, ValueError, OSError):
        today = now.date()
    for tag in (language, agent.language):
        region = tag.rpartition("-")[2]
        if "-" in tag and len(region) == _REGION_LETTERS and region.isalpha():
            return Context(today=today, language=language or agent.language, country=region.upper())
    return Context(today=today, language=language or agent.language)


def read_for(slot: Slot, words: str, context: Context) -> Reading:
    return read_slot(slot.kind, words, replace(context, choices=slot.choices, in_past=slot.in_past))
