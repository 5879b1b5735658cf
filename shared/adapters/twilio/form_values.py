"""The values in Twilio's forms, all of them text: as numbers and moments, or None for what is none."""

from __future__ import annotations

import re
from datetime import datetime
from email.utils import parsedate_to_datetime

MAX_PARTY_CHARACTERS = 256
_E164 = re.compile(r"\+[1-9][0-9]{1,14}")
_LONGEST_CALL_S = 24 * 3600.0


def party(given: str) -> str:
    """Who calls or is called. A caller may show what is no number at all, and is answered all the same; what looks
    like a number is one.
    """
    shown = given[:MAX_PARTY_CHARACTERS]
    return shown.lstrip("+") if shown.startswith("+") and not _E164.fullmatch(shown) else shown


def shown_instead(caller: str, called: str) -> str:
    """Of a call that is put through: the number that was called, where the caller's own cannot be shown; "" where it
    can. Source: https://www.twilio.com/docs/api/errors/13214
    """
    return called if _E164.fullmatch(called) and not _E164.fullmatch(caller) else ""


def seconds(text: str) -> float | None:
    is_number = text.isascii() and text.isdecimal() and len(text) < 9
    return float(text) if is_number and float(text) <= _LONGEST_CALL_S else None


def fraction(text: str) -> float | None:
    try:
        value = float(text) if len(text) < 20 else -1.0
    except ValueError:
        return None
    return value if 0.0 <= value <= 1.0 else None


def moment_ms(text: str) -> float | None:
    """RFC 2822 of the calls' callbacks, ISO 8601 of the streams'."""
    if not text or len(text) > 60:
        return None
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            return read(text).timestamp() * 1000
        except (ValueError, TypeError, OverflowError, IndexError, OSError):
            continue
    return None
