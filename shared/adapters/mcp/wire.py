"""JSON-RPC as streamable HTTP carries it: one request, one answer, as JSON or within a stream of events.

Source: https://modelcontextprotocol.io/specification/2025-06-18/basic/transports#streamable-http,
https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from shared.domain.json_text import read_json
from shared.ports.web_requests import WebAnswer


class NotUnderstood(Exception):
    """The answer is none of this protocol."""


def request_body(number: int, method: str, params: Mapping[str, Any]) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}).encode()


def notice_body(method: str) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "method": method}).encode()


def answer_to(number: int, answer: WebAnswer) -> Mapping[str, Any]:
    """The message that answers this request; what the server tells or asks besides is passed over.

    Raises: NotUnderstood.
    """
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    bodies = _events(answer.body) if kind == "text/event-stream" else [answer.body]
    for body in bodies:
        try:
            message = read_json(body)
        except (ValueError, RecursionError):
            continue
        if isinstance(message, Mapping) and message.get("id") == number and message.keys() & {"result", "error"}:
            return message
    raise NotUnderstood("the answer holds no answer")


def _events(stream: bytes) -> Iterator[bytes]:
    """The data of each event that is whole."""
    text = stream.decode("utf-8-sig", "replace").replace("\r\n", "\n").replace("\r", "\n")
    data: list[str] = []
    for line in text.split("\n"):
        name, _, value = line.partition(":")
        if name == "data":
            data.append(value.removeprefix(" "))
        elif not line and data:
            yield "\n".join(data).encode()
            data = []
