"""ConversationRelay's messages: JSON text frames in which Twilio tells what it heard, and is told what to say.

Source: https://www.twilio.com/docs/voice/conversationrelay/websocket-messages
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.domain.errors import InvalidRequest

_KEYS = frozenset("0123456789*#ABCD")
_MAX_WORDS_CHARACTERS = 8_000
_MAX_DETAIL_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Setup:
    """The first message of a session."""

    session_id: str
    account_sid: str
    call_sid: str
    parameters: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the caller said; more of it will come unless it is the last."""

    text: str = field(repr=False)
    language: str
    is_last: bool


@dataclass(frozen=True, slots=True)
class Interrupt:
    """The caller spoke into our words, of which these had been said."""

    heard: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Key:
    digit: str


@dataclass(frozen=True, slots=True)
class Fault:
    """Twilio did not understand us."""

    description: str


@dataclass(frozen=True, slots=True)
class Passed:
    """A message of no consequence, or of a kind that is not known yet."""

    kind: str


RelayMessage = Setup | Prompt | Interrupt | Key | Fault | Passed


def read(body: bytes) -> RelayMessage:
    """Raises: InvalidRequest for what is no message at all, or lacks what its kind must have."""
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        raise InvalidRequest("not_json", "the message is not JSON") from None
    if not isinstance(message, dict):
        raise InvalidRequest("not_an_object", "the message is not a JSON object")
    kind = _text(message, "type")
    match kind:
        case "setup":
            given = message.get("customParameters")
            parameters = given if isinstance(given, dict) else {}
            return Setup(
                _text(message, "sessionId"),
                _text(message, "accountSid"),
                _text(message, "callSid"),
                {name: value for name, value in parameters.items() if isinstance(value, str)},
            )
        case "prompt":
            words = _text(message, "voicePrompt")[:_MAX_WORDS_CHARACTERS]
            return Prompt(words, _text(message, "lang")[:16], message.get("last", True) is True)
        case "interrupt":
            return Interrupt(_text(message, "utteranceUntilInterrupt")[:_MAX_WORDS_CHARACTERS])
        case "dtmf":
            digit = _text(message, "digit")
            if digit not in _KEYS:
                raise InvalidRequest("key_malformed", "a key is one of 0-9, A-D, * and #")
            return Key(digit)
        case "error":
            return Fault(_text(message, "description")[:_MAX_DETAIL_CHARACTERS])
        case _:
            return Passed(kind[:40])


def _text(message: Mapping[str, Any], name: str) -> str:
    """A text of the message; "" where there is none. JSON can hold half a character, which nothing else can."""
    value = message.get(name)
    return value.encode(errors="replace").decode() if isinstance(value, str) else ""


def text(token: str, *, is_last: bool, language: str = "") -> str:
    """Words to be spoken; tokens are put together as they are, so each brings its own space."""
    return _message("text", token=token, last=is_last, **({"lang": language} if language else {}))


def play(source: str, *, loop: int = 1) -> str:
    """A sound by its address, `loop` times."""
    return _message("play", source=source, loop=loop)


def keys(digits: str) -> str:
    """The only pause there is lasts half a second: `w`."""
    return _message("sendDigits", digits=digits.replace("W", "ww"))


def language(tag: str) -> str:
    """Hear and speak another language from now on."""
    return _message("language", ttsLanguage=tag, transcriptionLanguage=tag)


def end(handoff: str = "") -> str:
    """End the session; `handoff` comes back, as it is, where Twilio asks what comes next."""
    return _message("end", **({"handoffData": handoff} if handoff else {}))


def _message(kind: str, **fields: object) -> str:
    return json.dumps({"type": kind, **fields}, separators=(",", ":"), ensure_ascii=False)
