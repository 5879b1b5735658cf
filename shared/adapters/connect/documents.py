"""Reads the JSON that AWS sends: what is missing, or of another kind than it should be, counts as empty."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from shared.domain.errors import InvalidRequest

_CONTACT_ID = re.compile(r"[0-9A-Za-z-]{1,256}")
_LARGEST = 10_000


def child(parent: Any, name: str) -> dict[str, Any]:
    """The object of that name; {} where there is none."""
    found = parent.get(name) if isinstance(parent, dict) else None
    return found if isinstance(found, dict) else {}


def needed(parent: Any, name: str) -> dict[str, Any]:
    """Raises: InvalidRequest where it is missing or empty."""
    found = child(parent, name)
    if not found:
        raise InvalidRequest("event_malformed", f"the event has no {name}")
    return found


def text(parent: Any, name: str) -> str:
    found = parent.get(name) if isinstance(parent, Mapping) else None
    return found if isinstance(found, str) else ""


def texts(parent: Any, name: str) -> dict[str, str]:
    """The object of that name, as far as its values are texts."""
    return {str(key): value for key, value in child(parent, name).items() if isinstance(value, str)}


def contact_id(given: str) -> str:
    """Raises: InvalidRequest."""
    if not _CONTACT_ID.fullmatch(given):
        raise InvalidRequest("contact_id", "the id of the contact is missing or malformed")
    return given


def number(given: str, name: str) -> int:
    """Connect passes all numbers as text; a missing one is 0. Raises: InvalidRequest."""
    if not given:
        return 0
    if not (given.isascii() and given.isdecimal() and len(given) <= len(str(_LARGEST))):
        raise InvalidRequest(name, f"{name} is not a number from 0 to {_LARGEST}")
    return int(given)


def keys_in(given: str) -> str:
    """The keys of a telephone in a text."""
    return "".join(key for key in given[:64] if key in "0123456789*#ABCD")
