"""The OData filters with which REST callers choose connections.

Source: https://learn.microsoft.com/azure/azure-web-pubsub/reference-odata-filter
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Any

from local_stack.web_pubsub.connection import ClientConnection
from local_stack.web_pubsub.registry import Condition

Value = Callable[[ClientConnection], Any]

_MAX_FILTER_CHARACTERS = 8192
_MAX_DEPTH = 64
_TOKEN = re.compile(r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>[+-]?\d+)|(?P<name>\w+)|(?P<sign>[(),]))")


class InvalidFilter(ValueError):
    """A filter that does not follow the grammar; the message says where."""


def parse_filter(text: str) -> Condition:
    """The condition that a filter puts on a connection. Raises: InvalidFilter."""
    if len(text) > _MAX_FILTER_CHARACTERS:
        raise InvalidFilter(f"longer than {_MAX_FILTER_CHARACTERS} characters")
    expression = _Parser(text).parse()

    def condition(connection: ClientConnection) -> bool:
        try:
            return expression(connection) is True
        except (TypeError, AttributeError):
            return False  # an operand is null: the comparison does not hold

    return condition


def _same(left: Any, right: Any) -> bool:
    return type(left) is type(right) and bool(left == right)


def _substring(text: str, start: int, size: int | None = None) -> str:
    return text[start:] if size is None else text[start : start + size]


_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "eq": _same,
    "ne": lambda left, right: not _same(left, right),
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
_FUNCTIONS: dict[str, tuple[tuple[int, ...], Callable[..., Any]]] = {
    "tolower": ((1,), str.lower),
    "toupper": ((1,), str.upper),
    "trim": ((1,), str.strip),
    "length": ((1,), len),
    "concat": ((2,), operator.add),
    "startswith": ((2,), str.startswith),
    "endswith": ((2,), str.endswith),
    "contains": ((2,), operator.contains),
    "indexof": ((2,), str.find),
    "substring": ((2, 3), _substring),
}
_IDENTIFIERS: dict[str, Value] = {
    "userid": lambda connection: connection.user_id,
    "connectionid": lambda connection: connection.id,
    "groups": lambda connection: connection.groups,
}
_CONSTANTS: dict[str, bool | None] = {"true": True, "false": False, "null": None}


class _Parser:
    """A recursive descent parser; `not` binds tighter than comparisons, as the service has it."""

    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._next = 0
        self._depth = 0

    def parse(self) -> Value:
        expression = self._or()
        if self._peek():
            raise InvalidFilter(f"unexpected {self._peek()}")
        return expression

    def _peek(self) -> str:
        return self._tokens[self._next] if self._next < len(self._tokens) else ""

    def _take(self) -> str:
        token = self._peek()
        if not token:
            raise InvalidFilter("it ends too early")
        self._next += 1
        return token

    def _take_if(self, word: str) -> bool:
        if self._peek().lower() == word:
            self._next += 1
            return True
        return False

    def _expect(self, sign: str) -> None:
        token = self._take()
        if token != sign:
            raise InvalidFilter(f"{sign} expected before {token}")

    def _or(self) -> Value:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise InvalidFilter("nested too deeply")
        left = self._and()
        while self._take_if("or"):
            left = _either(left, self._and())
        self._depth -= 1
        return left

    def _and(self) -> Value:
        left = self._comparison()
        while self._take_if("and"):
            left = _both(left, self._comparison())
        return left

    def _comparison(self) -> Value:
        left = self._operand()
        word = self._peek().lower()
        if word in _COMPARISONS:
            self._take()
            return _apply(_COMPARISONS[word], [left, self._operand()])
        if word == "in":
            self._take()
            return self._in(left)
        return left

    def _in(self, item: Value) -> Value:
        if self._take_if("groups"):
            return _apply(operator.contains, [_IDENTIFIERS["groups"], item])
        choices = self._list()
        return lambda connection: any(_same(item(connection), choice(connection)) for choice in choices)

    def _list(self) -> list[Value]:
        self._expect("(")
        values = [self._or()]
        while self._take_if(","):
            values.append(self._or())
        self._expect(")")
        return values

    def _operand(self) -> Value:
        negations = 0
        while self._take_if("not"):
            negations += 1
        value = self._primary()
        if negations:
            even = negations % 2 == 0
            return _apply(lambda truth: _boolean(truth) is even, [value])
        return value

    def _primary(self) -> Value:
        word = self._take()
        if word == "(":
            value = self._or()
            self._expect(")")
            return value
        if word[0] == "'":
            return _constant(word[1:-1].replace("''", "'"))
        if word[0].isdecimal() or word[0] in "+-":
            return _constant(int(word))
        name = word.lower()
        if name in _FUNCTIONS:
            return self._call(name)
        if name in _CONSTANTS:
            return _constant(_CONSTANTS[name])
        if name in _IDENTIFIERS:
            return _IDENTIFIERS[name]
        raise InvalidFilter(f"unknown name {word}")

    def _call(self, name: str) -> Value:
        sizes, function = _FUNCTIONS[name]
        arguments = self._list()
        if len(arguments) not in sizes:
            raise InvalidFilter(f"{name} takes {' or '.join(map(str, sizes))} arguments")
        return _apply(function, arguments)


def _tokens(text: str) -> list[str]:
    tokens, position = [], 0
    stripped = text.rstrip()
    while position < len(stripped):
        match = _TOKEN.match(stripped, position)
        if match is None:
            raise InvalidFilter(f"not understood from {stripped[position : position + 20]!r} on")
        tokens.append(match.group().strip())
        position = match.end()
    return tokens


def _apply(function: Callable[..., Any], operands: list[Value]) -> Value:
    return lambda connection: function(*(operand(connection) for operand in operands))


def _constant(value: str | int | bool | None) -> Value:
    return lambda _: value


def _both(left: Value, right: Value) -> Value:
    return lambda connection: _boolean(left(connection)) and _boolean(right(connection))


def _either(left: Value, right: Value) -> Value:
    return lambda connection: _boolean(left(connection)) or _boolean(right(connection))


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError("not a truth value")
    return value
