"""What the flow and the bot are told where the app has no part in it, or is away."""

from __future__ import annotations

import os
from typing import Any
from xml.sax.saxutils import escape

MOST_TRIES = 3
_SILENCE = '<speak><break time="700ms"/></speak>'
_APOLOGY = "I am sorry, something went wrong here. Please call again a little later."
_ECHOED = ("op", "turn", "told", "words", "keys", "rest", "mode", "interruptible", "answered")


def flow_without_app(parameters: dict[str, str]) -> dict[str, str]:
    """Come again with the same question; after some tries apologise and hang up."""
    tries = int(parameters.get("tries") or 0) + 1
    echoed = {name: parameters.get(name) or "" for name in _ECHOED}
    empty = {"dest": "", "ring_s": "", "dtmf": "", "polly_voice": "", "polly_engine": "", "polly_language": ""}
    if tries >= MOST_TRIES or echoed["op"] == "gateway":
        return {**empty, **echoed, "action": "hang_up", "tries": str(tries), "text": _apology(), "ssml": _spoken()}
    return {**empty, **echoed, "action": "come_again", "tries": str(tries), "text": "", "ssml": _SILENCE}


def heard(event: dict[str, Any]) -> dict[str, Any]:
    """The bot only listens: hand its words to the flow, which asks the app itself.

    A flow cannot read a bot's transcript by itself everywhere, but it can read its session attributes.
    """
    words = str(event.get("inputTranscript") or "")
    is_keys = event.get("inputMode") == "DTMF"
    return _closed(event, {"words": "" if is_keys else words, "keys": words if is_keys else "", "next": "turn"})


def lex_without_app(event: dict[str, Any]) -> dict[str, Any]:
    """Leave the bot: the flow comes again with the same words, and counts how often."""
    state = event["sessionState"]
    attributes = state.get("sessionAttributes") or {}
    words, is_keys = str(event.get("inputTranscript") or ""), event.get("inputMode") == "DTMF"
    utterance = state.get("originatingRequestId")
    is_same = bool(utterance) and attributes.get("asked") == utterance
    turn = int(attributes.get("turn") or 1) - (1 if is_same else 0)
    given = {"words": "" if is_keys else words, "keys": words if is_keys else "", "turn": str(turn), "told": "0"}
    return _closed(event, {**given, "next": "come_again"})


def _closed(event: dict[str, Any], given: dict[str, str]) -> dict[str, Any]:
    state = event["sessionState"]
    intent = {**(state.get("intent") or {"name": "FallbackIntent", "slots": {}}), "state": "Fulfilled"}
    attributes = {**(state.get("sessionAttributes") or {}), **given}
    closed = {"sessionAttributes": attributes, "dialogAction": {"type": "Close"}, "intent": intent}
    return {"sessionState": closed, "messages": [{"contentType": "SSML", "content": _silence()}]}


def _silence() -> str:
    return '<speak><break time="20ms"/></speak>'


def _apology() -> str:
    return os.environ.get("APOLOGY") or _APOLOGY


def _spoken() -> str:
    return f"<speak>{escape(_apology())}</speak>"
