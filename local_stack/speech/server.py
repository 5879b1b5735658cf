"""Puts routes, backend and timeline together into one aiohttp application."""

from __future__ import annotations

from collections.abc import AsyncIterator

from aiohttp import web

from local_stack.speech.backend import Backend
from local_stack.speech.errors import error_middleware
from local_stack.speech.routes.chat import complete
from local_stack.speech.routes.embeddings import embed
from local_stack.speech.routes.requests import BACKEND, TIMELINE
from local_stack.speech.routes.speech import speak
from local_stack.speech.routes.transcriptions import MAX_UPLOAD_BYTES, transcribe
from local_stack.speech.timeline import Timeline

# OpenAI's own paths, and the two that Azure OpenAI has for the same operations.
# Source: https://learn.microsoft.com/azure/ai-foundry/openai/reference
_PREFIXES = ("/v1", "/openai/v1", "/openai/deployments/{deployment}")


def build_app(backend: Backend, timeline: Timeline) -> web.Application:
    """The service; the backend is started with it and closed with it."""
    app = web.Application(client_max_size=MAX_UPLOAD_BYTES + 2**20, middlewares=[error_middleware])
    app[BACKEND] = backend
    app[TIMELINE] = timeline
    for prefix in _PREFIXES:
        app.router.add_post(f"{prefix}/audio/transcriptions", transcribe)
        app.router.add_post(f"{prefix}/audio/speech", speak)
        app.router.add_post(f"{prefix}/chat/completions", complete)
        app.router.add_post(f"{prefix}/embeddings", embed)
    for path in ("/v1/models", "/openai/v1/models", "/openai/models"):
        app.router.add_get(path, list_models)
    app.router.add_get("/health", health)
    app.router.add_get("/timeline", show_timeline)
    app.cleanup_ctx.append(_lifetime)
    return app


async def _lifetime(app: web.Application) -> AsyncIterator[None]:
    await app[BACKEND].start()
    yield
    await app[BACKEND].close()


async def health(request: web.Request) -> web.Response:
    """200 when every model is loaded, 503 with what is missing until then."""
    pending = request.app[BACKEND].pending()
    body = {"status": "loading" if pending else "ready", "loading": pending}
    return web.json_response(body, status=503 if pending else 200)


async def list_models(request: web.Request) -> web.Response:
    """The models' names in OpenAI's list shape."""
    models = [
        {"id": model, "object": "model", "created": 0, "owned_by": "local"}
        for model in request.app[BACKEND].model_ids()
    ]
    return web.json_response({"object": "list", "data": models})


async def show_timeline(request: web.Request) -> web.Response:
    """The moments of the requests so far."""
    return web.json_response({"requests": request.app[TIMELINE].to_json()})
