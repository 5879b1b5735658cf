"""The carrier's own error codes for what an app can do wrong. Source: https://www.twilio.com/docs/api/errors"""

from __future__ import annotations

from enum import IntEnum


class ErrorCode(IntEnum):
    HTTP_RETRIEVAL_FAILURE = 11200
    HTTP_TIMEOUT = 11205
    HTTP_CONNECTION_FAILURE = 11210
    HTTP_BODY_TOO_LARGE = 11750
    DOCUMENT_PARSE_FAILURE = 12100
    SCHEMA_VALIDATION = 12200
    INVALID_CONTENT_TYPE = 12300
    STREAM_CONNECTION_TIMEOUT = 31901
    STREAM_CONNECTION_REFUSED = 31902
    STREAM_HANDSHAKE = 31920
    STREAM_CLOSED = 31921
    STREAM_URL_SCHEME = 31922
    STREAM_WEBSOCKET_PROTOCOL = 31924
    STREAM_MALFORMED_MESSAGE = 31950
    """The app sent a binary message; told once a stream, the message is dropped."""
    STREAM_INVALID_MESSAGE = 31951
    """Not JSON, of unknown kind, a field too few or too many, another stream's id; told once a stream."""
    RELAY_UNREACHABLE = 64102
    RELAY_TOO_LONG = 64104
    RELAY_ENDED = 64105
    RELAY_INVALID_MESSAGE = 64107
    """Told for every message that the protocol does not name, and answered with an `error` message."""


class CarrierFault(Exception):
    """Something that the carrier holds against the app. `message` is one line for a person."""

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
