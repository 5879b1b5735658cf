"""The fields of one action: what may be there, of which type, within which range."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

_PHONE: Final = re.compile(r"[1-9]\d{6,14}")


class Fields:
    """Raises ValueError, one line, from every method."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self.all = given

    def only(self, *known: str) -> None:
        if unknown := sorted(set(self.all) - {"action", *known}):
            raise ValueError(f"{unknown[0]} is unknown")

    def text(self, name: str, default: str | None = None) -> str:
        value = self.all.get(name, default)
        if not isinstance(value, str):
            raise ValueError(f"{name} is no text")
        return value

    def texts(self, name: str) -> list[str]:
        value = self.all.get(name)
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise ValueError(f"{name} is no list of texts")
        return value

    def flag(self, name: str) -> bool:
        value = self.all.get(name, False)
        if not isinstance(value, bool):
            raise ValueError(f"{name} is true or false")
        return value

    def number(self, name: str, default: float, low: float, high: float) -> float:
        value = self.all.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise ValueError(f"{name} is a number from {low} to {high}")
        return value

    def phone(self, name: str) -> str:
        value = self.all.get(name)
        if not isinstance(value, str) or not _PHONE.fullmatch(value):
            raise ValueError(f"{name} is no number in E.164 without its plus sign")
        return value

    def inner(self, name: str) -> Fields:
        value = self.all.get(name, {})
        if not isinstance(value, dict):
            raise ValueError(f"{name} is no object")
        return Fields(value)

    def single(self, name: str) -> Fields:
        value = self.all.get(name)
        if not isinstance(value, list) or len(value) != 1 or not isinstance(value[0], dict):
            raise ValueError(f"{name} is a list of one object")
        return Fields(value[0])

    def url(self, name: str) -> str | None:
        """An address in a list of one; None where there is none."""
        if name not in self.all:
            return None
        value = self.all[name]
        if not isinstance(value, list) or len(value) != 1 or not isinstance(value[0], str):
            raise ValueError(f"{name} is a list of one address")
        parts = urlsplit(value[0])
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{name} is no address")
        return value[0]

    def post(self) -> None:
        """This simulator asks by POST only."""
        if self.text("eventMethod", "POST") != "POST":
            raise ValueError("eventMethod is not POST")
