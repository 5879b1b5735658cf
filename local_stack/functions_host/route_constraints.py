"""The inline constraints of route templates, such as `int`, `guid` and `maxlength(0)`."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from local_stack.functions_host.errors import HostConfigurationError

Parse = Callable[[str], object]
Constraint = Callable[[str], bool]


def build_constraint(text: str, template: str) -> Constraint:
    """Return the predicate for one constraint, for instance `range(1,5)`.

    Source: https://learn.microsoft.com/aspnet/core/fundamentals/routing#route-constraints
    Raises: HostConfigurationError for an unknown constraint or a wrong argument.
    """
    name, _, rest = text.partition("(")
    arguments = rest[:-1] if rest.endswith(")") else rest
    try:
        if name in _PLAIN:
            return _PLAIN[name]
        if name == "regex":
            pattern = re.compile(arguments.replace("{{", "{").replace("}}", "}"), re.IGNORECASE)
            return lambda value: pattern.search(value) is not None
        return _BOUNDED[name](*[int(number) for number in arguments.split(",")])
    except (KeyError, ValueError, TypeError, re.error):
        raise HostConfigurationError(f"route '{template}': unknown constraint '{text}'") from None


def _parses(parse: Parse) -> Constraint:
    def check(value: str) -> bool:
        try:
            parse(value)
        except ValueError:
            return False
        return True

    return check


def _integer_of(bits: int) -> Constraint:
    limit = 1 << (bits - 1)

    def check(value: str) -> bool:
        return re.fullmatch(r"[+-]?\d{1,19}", value, re.ASCII) is not None and -limit <= int(value) < limit

    return check


def _number(value: str) -> bool:
    try:
        return math.isfinite(float(value))
    except ValueError:
        return False


def _between(low: float, high: float) -> Constraint:
    is_long = _integer_of(64)
    return lambda value: is_long(value) and low <= int(value) <= high


def _length(low: int, high: int | None = None) -> Constraint:
    return lambda value: low <= len(value) <= (low if high is None else high)


_PLAIN: dict[str, Constraint] = {
    "int": _integer_of(32),
    "long": _integer_of(64),
    "guid": _parses(UUID),
    "bool": lambda value: value.casefold() in {"true", "false"},
    "alpha": lambda value: re.fullmatch(r"[A-Za-z]*", value) is not None,
    "datetime": _parses(datetime.fromisoformat),
    "decimal": _number,
    "double": _number,
    "float": _number,
    "required": lambda value: value != "",
}

_BOUNDED: dict[str, Callable[..., Constraint]] = {
    "minlength": lambda low: lambda value: len(value) >= low,
    "maxlength": lambda high: lambda value: len(value) <= high,
    "length": _length,
    "min": lambda low: _between(low, math.inf),
    "max": lambda high: _between(-math.inf, high),
    "range": _between,
}
