"""Who and which leg a document of Vonage's is about."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_DIGITS = re.compile(r"[1-9][0-9]{6,14}")
_LEG = re.compile(r"[0-9A-Za-z-]{16,64}")
"""A UUID, in inbound calls often without its hyphens."""
_MAX_PARTY_CHARACTERS = 256


def leg_of(document: Mapping[str, Any]) -> str:
    """The leg's id, empty where there is none; events of machine detection name it differently."""
    for name in ("uuid", "call_uuid"):
        value = document.get(name)
        if isinstance(value, str) and _LEG.fullmatch(value):
            return value
    return ""


def party(given: str) -> str:
    """Who calls or is called: a number with its plus sign, which Vonage leaves out; else what was shown."""
    shown = given[:_MAX_PARTY_CHARACTERS].lstrip("+")
    return f"+{shown}" if _DIGITS.fullmatch(shown) else shown
