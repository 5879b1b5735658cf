"""One operation's request, made of what the model gives: none of it can leave the place it was meant for."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from shared.domain.errors import InvalidRequest
from shared.domain.json_text import whole

_PLACE = re.compile(r"\{([^{}/?#]{1,100})\}")
_HEADER_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,998}[\x21-\x7e])?")
_LONGEST_URL = 2_000
_NOT_THE_MODELS = frozenset(
    {"authorization", "cookie", "host", "connection", "content-length", "content-type", "transfer-encoding", "te"}
    | {"upgrade", "expect", "via", "forwarded", "idempotency-key", "accept", "user-agent", "origin", "referer"}
    | {"trailer", "keep-alive", "mcp-session-id"}
)
_OURS = ("webhook-", "voice-agent-", "x-forwarded-", "proxy-", "sec-", "x-real-", "x-original-", "x-http-method")


class In(StrEnum):
    PATH = "path"
    QUERY = "query"
    HEADER = "header"
    BODY = "body"
    WHOLE_BODY = "whole body"
    """The body is this value, and no object of several."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an argument goes, and under which name there."""

    where: In
    name: str


@dataclass(frozen=True, slots=True)
class Operation:
    """`places`: by the argument's name. `is_form`: the body is a form, else JSON."""

    method: str
    url: str
    places: Mapping[str, Place]
    is_form: bool = False


@dataclass(frozen=True, slots=True)
class Prepared:
    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


def operation_of(method: str, url: str, names: Mapping[str, Any]) -> Operation:
    """A tool's own template: what stands in `{}` is filled in, the rest goes into the query of GET and DELETE, else
    into the body. Raises: InvalidRequest for a template whose host could be changed.
    """
    parts = urlsplit(url)
    if _PLACE.search(parts.scheme + parts.netloc) or parts.username is not None or not parts.hostname:
        raise InvalidRequest("tool_url", "nothing is filled into the host, and no user stands there")
    in_path = set(_PLACE.findall(url))
    if unknown := in_path - set(names):
        raise InvalidRequest("tool_url", f"{', '.join(sorted(unknown))} is in the address and not in the parameters")
    rest = In.QUERY if method in ("GET", "DELETE") else In.BODY
    return Operation(method, url, {name: Place(In.PATH if name in in_path else rest, name) for name in names})


def is_header_for_models(name: str) -> bool:
    """Whether a model may say what this header holds."""
    lower = name.lower()
    return lower not in _NOT_THE_MODELS and not lower.startswith(_OURS) and lower.replace("-", "").isalnum()


def prepare(operation: Operation, arguments: Mapping[str, Any]) -> Prepared:
    """Raises: InvalidRequest that names the argument, in words for the model."""
    sorted_out: dict[In, dict[str, Any]] = {where: {} for where in In}
    for name, value in arguments.items():
        place = operation.places.get(name)
        if place is not None and value is not None:
            sorted_out[place.where][place.name] = value
    for name, value in arguments.items():  # a null of the body says something, elsewhere it is nothing
        place = operation.places.get(name)
        if place is not None and value is None and place.where is In.BODY:
            sorted_out[In.BODY][place.name] = None
    url = _filled(operation.url, sorted_out[In.PATH])
    if query := urlencode(_pairs(sorted_out[In.QUERY])):
        url += ("&" if urlsplit(url).query else "?") + query
    if len(url) > _LONGEST_URL:
        raise InvalidRequest("arguments", "the arguments are too long for an address")
    headers = {name: _header(name, value) for name, value in sorted_out[In.HEADER].items()}
    body, kind = _body(operation, sorted_out)
    return Prepared(operation.method, url, headers | ({"content-type": kind} if kind else {}), body)


def _filled(template: str, values: Mapping[str, Any]) -> str:
    def value_of(found: re.Match[str]) -> str:
        name = found[1]
        if name not in values:
            raise InvalidRequest("arguments", f"{name} is needed")
        text = _scalar(name, values[name]) if not isinstance(values[name], Mapping) else ""
        if not text or not text.strip(".") or any(ord(letter) < 32 for letter in text):
            raise InvalidRequest("arguments", f"{name} cannot be {text[:40]!r}")
        if "/" in text or "\\" in text or "%" in text:  # some servers decode twice
            raise InvalidRequest("arguments", f"{name} cannot hold /, \\ or %")
        return quote(text, safe="")

    return _PLACE.sub(value_of, template)


def _pairs(query: Mapping[str, Any]) -> list[tuple[str, str]]:
    pairs = []
    for name, value in query.items():
        values = value if isinstance(value, list) else [value]
        pairs += [(name, _scalar(name, each)) for each in values]
    return pairs


def _header(name: str, value: Any) -> str:
    text = ",".join(_scalar(name, each) for each in value) if isinstance(value, list) else _scalar(name, value)
    if not _HEADER_VALUE.fullmatch(text):
        raise InvalidRequest("arguments", f"{name} must be of plain letters on one line")
    return text


def _scalar(name: str, value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str() | int() | float():
            return whole(str(value))
        case Mapping():
            return json.dumps(value, separators=(",", ":"))
        case _:
            raise InvalidRequest("arguments", f"{name} must be a single value")


def _body(operation: Operation, sorted_out: Mapping[In, Mapping[str, Any]]) -> tuple[bytes, str]:
    whole = sorted_out[In.WHOLE_BODY]
    fields = sorted_out[In.BODY]
    takes_body = any(place.where in (In.BODY, In.WHOLE_BODY) for place in operation.places.values())
    if operation.method in ("GET", "HEAD") or not (takes_body or operation.method in ("POST", "PUT", "PATCH")):
        return b"", ""
    if operation.is_form:
        filled = {name: value for name, value in fields.items() if value is not None}
        return urlencode(_pairs(filled)).encode(), "application/x-www-form-urlencoded"
    document = next(iter(whole.values())) if whole else dict(fields)
    return json.dumps(document, ensure_ascii=False).encode("utf-8", "replace"), "application/json"
