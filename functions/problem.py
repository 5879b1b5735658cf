"""One format for everything that goes wrong over HTTP: problem details (RFC 9457)."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

import azure.functions as func

from shared.domain.agents.faults import InvalidDocument
from shared.domain.errors import (
    Conflict,
    Forbidden,
    InvalidRequest,
    NotFound,
    Unauthenticated,
    VoiceAgentError,
)

logger = logging.getLogger(__name__)

_STATUSES: dict[type[VoiceAgentError], HTTPStatus] = {
    InvalidRequest: HTTPStatus.BAD_REQUEST,
    Unauthenticated: HTTPStatus.UNAUTHORIZED,
    Forbidden: HTTPStatus.FORBIDDEN,
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
}
_TOO_LARGE = "body_too_large"
_SETTINGS = "settings"


def status_of(error: VoiceAgentError) -> HTTPStatus:
    if error.code == _TOO_LARGE:
        return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    if error.code == _SETTINGS:  # what is wrong is ours, not the request
        return HTTPStatus.INTERNAL_SERVER_ERROR
    otherwise = HTTPStatus.SERVICE_UNAVAILABLE if error.retryable else HTTPStatus.BAD_GATEWAY
    return next((_STATUSES[kind] for kind in type(error).__mro__ if kind in _STATUSES), otherwise)


def problem(error: VoiceAgentError) -> func.HttpResponse:
    """`type` and `code` name the problem for programs, `title` and `detail` say it to people."""
    status = status_of(error)
    headers = {"Cache-Control": "no-store"}
    if status is HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    if error.retryable:
        headers["Retry-After"] = "1"
    document: dict[str, Any] = {
        "type": f"urn:voice-agent:problem:{error.code}",
        "title": status.phrase,
        "status": status.value,
        "detail": error.message,
        "code": error.code,
    }
    if isinstance(error, InvalidDocument):
        document["errors"] = [{"field": fault.field, "message": fault.message} for fault in error.faults]
    return func.HttpResponse(
        json.dumps(document), status_code=status.value, headers=headers, mimetype="application/problem+json"
    )


async def answer(what: str, deed: Callable[[], Awaitable[func.HttpResponse]]) -> func.HttpResponse:
    """The deed's response, or its failure as a problem; logs the failure in one line."""
    try:
        return await deed()
    except VoiceAgentError as error:
        return refused(what, error)


def refused(what: str, error: VoiceAgentError) -> func.HttpResponse:
    """A problem, and a line about it in the log."""
    level = logging.INFO if status_of(error) < HTTPStatus.INTERNAL_SERVER_ERROR else logging.ERROR
    said = "".join(letter if letter.isprintable() else " " for letter in str(error))  # one line, whatever was sent
    logger.log(level, "%s refused: %s", what, said)
    return problem(error)
