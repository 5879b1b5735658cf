"""Errors in the shape that OpenAI's clients expect."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from aiohttp import web

_log = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    404: "invalid_request_error",
    429: "rate_limit_error",
    503: "service_unavailable_error",
}


class ApiError(Exception):
    """Ends a request with an HTTP status and OpenAI's error body."""

    def __init__(self, status: int, message: str, *, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.param = param
        self.code = code

    def body(self) -> dict[str, dict[str, str | None]]:
        """`{"error": {message, type, param, code}}`. Source: https://platform.openai.com/docs/guides/error-codes"""
        kind = _TYPES.get(self.status, "server_error")
        return {"error": {"message": self.message, "type": kind, "param": self.param, "code": self.code}}


class CutStream(Exception):
    """The connection is to be broken without an orderly end."""


@web.middleware
async def error_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn ApiError and aiohttp's own HTTP errors into OpenAI's error body."""
    try:
        return await handler(request)
    except ApiError as error:
        headers = {"Retry-After": "1"} if error.status == 429 else None
        return web.json_response(error.body(), status=error.status, headers=headers)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        plain = ApiError(error.status, error.reason or "error")
        return web.json_response(plain.body(), status=error.status)
    except CutStream:
        if request.transport is not None:
            request.transport.abort()
        return web.Response()  # it goes nowhere: the connection is gone
