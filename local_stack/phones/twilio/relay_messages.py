"""ConversationRelay's messages, both ways: how the carrier writes them and what it accepts from an app.

Source: https://www.twilio.com/docs/voice/conversationrelay/websocket-messages
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from local_stack.phones.tones import are_keys
from local_stack.phones.twilio.call_state import CallState
from local_stack.phones.twilio.faults import CarrierFault, ErrorCode
from local_stack.phones.twilio.options import CallOptions, Direction

_DIRECTIONS: Final = {Direction.INBOUND: "inbound", Direction.OUTBOUND: "outbound", Direction.DIALLED: "outbound"}


@dataclass(frozen=True)
class Text:
    """A piece of what the agent says; the answer is whole with `last`."""

    token: str
    last: bool = False
    lang: str = ""
    interruptible: bool | None = None
    preemptible: bool | None = None


@dataclass(frozen=True)
class PlaySound:
    source: str
    loop: int = 1
    interruptible: bool | None = None


@dataclass(frozen=True)
class SendDigits:
    digits: str


@dataclass(frozen=True)
class SwitchLanguage:
    tts_language: str = ""
    transcription_language: str = ""


@dataclass(frozen=True)
class End:
    handoff_data: str | None = None


RelayMessage = Text | PlaySound | SendDigits | SwitchLanguage | End


def setup(
    session_id: str, call_sid: str, options: CallOptions, state: CallState, parameters: Mapping[str, str]
) -> str:
    return written(
        type="setup",
        sessionId=session_id,
        accountSid=options.account.sid,
        parentCallSid=options.parent_sid or "",
        callSid=call_sid,
        **{"from": options.from_number},
        to=options.to_number,
        forwardedFrom="",
        callType="PSTN",
        callerName="",
        direction=_DIRECTIONS[options.direction],
        callStatus=state.status.upper(),
        customParameters=dict(parameters),
    )


def written(**message: Any) -> str:
    return json.dumps(message, separators=(",", ":"), ensure_ascii=False)


def read(text: str) -> RelayMessage:
    """What an app sent. Raises: CarrierFault 64107 for all that the protocol does not name."""
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        raise _invalid("the message is not JSON") from None
    if not isinstance(message, dict):
        raise _invalid("the message is not a JSON object")
    fields = _Fields(message)
    match message.get("type"):
        case "text":
            fields.only("token last lang interruptible preemptible")
            flags = (fields.flag("interruptible"), fields.flag("preemptible"))
            return Text(fields.text("token"), fields.flag("last") or False, fields.text("lang", ""), *flags)
        case "play":
            fields.only("source loop preemptible interruptible")
            return PlaySound(fields.text("source"), fields.whole("loop", 1), fields.flag("interruptible"))
        case "sendDigits":
            fields.only("digits")
            if not are_keys(digits := fields.text("digits")):
                raise _invalid(f"sendDigits: {digits!r} are not keys")
            return SendDigits(digits)
        case "language":
            fields.only("ttsLanguage transcriptionLanguage")
            return SwitchLanguage(fields.text("ttsLanguage", ""), fields.text("transcriptionLanguage", ""))
        case "end":
            fields.only("handoffData")
            return End(fields.text("handoffData") if "handoffData" in message else None)
        case kind:
            raise _invalid(f"unknown type {kind!r}")


class _Fields:
    def __init__(self, message: Mapping[str, Any]) -> None:
        self._message = message

    def only(self, names: str) -> None:
        if unknown := sorted(set(self._message) - {"type", *names.split()}):
            raise self._wrong(f"unknown field {unknown[0]!r}")

    def text(self, name: str, default: str | None = None) -> str:
        value = self._message.get(name, default)
        if not isinstance(value, str):
            raise self._wrong(f"{name} is not a text")
        return value

    def flag(self, name: str) -> bool | None:
        value = self._message.get(name)
        if value is not None and not isinstance(value, bool):
            raise self._wrong(f"{name} is neither true nor false")
        return value

    def whole(self, name: str, default: int) -> int:
        value = self._message.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 1000:
            raise self._wrong(f"{name} is not a whole number")
        return value

    def _wrong(self, what: str) -> CarrierFault:
        return _invalid(f"{self._message['type']}: {what}")


def _invalid(message: str) -> CarrierFault:
    return CarrierFault(ErrorCode.RELAY_INVALID_MESSAGE, message)
