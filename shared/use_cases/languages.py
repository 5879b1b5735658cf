"""Which language a call is in: what a turn heard decides it, and the turns after it follow."""

from __future__ import annotations

from shared.domain.call import Agent
from shared.domain.language_switch import HEARD, LANGUAGE, heard_language, language_of, next_language
from shared.ports.live_calls import LiveCalls

_LOOKED_BACK = 3
"""The turn before may not have been noted yet when a step looks."""


async def call_language(live_calls: LiveCalls, call_id: str, turn: int, agent: Agent) -> str:
    """The tag of the language in which this turn is answered, as far as it is known now. Raises: StoreError."""
    if not agent.manner.languages or turn < 1:
        return agent.language
    journals = await live_calls.journals(call_id, range(max(0, turn - _LOOKED_BACK), turn))
    return language_of(journals, agent.language)


async def language_entries(
    live_calls: LiveCalls, call_id: str, turn: int, agent: Agent, *, words: str | None, told: str, is_sure: bool
) -> dict[str, str | float]:
    """What a turn's journal says of the language; nothing for an agent that speaks one only. `told`: by who heard the
    words; `is_sure`: that alone is enough to switch. Raises: StoreError.
    """
    languages = agent.manner.languages
    if not languages:
        return {}
    journals = await live_calls.journals(call_id, range(max(0, turn - _LOOKED_BACK), turn))
    current = language_of(journals, agent.language)
    heard_before = journals[-1].get(HEARD, "") if journals else ""
    if not words:
        return {LANGUAGE: current, HEARD: heard_before}
    heard = heard_language(words, told, languages, current)
    is_sure = is_sure and bool(told)
    return {LANGUAGE: next_language(current, heard_before, heard, languages, is_sure=is_sure), HEARD: heard}
