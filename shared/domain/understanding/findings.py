"""What was found in a caller's words, by code or by a model: names that are declared, and words that were said."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.domain.agents.document import AgentDocument
from shared.domain.agents.intents import SlotKind
from shared.domain.json_text import read_json
from shared.domain.slots.corrections import latest_first
from shared.domain.tools.assent import Answer
from shared.domain.understanding.declared import slots_of
from shared.domain.understanding.wording import place_of, tokens

UNCHANGED, OTHER = "(unchanged)", "(other)"
"""No intent can have such a name."""
_LONGEST_OUTPUT = 16_000
_MOST_MENTIONS = 30
_DISTINCT = frozenset(
    {SlotKind.DATE, SlotKind.TIME, SlotKind.PHONE_NUMBER, SlotKind.AMOUNT, SlotKind.CHOICE, SlotKind.NUMBER}
)
"""Kinds that can be told apart from the words around them."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A slot and the caller's words for it, unread."""

    slot: str
    words: str


@dataclass(frozen=True, slots=True)
class Findings:
    """`intent`: "" where the caller goes on with the same; `is_other`: wants what is not declared. `answer`: to what
    the caller was asked to confirm.
    """

    intent: str = ""
    is_other: bool = False
    mentions: tuple[Mention, ...] = ()
    answer: Answer = Answer.NEITHER


def schema_of(agent: AgentDocument) -> dict[str, Any]:
    """The JSON Schema of what a model is asked for; names outside of the document have no place in it."""
    intents = [*(intent.name for intent in agent.intents), UNCHANGED, OTHER]
    properties: dict[str, Any] = {
        "intent": {"type": "string", "enum": intents},
        "confirms": {"type": "string", "enum": [answer.value for answer in Answer]},
    }
    if names := list(slots_of(agent)):
        mention = {
            "type": "object",
            "properties": {"slot": {"type": "string", "enum": names}, "words": {"type": "string"}},
            "required": ["slot", "words"],
            "additionalProperties": False,
        }
        properties["slots"] = {"type": "array", "items": mention}
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def read_findings(output: str, agent: AgentDocument, words: str) -> Findings | None:
    """What a model has found in `words`, as far as it is declared and was said; None for nonsense. Never raises."""
    begin, end = output.find("{"), output.rfind("}")
    if len(output) > _LONGEST_OUTPUT or begin < 0 or end < begin:
        return None
    try:
        document = read_json(output[begin : end + 1].encode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, Mapping):
        return None
    intent = document.get("intent")
    declared = {each.name for each in agent.intents}
    confirms = document.get("confirms")
    return Findings(
        intent=intent if isinstance(intent, str) and intent in declared else "",
        is_other=intent == OTHER,
        mentions=_mentions(document.get("slots"), agent, words),
        answer=Answer(confirms) if confirms in tuple(Answer) else Answer.NEITHER,
    )


def _mentions(given: Any, agent: AgentDocument, words: str) -> tuple[Mention, ...]:
    found: dict[str, str] = {}
    declared = slots_of(agent)
    for each in given[:_MOST_MENTIONS] if isinstance(given, list) else ():
        if not isinstance(each, Mapping):
            continue
        name, said = each.get("slot"), each.get("words")
        if not isinstance(name, str) or name not in declared or not isinstance(said, str):
            continue
        if part := _as_said(said, words, declared[name].kind):
            found[name] = part
    return tuple(Mention(name, part) for name, part in found.items())


def _as_said(part: str, words: str, kind: SlotKind) -> str:
    """The caller's own words where the model's stand in them, up to the end if the caller corrects them there. What
    the model has put otherwise is looked for in all of the words, if it can be told apart from them; else "".
    """
    wanted = tokens(part)
    pieces = words.split()
    placed = [(index, token) for index, piece in enumerate(pieces) for token in tokens(piece)]
    place = place_of(wanted, [token for _, token in placed])
    if place < 0:
        return words if wanted and kind in _DISTINCT else ""
    begin, end = placed[place][0], placed[place + len(wanted) - 1][0]
    rest = " ".join(pieces[begin:])
    if kind in _DISTINCT and len(latest_first(rest)) > 1:
        return rest
    return " ".join(pieces[begin : end + 1])


def joined(first: Findings, second: Findings) -> Findings:
    """Both, where code has found something and a model has been asked besides; for the same slot code's reading of
    the whole gives way to the words that the model points at.
    """
    mentions = {mention.slot: mention for mention in (*first.mentions, *second.mentions)}
    return Findings(
        intent=second.intent or first.intent,
        is_other=second.is_other and not first.intent,
        mentions=tuple(mentions.values()),
        answer=first.answer if first.answer is not Answer.NEITHER else second.answer,
    )


def as_data(words: str, longest: int = 2_000) -> str:
    """Words as one JSON string: nothing in it can stand outside of it."""
    return json.dumps(words[:longest], ensure_ascii=False)
