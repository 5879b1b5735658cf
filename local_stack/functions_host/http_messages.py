"""Turns requests on the wire into `func.HttpRequest` when asked for, and answers into bytes."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from functools import lru_cache
from http import HTTPStatus
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl

import azure.functions as func
from azure.functions._http import HttpRequestHeaders

# What the host decides itself, whatever the function says.
_CONNECTION_HEADERS = frozenset({"content-length", "transfer-encoding", "connection", "keep-alive"})
_BODILESS = frozenset({204, 304})


class RawRequest:
    """A request as it came: bytes, nothing parsed that nobody asked for."""

    __slots__ = ("body", "headers", "method", "path", "query", "target")

    def __init__(self, method: str, target: bytes, headers: Mapping[bytes, bytes], body: bytes = b"") -> None:
        """`headers`: by names in lower case, repeated ones joined by commas."""
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body
        path, _, query = target.partition(b"?")
        self.path = path.decode("latin-1")
        self.query = query

    def header(self, lower_name: bytes) -> str | None:
        value = self.headers.get(lower_name)
        return None if value is None else value.decode("latin-1")

    def parameters(self) -> dict[str, str]:
        """Query parameters; a repeated one has its values joined by commas, as the Functions host does."""
        if not self.query:
            return {}
        found: dict[str, str] = {}
        for name, value in parse_qsl(self.query.decode("latin-1"), keep_blank_values=True):
            found[name] = f"{found[name]},{value}" if name in found else value
        return found


class LazyHeaders(HttpRequestHeaders):
    """The headers of a request; a value is decoded when it is asked for."""

    def __init__(self, values: Mapping[bytes, bytes]) -> None:
        self._values = values

    def __getitem__(self, key: str) -> str:
        return self._values[_on_the_wire(key)].decode("latin-1")

    def get(self, key: str, default: Any = None) -> Any:
        """As Mapping's own, without an exception for each header that is not there."""
        value = self._values.get(_on_the_wire(key))
        return default if value is None else value.decode("latin-1")

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and _on_the_wire(key) in self._values

    def __iter__(self) -> Iterator[str]:
        return (name.decode("latin-1") for name in self._values)


def _on_the_wire(name: str) -> bytes:
    return name.lower().encode("latin-1", "replace")


class LazyHttpRequest(func.HttpRequest):
    """A `func.HttpRequest` over a RawRequest; each part is parsed when the function first looks at it."""

    def __init__(self, raw: RawRequest, route_params: Mapping[str, str]) -> None:
        self._raw = raw
        self._route_params = route_params
        self._headers: HttpRequestHeaders | None = None
        self._params: Mapping[str, str] | None = None
        self._base_ready = False

    @property
    def method(self) -> str:
        return self._raw.method

    @property
    def url(self) -> str:
        target = self._raw.target.decode("latin-1")
        if not target.startswith("/"):
            return target
        return f"http://{self._raw.header(b'host') or 'localhost'}{target}"

    @property
    def headers(self) -> HttpRequestHeaders:
        if self._headers is None:
            self._headers = LazyHeaders(self._raw.headers)
        return self._headers

    @property
    def params(self) -> Mapping[str, str]:
        if self._params is None:
            self._params = MappingProxyType(self._raw.parameters())
        return self._params

    @property
    def route_params(self) -> Mapping[str, str]:
        return self._route_params

    @property
    def form(self) -> Any:
        self._prepare_base()
        return super().form

    @property
    def files(self) -> Any:
        self._prepare_base()
        return super().files

    def get_body(self) -> bytes:
        return self._raw.body

    def get_json(self) -> Any:
        """The body as JSON. Raises: ValueError if it is none."""
        try:
            return json.loads(self._raw.body.decode("utf-8"))
        except ValueError as error:
            raise ValueError("HTTP request does not contain valid JSON data") from error

    def _prepare_base(self) -> None:
        """The SDK's own form parser needs the fields that its constructor sets."""
        if not self._base_ready:
            super().__init__(
                self.method,
                self.url,
                headers=self.headers,
                params=self.params,
                route_params=self._route_params,
                body=self._raw.body,
            )
            self._base_ready = True


def encode_result(result: object, *, head_only: bool, keep_alive: bool) -> bytes:
    """Bytes of the HTTP/1.1 answer for what a function returned.

    A `str` is text/plain, None is 204, as on Azure. Raises: TypeError for anything else.
    """
    if isinstance(result, func.HttpResponse):
        return _encode_response(result, head_only, keep_alive)
    if result is None:
        return encode(204, (), b"", head_only=head_only, keep_alive=keep_alive)
    if isinstance(result, str):
        headers = (("Content-Type", "text/plain; charset=utf-8"),)
        return encode(200, headers, result.encode(), head_only=head_only, keep_alive=keep_alive)
    raise TypeError(f"an HTTP function must return HttpResponse, str or None, not {type(result).__name__}")


def encode(
    status: int,
    headers: tuple[tuple[str, str], ...] | list[tuple[str, str]],
    body: bytes,
    *,
    head_only: bool = False,
    keep_alive: bool = True,
) -> bytes:
    """Bytes of an HTTP/1.1 answer with `headers`, length, date and connection."""
    parts = [_head(status, int(time.time()))]
    for name, value in headers:
        parts.append(f"{name}: {value}\r\n".encode("latin-1", "replace"))
    if status in _BODILESS:
        body = b""
    else:
        parts.append(b"Content-Length: %d\r\n" % len(body))
    parts.append(b"\r\n" if keep_alive else b"Connection: close\r\n\r\n")
    if not head_only:
        parts.append(body)
    return b"".join(parts)


def json_answer(status: int, document: object, *extra: tuple[str, str], keep_alive: bool = True) -> bytes:
    """Bytes of an answer with a JSON body."""
    headers = [("Content-Type", "application/json; charset=utf-8"), *extra]
    return encode(status, headers, json.dumps(document).encode(), keep_alive=keep_alive)


def _encode_response(response: func.HttpResponse, head_only: bool, keep_alive: bool) -> bytes:
    body = response.get_body()
    status = int(response.status_code)
    given = response.headers
    if not len(given) and not body and status in _BODILESS:
        return encode(status, (), b"", head_only=head_only, keep_alive=keep_alive)
    headers = [(name, str(value)) for name, value in given.items() if name.lower() not in _CONNECTION_HEADERS]
    if "content-type" not in given and status not in _BODILESS:
        media_type = str(response.mimetype)
        charset = f"; charset={response.charset}" if media_type.startswith("text/") else ""
        headers.append(("Content-Type", media_type + charset))
    return encode(status, headers, body, head_only=head_only, keep_alive=keep_alive)


@lru_cache(maxsize=512)
def _head(status: int, now_s: int) -> bytes:
    """Status line and Date; the same ones are sent thousands of times within a second."""
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = ""
    date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(now_s))
    return f"HTTP/1.1 {status} {phrase}\r\nDate: {date}\r\n".encode()
