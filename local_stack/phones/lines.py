"""The lines by which an app can be called: a provider and the way in which it hands over a conversation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Line:
    """How a line is called in print, and which number is dialled if nobody names another."""

    title: str
    number: str


LINES: Final[Mapping[str, Line]] = {
    "twilio": Line("Twilio", "+15550100011"),
    "twilio-relay": Line("Twilio ConversationRelay", "+15550100012"),
    "twilio-gather": Line("Twilio Gather", "+15550100013"),
    "vonage": Line("Vonage", "+15550100014"),
    "vonage-input": Line("Vonage input", "+15550100015"),
    "connect": Line("Amazon Connect", "+15550100016"),
    "connect-lex": Line("Amazon Connect with Lex", "+15550100017"),
    "sarvam": Line("Sarvam", "+15550100018"),
}
DEFAULT_LINE: Final = "twilio"
DEFAULT_FROM: Final = "+14155550100"
_E164: Final = re.compile(r"\+[1-9]\d{6,14}")


def is_phone_number(text: str) -> bool:
    """Whether the text is a number in E.164 form, with its plus sign."""
    return _E164.fullmatch(text) is not None


def not_a_number(text: str) -> str:
    """What is said of a text that should be a number and is none."""
    return f"{text!r} is not a phone number in E.164 form, such as {DEFAULT_FROM}"
