"""Calls of the durable webhooks and the answers to them, apart from what they do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local_stack.functions_host.http_messages import RawRequest, encode, json_answer
from local_stack.functions_host.http_protocol import HttpConnection


@dataclass(frozen=True, slots=True)
class WebhookCall:
    """One request: `parts` are the decoded path segments below the webhooks' prefix."""

    parts: list[str]
    query: Mapping[str, str]
    request: RawRequest

    @property
    def body(self) -> bytes:
        return self.request.body

    @property
    def is_json(self) -> bool:
        return (self.request.header(b"content-type") or "").lower().startswith("application/json")

    @property
    def origin(self) -> str | None:
        """Scheme and host that the caller used."""
        host = self.request.header(b"host")
        return f"http://{host}" if host else None

    def flag(self, name: str, *, default: bool) -> bool:
        """A boolean of the query; what cannot be read counts as not given."""
        value = self.query.get(name, "").strip().casefold()
        return value == "true" if value in {"true", "false"} else default


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, JSON document (None: no body) and further headers."""

    status: int
    document: object = None
    headers: tuple[tuple[str, str], ...] = ()

    def send(self, connection: HttpConnection) -> None:
        keep_alive = connection.keep_alive
        if self.document is None and self.status != 200:
            connection.answer(encode(self.status, self.headers, b"", keep_alive=keep_alive))
        else:
            connection.answer(json_answer(self.status, self.document, *self.headers, keep_alive=keep_alive))


def bad_request(message: str) -> Answer:
    return Answer(400, _error_document("One or more of the arguments submitted is incorrect", message))


def conflict(message: str) -> Answer:
    return Answer(409, _error_document("Conflict", message))


def json_text(body: bytes) -> str:
    """The body's JSON in one canonical text. Raises: ValueError."""
    try:
        return json.dumps(json.loads(body))
    except ValueError:
        raise ValueError("Invalid JSON content") from None


def _error_document(summary: str, message: str) -> dict[str, Any]:
    # The SDK shows ExceptionMessage to the caller.
    return {
        "Message": summary,
        "ExceptionMessage": message,
        "ExceptionType": "System.ArgumentException",
        "StackTrace": "",
    }
