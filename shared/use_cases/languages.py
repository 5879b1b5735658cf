"""Which language a call is in: what a turn heard decides it, or an operator; the turns after it follow."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from shared.domain.call import Agent
from shared.domain.heard_language import heard_language
from shared.domain.language_switch import (
    HEARD,
    LANGUAGE,
    ORDER,
    language_of,
    next_language,
    order_of,
    primary,
)
from shared.domain.phrases import Phrases, speaking
from shared.ports.live_calls import LiveCall, LiveCalls

AUTO = "auto"
"""Whatever language is spoken."""
_LOOKED_BACK = 3
"""The turn before may not have been noted yet when a step looks."""


@dataclass(frozen=True, slots=True)
class _Standing:
    """What is known of a call's language before a turn. `order`: the operator's newest one; `is_new`: no turn has
    taken it into account yet.
    """

    language: str
    heard: str
    order: str
    is_new: bool
    live: LiveCall | None


async def call_language(live_calls: LiveCalls, call_id: str, turn: int, agent: Agent) -> str:
    """The tag of the language in which this turn is answered, as far as it is known now. Raises: StoreError."""
    if not agent.manner.languages or turn < 1:
        return agent.language
    return (await _standing(live_calls, call_id, turn, agent)).language


async def answer_language(live_calls: LiveCalls, call_id: str, turn: int, agent: Agent) -> str:
    """The same once the words of the turn are there: those that come as text have told their language. Raises:
    StoreError.
    """
    if not agent.manner.languages or turn < 1:
        return agent.language
    return (await _standing(live_calls, call_id, turn, agent, answers=True)).language


async def hearing_language(live_calls: LiveCalls, call_id: str, turn: int, agent: Agent) -> tuple[str, str]:
    """`call_language`, and what to listen for: the language that an operator has ordered, for as long as the call is
    in it, else whatever is spoken. Raises: StoreError.
    """
    if not agent.manner.languages or turn < 1:
        return agent.language, AUTO if agent.manner.languages else agent.language
    standing = await _standing(live_calls, call_id, turn, agent)
    is_ordered = standing.live is not None and standing.order and standing.live.language == standing.language
    return standing.language, standing.language if is_ordered else AUTO


async def spoken_agent(live_calls: LiveCalls, call_id: str, turn: int, agent: Agent) -> Agent:
    """The agent as it is to be heard in the answer of this turn. Raises: StoreError."""
    if not agent.manner.languages or turn < 1:
        return agent
    standing = await _standing(live_calls, call_id, turn, agent, answers=True)
    phrases = Phrases.from_text(standing.live.phrases) if standing.live is not None else None
    return speaking(agent, standing.language, phrases)


async def language_entries(
    live_calls: LiveCalls, call_id: str, turn: int, agent: Agent, *, words: str | None, told: str, is_sure: bool
) -> dict[str, str | float]:
    """What a turn's journal says of the language; nothing for an agent that speaks one only. `told`: by who heard the
    words; `is_sure`: that alone is enough to switch. A turn in which an operator orders a language was heard in the
    one before, so that nothing is concluded from it; words that may be of any language leave what was heard before.
    Raises: StoreError.
    """
    languages = (agent.language, *agent.manner.languages) if agent.manner.languages else ()
    if not languages:
        return {}
    standing = await _standing(live_calls, call_id, turn, agent)
    entries: dict[str, str | float] = {ORDER: standing.order} if standing.order else {}
    if not words:
        return {LANGUAGE: standing.language, HEARD: standing.heard, **entries}
    if standing.is_new:
        return {LANGUAGE: standing.language, HEARD: "", **entries}
    heard = heard_language(words, told, languages, standing.language)
    is_sure = is_sure and bool(heard) and primary(told) == heard
    following = next_language(standing.language, standing.heard, heard, languages, is_sure=is_sure)
    return {LANGUAGE: following, HEARD: heard or standing.heard, **entries}


async def _standing(
    live_calls: LiveCalls, call_id: str, turn: int, agent: Agent, *, answers: bool = False
) -> _Standing:
    """Before the turn, or with `answers` as it is answered."""
    looked_at = range(max(0, turn - _LOOKED_BACK), turn + int(answers))
    live, journals = await asyncio.gather(live_calls.get(call_id), live_calls.journals(call_id, looked_at))
    if answers and not (live is not None and live.line.carries_text):
        journals = journals[:-1]  # sound is answered before it is known what it was
    language, order = language_of(journals, agent.language), live.language_order if live is not None else ""
    is_new = live is not None and order != "" and order != order_of(journals)
    if is_new and live is not None:
        language = live.language
    heard = journals[-1].get(HEARD, "") if journals else ""
    return _Standing(language, heard, order, is_new, live)
