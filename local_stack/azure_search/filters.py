"""The part of OData filters that the stand-in knows: comparisons of strings, `and`, `or`, brackets.

Source: https://learn.microsoft.com/azure/search/query-odata-filter-orderby-syntax
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

_TOKEN = re.compile(r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<word>[A-Za-z_][A-Za-z0-9_]*)|(?P<bracket>[()]))")
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
Row = Mapping[str, Any]
Test = Callable[[Row], bool]


class FilterError(Exception):
    """The filter is not one; the message is for the caller."""


def read_filter(text: str, filterable: set[str]) -> Test:
    """Raises: FilterError, also for a field that is not filterable."""
    reading = _Reading(_tokens(text), filterable)
    test = reading.either()
    if reading.rest:
        raise FilterError(f"unexpected {reading.rest[0]!r}")
    return test


def _tokens(text: str) -> list[str]:
    tokens, position = list[str](), 0
    while position < len(text.rstrip()):
        found = _TOKEN.match(text, position)
        if found is None:
            raise FilterError(f"syntax error at position {position}")
        tokens.append(found[0].strip())
        position = found.end()
    return tokens


class _Reading:
    """Goes through the tokens once; `or` binds less than `and`."""

    def __init__(self, tokens: list[str], filterable: set[str]) -> None:
        self.rest = tokens
        self._filterable = filterable

    def either(self) -> Test:
        tests = [self._both()]
        while self._next_is("or"):
            tests.append(self._both())
        return lambda row: any(test(row) for test in tests)

    def _both(self) -> Test:
        tests = [self._one()]
        while self._next_is("and"):
            tests.append(self._one())
        return lambda row: all(test(row) for test in tests)

    def _one(self) -> Test:
        if self._next_is("("):
            test = self.either()
            if not self._next_is(")"):
                raise FilterError("a bracket is not closed")
            return test
        field, name, literal = self._take(), self._take(), self._take()
        if field not in self._filterable or name not in _COMPARISONS or not literal.startswith("'"):
            raise FilterError(f"cannot compare {field} {name} {literal}")
        compare, value = _COMPARISONS[name], literal[1:-1].replace("''", "'")
        return lambda row: row.get(field) is not None and compare(row[field], value)

    def _next_is(self, token: str) -> bool:
        if self.rest and self.rest[0] == token:
            self.rest = self.rest[1:]
            return True
        return False

    def _take(self) -> str:
        if not self.rest:
            raise FilterError("the filter ends too soon")
        token, *self.rest = self.rest
        return token
