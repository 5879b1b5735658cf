"""What all routes share: opening a request's timeline entry and reading JSON fields safely."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from local_stack.speech.backend import Backend, Context
from local_stack.speech.errors import ApiError
from local_stack.speech.timeline import Entry, Timeline, now_ms

PRIMARY, FALLBACK = "primary", "fallback"
FALLBACK_PREFIX = "/fallback"
"""Paths under it are a second provider's, independent of the first."""
BACKENDS: web.AppKey[dict[str, Backend]] = web.AppKey("backends", dict)
TIMELINE: web.AppKey[Timeline] = web.AppKey("timeline", Timeline)


def provider_of(request: web.Request) -> str:
    """Which of the two providers is asked."""
    return FALLBACK if request.path.startswith(f"{FALLBACK_PREFIX}/") else PRIMARY


def ready_backend(request: web.Request) -> Backend:
    """The provider's backend, or a 503 that names what is still loading."""
    backend = request.app[BACKENDS][provider_of(request)]
    pending = backend.pending()
    if pending:
        raise ApiError(503, f"still loading: {', '.join(pending)}", code="loading")
    return backend


@asynccontextmanager
async def timed(request: web.Request, kind: str) -> AsyncIterator[Entry]:
    """A timeline entry that is closed whatever happens to the request."""
    entry = request.app[TIMELINE].open(kind, provider_of(request))
    try:
        yield entry
    except ApiError as error:
        entry.status, entry.done_ms = error.status, now_ms()
        raise
    except BaseException:  # a client that went away cancels the handler
        entry.aborted_ms = now_ms()
        raise
    entry.status, entry.done_ms = 200, now_ms()


def context_of(request: web.Request, entry: Entry) -> Context:
    """The request's context; call it when the body has arrived."""
    entry.complete_ms = now_ms()
    headers = {name.lower(): value for name, value in request.headers.items()}
    if call_id := headers.get("x-call-id"):
        entry.details["call_id"] = call_id
    return Context(headers, asyncio.get_running_loop().time(), entry)


async def read_json(request: web.Request) -> dict[str, Any]:
    """The body as a JSON object. Raises ApiError 400."""
    try:
        body = await request.json()
    except ValueError as error:
        raise ApiError(400, f"the body is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise ApiError(400, "the body is not a JSON object")
    return body


def text_field(body: dict[str, Any], name: str, default: str | None = None) -> str:
    """A field that must be text."""
    value = body.get(name, default)
    if not isinstance(value, str):
        raise ApiError(400, f"{name} must be a string", param=name)
    return value


def number_field(body: dict[str, Any], name: str, low: float, high: float) -> float | None:
    """A field that must be a number in [low, high], or absent."""
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ApiError(400, f"{name} must be a number from {low:g} to {high:g}", param=name)
    return float(value)
