"""The scripted backend, and the routes with which a test directs it."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from local_stack.speech.errors import ApiError
from local_stack.speech.routes.requests import FALLBACK, PRIMARY, TIMELINE
from local_stack.speech.scripted.answers import (
    ScriptedChat,
    ScriptedEmbedder,
    ScriptedSynthesizer,
    ScriptedTranscriber,
)
from local_stack.speech.scripted.director import Director
from local_stack.speech.scripted.script import ScriptError, read_script


class ScriptedBackend:
    """Ready at once; all state is in its director."""

    def __init__(self, director: Director) -> None:
        self.director = director
        self.transcriber = ScriptedTranscriber(director)
        self.synthesizer = ScriptedSynthesizer(director)
        self.chat_model = ScriptedChat(director)
        self.embedder = ScriptedEmbedder()

    def model_ids(self) -> list[str]:
        """One name for everything."""
        return ["scripted"]

    def pending(self) -> list[str]:
        """Nothing has to be loaded."""
        return []

    async def start(self) -> None:
        """Nothing to begin."""

    async def close(self) -> None:
        """Nothing to end."""


def add_direction(app: web.Application, director: Director) -> None:
    """`POST /reset`, `POST /script` (a script as in a file), `POST /faults` (one fault or a list, each with the
    `provider` that has it: `primary`, if nothing is said, or `fallback`).
    """

    async def reset(request: web.Request) -> web.Response:
        director.reset()
        request.app[TIMELINE].clear()
        return web.json_response({"status": "reset"})

    async def replace_script(request: web.Request) -> web.Response:
        try:
            director.reset(read_script(await request.json()))
        except ValueError as error:
            raise ApiError(400, str(error)) from error
        return web.json_response({"turns": len(director.script.dialogue)})

    async def order_faults(request: web.Request) -> web.Response:
        try:
            body = await request.json()
            for fault in body if isinstance(body, list) else [body]:
                _director_of(director, fault).order(fault)
        except (ScriptError, ValueError) as error:
            raise ApiError(400, str(error)) from error
        return web.json_response({"status": "ordered"})

    app.router.add_post("/reset", reset)
    app.router.add_post("/script", replace_script)
    app.router.add_post("/faults", order_faults)


def _director_of(director: Director, fault: Any) -> Director:
    provider = fault.get("provider", PRIMARY) if isinstance(fault, dict) else PRIMARY
    if provider not in (PRIMARY, FALLBACK):
        raise ScriptError(f"unknown provider {provider!r}; known: {PRIMARY}, {FALLBACK}")
    return director.fallback if provider == FALLBACK else director
