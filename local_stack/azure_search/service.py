"""The routes of Azure AI Search that its SDK uses for documents and indexes, and `POST /faults` for tests.

Source: https://learn.microsoft.com/rest/api/searchservice/
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from local_stack.azure_search.filters import FilterError
from local_stack.azure_search.index import BadRequest, Index

_MOST_ACTIONS = 1_000
_MOST_BYTES = 16 * 1024 * 1024
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class SearchStandIn:
    """Indexes in memory. `delay_s`: how long what is written is not yet found."""

    def __init__(self, *, api_key: str, delay_s: float = 0.2) -> None:
        self.requests: list[tuple[str, dict[str, Any]]] = []
        """What was asked: path and content."""
        self.indexes: dict[str, Index] = {}
        self._api_key = api_key
        self._delay_s = delay_s
        self.faults: list[dict[str, Any]] = []

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self._guard], client_max_size=_MOST_BYTES)
        app.add_routes(
            [
                web.get("/health", self._health),
                web.post("/faults", self._add_fault),
                web.post("/indexes", self._create_index),
                web.get("/indexes('{name}')", self._get_index),
                web.delete("/indexes('{name}')", self._delete_index),
                web.post("/indexes('{name}')/docs/search.index", self._write),
                web.post("/indexes('{name}')/docs/search.post.search", self._search),
            ]
        )
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        if request.path in ("/health", "/faults"):
            return await handler(request)
        if self.faults:
            fault = self.faults.pop(0)
            headers = {"Retry-After": str(fault["retry_after"])} if "retry_after" in fault else {}
            return _error(fault["status"], "told to", headers)
        if request.headers.get("api-key") != self._api_key:
            return _error(403, "Access denied")
        if not request.query.get("api-version"):
            return _error(400, "The api-version is missing")
        try:
            return await handler(request)
        except (BadRequest, FilterError, KeyError, ValueError, TypeError) as error:
            return _error(400, f"Invalid request: {error}")

    async def _health(self, _: web.Request) -> web.StreamResponse:
        return web.json_response({"indexes": len(self.indexes)})

    async def _add_fault(self, request: web.Request) -> web.StreamResponse:
        fault = await request.json()
        self.faults += [fault] * int(fault.get("times", 1))
        return web.json_response({})

    async def _create_index(self, request: web.Request) -> web.StreamResponse:
        definition = await self._content(request)
        if definition["name"] in self.indexes:
            return _error(409, "The index exists already")
        self.indexes[definition["name"]] = Index(definition, self._delay_s)
        return web.json_response(definition, status=201)

    async def _get_index(self, request: web.Request) -> web.StreamResponse:
        index = self.indexes.get(request.match_info["name"])
        return _error(404, "No such index") if index is None else web.json_response(index.definition)

    async def _delete_index(self, request: web.Request) -> web.StreamResponse:
        found = self.indexes.pop(request.match_info["name"], None)
        return _error(404, "No such index") if found is None else web.Response(status=204)

    async def _write(self, request: web.Request) -> web.StreamResponse:
        index = self.indexes.get(request.match_info["name"])
        actions = (await self._content(request))["value"]
        if index is None:
            return _error(404, "No such index")
        if not 0 < len(actions) <= _MOST_ACTIONS:
            return _error(400, f"A batch has 1 to {_MOST_ACTIONS} actions")
        results = [index.apply(action) for action in actions]
        return web.json_response({"value": results}, status=200 if all(each["status"] for each in results) else 207)

    async def _search(self, request: web.Request) -> web.StreamResponse:
        index = self.indexes.get(request.match_info["name"])
        asked = await self._content(request)
        if index is None:
            return _error(404, "No such index")
        return web.json_response({"value": index.search(asked)})

    async def _content(self, request: web.Request) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(await request.read())
        self.requests.append((request.path, content))
        return content


def _error(status: int, message: str, headers: dict[str, str] | None = None) -> web.Response:
    return web.json_response({"error": {"code": str(status), "message": message}}, status=status, headers=headers)
