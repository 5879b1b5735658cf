"""A Lex V2 bot's code hook: what the caller said to the bot that Connect's flow listens with, and what it answers.

Source: https://docs.aws.amazon.com/lexv2/latest/dg/lambda-input-format.html, …/lambda-response-format.html
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from shared.adapters.connect.documents import child, contact_id, keys_in, needed, number, text, texts
from shared.adapters.connect.flow_answers import fitting, ssml, transfer_fields
from shared.adapters.connect.flow_events import OUR_CALL
from shared.adapters.connect.polly import polly_voice
from shared.domain.telephony.events import CallerSpoke
from shared.domain.telephony.lines import Provider
from shared.domain.telephony.text_turns import Next, TextReply

LONGEST_MESSAGE, MOST_MESSAGES = 1024, 5
"""Of one message in characters, and of messages in an answer. Source: Lex V2 `Message`, `MessageList`"""
_SAME_WITHIN_MS = 2_000
"""Where an event bears no id of its utterance, the same words so soon after its answer are the same utterance."""
_MOST_WORDS = 4000


@dataclass(frozen=True, slots=True)
class LexRequest:
    """`turn` is the one that these words belong to, also where Lex asks twice about the same utterance."""

    contact_id: str
    instance_arn: str
    turn: int
    words: str
    keys: str
    language: str
    confidence: float | None
    utterance: str
    intent: Mapping[str, Any]
    attributes: Mapping[str, str]

    @property
    def our_call_id(self) -> str:
        """Of a call that we dialled; empty for one that came in."""
        return self.attributes.get(OUR_CALL, "")

    def spoke(self) -> CallerSpoke:
        return CallerSpoke(
            Provider.CONNECT,
            self.contact_id,
            f"turn:{self.turn}",
            self.words,
            self.turn,
            language=self.language,
            keys=self.keys,
            confidence=self.confidence,
        )


def read_lex_event(document: Any, now_ms: float) -> LexRequest:
    """Raises: InvalidRequest for what is no code hook event of a Connect contact."""
    state = needed(document, "sessionState")
    attributes = texts(state, "sessionAttributes")
    heard = text(document, "inputTranscript")[:_MOST_WORDS].strip()
    is_keys = document.get("inputMode") == "DTMF"
    utterance = _utterance(state, heard)
    turn = max(1, number(attributes.get("turn", ""), "turn"))
    if turn > 1 and _is_repeated(attributes, utterance, now_ms):
        turn -= 1
    return LexRequest(
        contact_id=contact_id(attributes.get("contact") or text(document, "sessionId")),
        instance_arn=attributes.get("instance", ""),
        turn=turn,
        words="" if is_keys else heard,
        keys=keys_in(heard) if is_keys else "",
        language=text(child(document, "bot"), "localeId")[:16].replace("_", "-"),
        confidence=_confidence(document),
        utterance=utterance,
        intent=_intent(state),
        attributes=attributes,
    )


def lex_answer(reply: TextReply, request: LexRequest, *, now_ms: float) -> dict[str, Any]:
    """Say it and listen on, or close the bot's dialog, with what comes next in the session's attributes for the flow.

    What is too long is left for when the flow comes again, and all of an answer in another language than the bot's:
    a bot keeps to its locale, and the flow calls it anew in the other one. How long the bot listens, and whether it
    may be broken into, stands in the attributes, set by the flow.
    """
    if reply.next is Next.LISTEN and _is_in_another_language(reply, request):
        reply = replace(reply, sentences=(), told=0, next=Next.COME_AGAIN)
    reply = fitting(reply, LONGEST_MESSAGE * MOST_MESSAGES // 2)
    goes_on = reply.next is Next.LISTEN
    attributes = {
        **request.attributes,
        "turn": str(reply.turn + 1 if goes_on else reply.turn),
        "told": str(reply.told if reply.next is Next.COME_AGAIN else 0),
        "words": request.words,
        "keys": request.keys,
        "next": reply.next.value,
        "asked": request.utterance if request.words or request.keys else "",
        "answered_ms": f"{now_ms:.0f}",
        **transfer_fields(reply.transfer),
    }
    state: dict[str, Any] = {"sessionAttributes": attributes, "dialogAction": {"type": "ElicitIntent"}}
    if not goes_on:
        state |= {"dialogAction": {"type": "Close"}, "intent": {**request.intent, "state": "Fulfilled"}}
    return {"sessionState": state, "messages": _messages(reply.sentences)}


def _is_in_another_language(reply: TextReply, request: LexRequest) -> bool:
    """As far as there is a voice for it, and so perhaps a bot."""
    spoken, heard = polly_voice("", reply.language).language, request.language
    return bool(request.words and heard) and spoken.partition("-")[0] != heard.partition("-")[0].lower()


def _messages(sentences: tuple[str, ...]) -> list[dict[str, str]]:
    """In as few as hold them; a break where there is nothing to say, or Lex would speak words of its own."""
    spoken: list[str] = []
    for piece in (piece for sentence in sentences for piece in _pieces(sentence)):
        if spoken and len(spoken[-1]) + 1 + len(piece) <= LONGEST_MESSAGE:
            spoken[-1] = f"{spoken[-1]} {piece}"
        else:
            spoken.append(piece)
    if not any(each.strip() for each in spoken):
        return [{"contentType": "SSML", "content": ssml("")}]
    return [{"contentType": "PlainText", "content": each} for each in spoken[:MOST_MESSAGES]]


def _pieces(sentence: str) -> list[str]:
    """Cut between words where that is possible."""
    pieces = []
    while len(sentence) > LONGEST_MESSAGE:
        cut = sentence.rfind(" ", 1, LONGEST_MESSAGE + 1)
        cut = cut if cut > 0 else LONGEST_MESSAGE
        pieces.append(sentence[:cut])
        sentence = sentence[cut:].lstrip()
    return [*pieces, sentence] if sentence else pieces


def _is_repeated(attributes: Mapping[str, str], utterance: str, now_ms: float) -> bool:
    """Whether this utterance was answered already: Lex may ask for its fulfilment after its dialog was answered."""
    if attributes.get("asked") != utterance:
        return False
    if not utterance.startswith("words:"):
        return True
    answered = attributes.get("answered_ms", "")
    return answered.isdecimal() and now_ms - int(answered) <= _SAME_WITHIN_MS


def _utterance(state: Mapping[str, Any], heard: str) -> str:
    given = text(state, "originatingRequestId")
    if given:
        return given[:128]
    return "words:" + hashlib.sha256(heard.encode()).hexdigest()[:32]


def _intent(state: Mapping[str, Any]) -> dict[str, Any]:
    intent = child(state, "intent")
    return {"name": text(intent, "name") or "FallbackIntent", "slots": child(intent, "slots")}


def _confidence(document: Mapping[str, Any]) -> float | None:
    heard = document.get("transcriptions")
    first = heard[0] if isinstance(heard, list) and heard and isinstance(heard[0], dict) else {}
    given = first.get("transcriptionConfidence")
    return float(given) if isinstance(given, (int, float)) and not isinstance(given, bool) else None
