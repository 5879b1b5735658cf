"""What programs send us: a JSON object with known fields."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, TypeVar

import azure.functions as func

from shared.domain.errors import InvalidRequest
from shared.domain.json_text import read_json

MAX_BODY_BYTES = 4096

_Choice = TypeVar("_Choice", bound=StrEnum)


def object_in(req: func.HttpRequest, *, max_bytes: int = MAX_BODY_BYTES) -> dict[str, Any]:
    """The body; an empty one is an empty object. Raises: InvalidRequest."""
    body = req.get_body()
    if len(body) > max_bytes:
        raise InvalidRequest("body_too_large", f"the body has at most {max_bytes} bytes")
    if not body:
        return {}
    try:
        document: Any = read_json(body)
    except (ValueError, RecursionError):
        raise InvalidRequest("not_json", "the body is not JSON") from None
    if not isinstance(document, dict):
        raise InvalidRequest("not_an_object", "the body is not a JSON object")
    return document


def only(document: dict[str, Any], *known: str) -> None:
    """Raises: InvalidRequest for a field that would else be passed over without a word."""
    if unknown := sorted(set(document) - set(known)):
        raise InvalidRequest("unknown_field", f"unknown: {', '.join(unknown)[:100]}")


def text_of(document: dict[str, Any], name: str, *, otherwise: str | None = None) -> str:
    """A string; where there is none, `otherwise`, or it is needed. Raises: InvalidRequest."""
    value = document.get(name)
    if value is None and otherwise is not None:
        return otherwise
    if not isinstance(value, str):
        raise InvalidRequest(name, f"{name} must be a string")
    return value


def choice_of(document: dict[str, Any], name: str, kind: type[_Choice], *, otherwise: _Choice | None) -> _Choice:
    """One of the kind's words; where there is none, `otherwise`, or it is needed. Raises: InvalidRequest."""
    value = document.get(name)
    if value is None and otherwise is not None:
        return otherwise
    if value not in list(kind):
        raise InvalidRequest(name, f"{name} must be one of {', '.join(kind)}")
    return kind(value)


def whole_of(document: dict[str, Any], name: str, *, at_most: int = 2**31 - 1) -> int:
    """A whole number from 0 on, which is needed. Raises: InvalidRequest."""
    value = document.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= at_most:
        raise InvalidRequest(name, f"{name} must be a whole number from 0 to {at_most}")
    return value
