"""What a voice agent of Sarvam's asks us in a call, and how it is answered: at its start, in a turn, at its end.

The bodies are those of the SDK's tools: a context that is handed back, changed. What an agent's builder puts into the
body of an API tool beside it (`interaction_id`, `utterance`, …) is read as well.
Source: `tool.py` of https://pypi.org/project/sarvam-conv-ai-sdk/1.1.1
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shared.adapters.sarvam.languages import agent_language, of_agent
from shared.domain.errors import InvalidRequest
from shared.domain.json_text import read_json
from shared.domain.telephony.commands import is_e164
from shared.domain.telephony.delegated import Speech
from shared.domain.telephony.text_turns import Next, TextReply

CALL_VARIABLE = "voice_agent_call"
"""Names our call among an agent's variables."""
_TURN, _TOLD = "voice_agent_turn", "voice_agent_told"
"""Of which turn the agent was given the answer, and how many of its sentences where there are more to come."""
_ID = re.compile(r"[!-~]{1,128}")
_LONGEST_BODY_BYTES = 1024 * 1024
_LONGEST_WORDS = 5_000
_MOST_TURNS = 1_000
_COME_AGAIN = "The answer is not whole. Call this tool again at once, with an empty utterance."
_OVER = "The call is over. Say goodbye."
_NOT_UNDERSTOOD = "That was not understood. Ask the caller to say it again."
TRANSFER_TOOL = "call_transfer"
"""The platform's own tool, which the agent's instructions name.
Source: https://docs.sarvam.ai/voice-agents/build/tools/call-transfer
"""
TRANSFER_VARIABLE = "transfer_number"
"""The agent's variable that the destination of that tool is, where it has one."""
_TRANSFER_STATE = "transfer"
"""The state in which that tool is to be used, where the agent has states."""
_AGENT = ("agent", "bot", "assistant")

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Interaction:
    """Which call it is about. `caller` and `callee`: E.164 with `+`, "" where they are none; `our_call_id`: of a call
    that we placed; `language`: ISO 639, "" where it is not told; `context`: what is handed back.
    """

    interaction_id: str
    attempt_id: str
    our_call_id: str
    caller: str
    callee: str
    language: str
    context: Body

    @property
    def provider_call_id(self) -> str:
        return self.attempt_id or self.interaction_id


@dataclass(frozen=True, slots=True)
class Utterance:
    """What the caller said in `turn` (0: the agent has not told us which it is); `told`: how many sentences of the
    last answer it has, if it comes for the rest.
    """

    interaction: Interaction
    words: str
    turn: int
    told: int


def document_of(body: bytes) -> Body:
    """Raises: InvalidRequest."""
    try:
        document = read_json(body) if len(body) <= _LONGEST_BODY_BYTES else None
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise InvalidRequest("hook_malformed", "the body is no JSON object")
    return document


def read_interaction(document: Body) -> Interaction:
    """Raises: InvalidRequest where no call is named."""
    context = _context(document)
    metadata = _object(context, "engagement_metadata")
    places = (metadata, context, document)
    interaction_id, attempt_id = _id(places, "interaction_id"), _id(places, "attempt_id")
    if not interaction_id and not attempt_id:
        raise InvalidRequest("interaction_unknown", "the body names no interaction")
    language = _first((context, document), "language")  # what the agent speaks now; the others say how it began
    language = language or _first(places, "language", "initial_language_name", "interaction_language")
    return Interaction(
        interaction_id=interaction_id,
        attempt_id=attempt_id,
        our_call_id=_ours(context, CALL_VARIABLE),
        caller=number_of(_first((context, document), "user_identifier", "user_phone_number")),
        callee=number_of(_first(places, "agent_phone_number")),
        language=of_agent(language),
        context=context,
    )


def read_utterance(document: Body) -> Utterance:
    """Raises: InvalidRequest."""
    interaction = read_interaction(document)
    arguments = _object(document, "arguments")
    words = _first((arguments, document, interaction.context), "utterance", "text", "query")
    turn, told = (_count(_ours(interaction.context, name)) for name in (_TURN, _TOLD))
    return Utterance(interaction, words.strip()[:_LONGEST_WORDS], turn, told)


def read_transcript(document: Body) -> list[Speech]:
    """Empty where there is none; what in it makes no sense is left out."""
    given: Any = _context(document).get("interaction_transcript", document.get("interaction_transcript"))
    if isinstance(given, Mapping):
        given = given.get("interaction_transcript")
    return list(_speeches(given[:_MOST_TURNS])) if isinstance(given, list) else []


def answer_start(interaction: Interaction, call_id: str, reply: TextReply) -> dict[str, Any]:
    """What the agent says first, and in which language."""
    language = agent_language(reply.language)
    given = interaction.context.get("initial_language_name")
    return {
        **_handed_back(interaction, call_id, reply),
        "initial_bot_message": reply.text or None,
        "initial_language_name": given if reply.language == interaction.language or not language else language,
    }


def answer_turn(utterance: Utterance, call_id: str, reply: TextReply) -> dict[str, Any]:
    """What the agent says now; one of the two messages has to be there."""
    context = _handed_back(utterance.interaction, call_id, reply)
    allowed, language = context.get("allowed_languages"), agent_language(reply.language)
    if language and (not isinstance(allowed, list) or language in allowed):
        context["language"] = language
    if reply.next is Next.TRANSFER and reply.transfer is not None:
        return _put_through(context, reply.text, reply.transfer.to)
    if reply.next is Next.HANG_UP:
        context["end_conversation"] = True
    message = {Next.COME_AGAIN: _COME_AGAIN, Next.HANG_UP: _OVER}.get(reply.next)
    if not reply.text and message is None:
        message = "Wait for the caller."
    return {"message_to_llm": message, "message_to_user": reply.text or None, "context": context}


def answer_nonsense() -> dict[str, Any]:
    """To a tool whose words are lost: an error would only be asked for again."""
    return {"message_to_llm": _NOT_UNDERSTOOD, "message_to_user": None}


_MISLEADING = re.compile(rf"{TRANSFER_TOOL}|\+?\d(?:\D{{0,2}}\d){{5,}}")
"""In the words that are said first, where a model could take it for another order or another number than ours."""


def _put_through(context: dict[str, Any], text: str, to: str) -> dict[str, Any]:
    """There is no command for it: the model is told to use its tool. It is told alone, for of two messages the one
    to the caller is spoken, and whether the model goes on at once then is not documented.
    """
    variables, states = _object(context, "agent_variables"), context.get("next_valid_states")
    if TRANSFER_VARIABLE in variables:  # one that is not defined would be refused
        context["agent_variables"] = {**variables, TRANSFER_VARIABLE: to}
    if isinstance(states, list) and _TRANSFER_STATE in states:
        context["state"] = _TRANSFER_STATE
    words = _MISLEADING.sub("…", text).replace('"', "'")
    first = f'Say to the caller exactly: "{words}" Then use' if words else "Use"
    message = f"{first} the tool {TRANSFER_TOOL} at once, to {to}, and say nothing more."
    return {"message_to_llm": message, "message_to_user": None, "context": context}


def number_of(value: object) -> str:
    """In E.164 with its plus sign, which is left out here and there; "" of what is no number."""
    text = re.sub(r"[\s()-]", "", value) if isinstance(value, str) else ""
    number = text if text.startswith("+") else f"+{text}"
    return number if is_e164(number) else ""


def _handed_back(interaction: Interaction, call_id: str, reply: TextReply) -> dict[str, Any]:
    comes_again = reply.next is Next.COME_AGAIN
    ours = {CALL_VARIABLE: call_id, _TURN: reply.turn, _TOLD: reply.told if comes_again else 0}
    internal = _object(interaction.context, "internal_variables")
    return {**interaction.context, "internal_variables": {**internal, **ours}}


def _context(document: Body) -> Body:
    inner = document.get("context")
    return inner if isinstance(inner, Mapping) else document


def _object(document: Body, name: str) -> Body:
    value = document.get(name)
    return value if isinstance(value, Mapping) else {}


def _first(places: tuple[Body, ...], *names: str) -> str:
    for place in places:
        for name in names:
            if isinstance(value := place.get(name), str) and value:
                return value
    return ""


def _id(places: tuple[Body, ...], name: str) -> str:
    value = _first(places, name)
    return value if _ID.fullmatch(value) else ""


def _ours(context: Body, name: str) -> str:
    """One of our variables, wherever the agent keeps them."""
    for place in ("internal_variables", "agent_variables"):
        value = _object(context, place).get(name)
        if isinstance(value, str | int) and not isinstance(value, bool) and _ID.fullmatch(str(value)):
            return str(value)
    return ""


def _count(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 6 else 0


def _speeches(given: list[Any]) -> Iterator[Speech]:
    for entry in given:
        if not isinstance(entry, Mapping):
            continue
        text, role = _first((entry,), "en_text", "text", "content").strip(), entry.get("role")
        if text and (role == "user" or role in _AGENT):
            yield Speech(role == "user", text[:_LONGEST_WORDS])
