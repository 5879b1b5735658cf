"""Puts routes, backend and timeline together into one aiohttp application."""

from __future__ import annotations

from collections.abc import AsyncIterator

from aiohttp import web

from local_stack.speech.backend import Backend
from local_stack.speech.errors import error_middleware
from local_stack.speech.routes.chat import complete
from local_stack.speech.routes.embeddings import embed
from local_stack.speech.routes.realtime import realtime
from local_stack.speech.routes.requests import (
    BACKENDS,
    FALLBACK,
    FALLBACK_PREFIX,
    PRIMARY,
    TIMELINE,
    provider_of,
)
from local_stack.speech.routes.sarvam import add_sarvam
from local_stack.speech.routes.speech import speak
from local_stack.speech.routes.transcriptions import MAX_UPLOAD_BYTES, transcribe
from local_stack.speech.timeline import Timeline

# OpenAI's own paths, and the two that Azure OpenAI has for the same operations.
# Source: https://learn.microsoft.com/azure/ai-foundry/openai/reference
_PREFIXES = ("/v1", "/openai/v1", "/openai/deployments/{deployment}")


def build_app(backend: Backend, timeline: Timeline, fallback: Backend | None = None) -> web.Application:
    """The service; its backends are started with it and closed with it. What is asked under `FALLBACK_PREFIX` is
    answered by `fallback`, as by a provider of its own, else by the same backend.
    """
    app = web.Application(client_max_size=MAX_UPLOAD_BYTES + 2**20, middlewares=[error_middleware])
    app[BACKENDS] = {PRIMARY: backend, FALLBACK: fallback or backend}
    app[TIMELINE] = timeline
    for prefix in (*_PREFIXES, *(f"{FALLBACK_PREFIX}{prefix}" for prefix in _PREFIXES)):
        app.router.add_post(f"{prefix}/audio/transcriptions", transcribe)
        app.router.add_post(f"{prefix}/audio/speech", speak)
        app.router.add_post(f"{prefix}/chat/completions", complete)
        app.router.add_post(f"{prefix}/embeddings", embed)
    for path in ("/v1/models", "/openai/v1/models", "/openai/models"):
        app.router.add_get(path, list_models)
        app.router.add_get(f"{FALLBACK_PREFIX}{path}", list_models)
    for path in ("/v1/realtime", "/openai/v1/realtime", f"{FALLBACK_PREFIX}/v1/realtime"):
        app.router.add_get(path, realtime)
    add_sarvam(app)
    app.router.add_get("/health", health)
    app.router.add_get("/timeline", show_timeline)
    app.cleanup_ctx.append(_lifetime)
    return app


async def _lifetime(app: web.Application) -> AsyncIterator[None]:
    backends = set(app[BACKENDS].values())
    for backend in backends:
        await backend.start()
    yield
    for backend in backends:
        await backend.close()


async def health(request: web.Request) -> web.Response:
    """200 when every model is loaded, 503 with what is missing until then."""
    pending = sorted({name for backend in request.app[BACKENDS].values() for name in backend.pending()})
    body = {"status": "loading" if pending else "ready", "loading": pending}
    return web.json_response(body, status=503 if pending else 200)


async def list_models(request: web.Request) -> web.Response:
    """The models' names in OpenAI's list shape."""
    models = [
        {"id": model, "object": "model", "created": 0, "owned_by": "local"}
        for model in request.app[BACKENDS][provider_of(request)].model_ids()
    ]
    return web.json_response({"object": "list", "data": models})


async def show_timeline(request: web.Request) -> web.Response:
    """The moments of the requests so far."""
    return web.json_response({"requests": request.app[TIMELINE].to_json()})
