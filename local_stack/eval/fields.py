"""Fields of a document read one by one, so that whatever is wrong is said with the field's name."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

_Read = TypeVar("_Read")


class WrongField(ValueError):
    """One line that names the field."""


class Fields:
    """An object of a document; `where` is its place, such as `caller.lines[1]`. Whatever is asked of it raises
    WrongField where it is something else.
    """

    def __init__(self, value: object, where: str, known: str) -> None:
        self._where = where
        if not isinstance(value, Mapping):
            raise WrongField(f"{where or 'the file'} must be an object with {', '.join(known.split())}")
        for name in value:
            if name not in known.split():
                raise WrongField(f"{self.place(str(name))}: unknown field; known are {', '.join(known.split())}")
        self._value = value

    def place(self, name: str) -> str:
        return f"{self._where}.{name}" if self._where else name

    def has(self, name: str) -> bool:
        return self._value.get(name) is not None

    def raw(self, name: str) -> Any:
        return self._value.get(name)

    def text(self, name: str, default: str | None = None) -> str:
        """Without a default it has to be there."""
        value = self._value.get(name)
        if value is None and default is not None:
            return default
        if value is None:
            raise WrongField(f"{self.place(name)}: is missing")
        if not isinstance(value, str) or not value.strip():
            raise WrongField(f"{self.place(name)}: must be a text")
        return value.strip()

    def one_of(self, name: str, choices: tuple[str, ...], default: str) -> str:
        value = self.text(name, default)
        if value not in choices:
            raise WrongField(f"{self.place(name)}: {value!r} is not one of {', '.join(choices)}")
        return value

    def flag(self, name: str) -> bool:
        value = self._value.get(name, False)
        if not isinstance(value, bool):
            raise WrongField(f"{self.place(name)}: must be true or false")
        return value

    def whole(self, name: str, default: int | None, lowest: int, highest: int) -> int | None:
        value = self._value.get(name, default)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not lowest <= value <= highest:
            raise WrongField(f"{self.place(name)}: must be a whole number from {lowest} to {highest}")
        return value

    def number(self, name: str, default: float | None, lowest: float, highest: float) -> float | None:
        value = self._value.get(name, default)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise WrongField(f"{self.place(name)}: must be a number")
        if not lowest <= value <= highest:
            raise WrongField(f"{self.place(name)}: must be from {lowest:g} to {highest:g}")
        return float(value)

    def object(self, name: str) -> Mapping[str, Any]:
        value = self._value.get(name, {})
        if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
            raise WrongField(f"{self.place(name)}: must be an object")
        return value

    def texts(self, name: str, choices: tuple[str, ...] = ()) -> tuple[str, ...]:
        """A list of texts; a single one may stand without the list."""
        value = self._value.get(name, [])
        listed = [value] if isinstance(value, str) else value
        if not isinstance(listed, list) or not all(isinstance(one, str) and one.strip() for one in listed):
            raise WrongField(f"{self.place(name)}: must be a text or a list of texts")
        for one in listed:
            if choices and one not in choices:
                raise WrongField(f"{self.place(name)}: {one!r} is not one of {', '.join(choices)}")
        return tuple(listed)

    def patterns(self, name: str) -> tuple[str, ...]:
        """Regular expressions, each of which can be used."""
        for pattern in (found := self.texts(name)):
            try:
                re.compile(pattern)
            except re.error as error:
                raise WrongField(f"{self.place(name)}: {pattern!r} is no regular expression: {error}") from None
        return found

    def each(self, name: str, read: Callable[[Any, str], _Read]) -> tuple[_Read, ...]:
        """A list whose items are read with their places."""
        value = self._value.get(name, [])
        if not isinstance(value, list):
            raise WrongField(f"{self.place(name)}: must be a list")
        return tuple(read(one, f"{self.place(name)}[{at}]") for at, one in enumerate(value))
