"""How a provider's REST API is told to misbehave: what happens to the next requests, one after the other."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from aiohttp import web

MOODS: Final = ("429", "500", "503", "late", "drop", "done_500", "done_late", "done_drop", "well")
"""Refused, answered too late or not at all; with `done_` although what was asked has been done; `well`: as usual."""
_LATE_S: Final = 30.0
R = TypeVar("R", bound=web.StreamResponse)
Refusal = Callable[[int], web.Response]
"""An answer of the provider's own form with this status."""


class Moods:
    """The moods of one API, none to begin with."""

    def __init__(self, late_s: float = _LATE_S) -> None:
        self._waiting: deque[str] = deque()
        self._late_s = late_s

    async def set(self, request: web.Request) -> web.Response:
        """`PUT`: a JSON list of moods, one for each of the next requests; what was set before is forgotten."""
        try:
            moods = await request.json()
        except ValueError:
            moods = None
        if not isinstance(moods, list) or not all(mood in MOODS for mood in moods):
            return web.json_response({"error": f"the body is not a JSON list of {', '.join(MOODS)}"}, status=400)
        self._waiting.clear()
        self._waiting.extend(moods)
        return web.Response(status=204)

    async def handle(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[R]], refusal: Refusal
    ) -> R | web.Response:
        """Answers the request in the mood of the moment."""
        mood = self._waiting.popleft() if self._waiting else "well"
        response: R | web.Response | None = None
        if mood == "well" or mood.startswith("done_"):
            response = await handler(request)
        match mood.removeprefix("done_"):
            case "drop":
                if request.transport is not None:
                    request.transport.abort()
            case "late":
                await asyncio.sleep(self._late_s)
                response = response or await handler(request)
            case "429" | "500" | "503" as status:
                response = refusal(int(status))
        return response or refusal(500)
