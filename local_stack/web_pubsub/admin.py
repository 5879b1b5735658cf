"""What only a local endpoint has: looking at its connections and ordering faults, for tests.

Every call bears an access key of the endpoint in the header `X-Access-Key`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from local_stack.web_pubsub.connection import ClientConnection
from local_stack.web_pubsub.endpoint import Endpoint
from local_stack.web_pubsub.faults import InvalidFault

Handler = Callable[[web.Request], Awaitable[web.Response]]


class AdminApi:
    """The routes under `/_local/`."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    def routes(self) -> list[web.RouteDef]:
        table: list[tuple[str, str, Handler]] = [
            ("GET", "/_local/connections", self.list_connections),
            ("POST", "/_local/connections/:drop", self.drop_all),
            ("POST", "/_local/connections/{connection_id}/:drop", self.drop_one),
            ("GET", "/_local/faults", self.list_faults),
            ("POST", "/_local/faults", self.order_fault),
            ("DELETE", "/_local/faults", self.clear_faults),
            ("GET", "/_local/usage", self.usage),
        ]
        return [web.route(method, path, self._guarded(handler)) for method, path, handler in table]

    async def list_connections(self, request: web.Request) -> web.Response:
        """Open connections, and reliable ones that wait for recovery; `?hub=` asks for one hub."""
        connections = [_describe(each) for each in self._chosen(request)]
        return web.json_response({"count": len(connections), "connections": connections})

    async def drop_all(self, request: web.Request) -> web.Response:
        """Cut the TCP connections of all clients, or with `?hub=` of those of a hub."""
        return _drop(self._chosen(request))

    async def drop_one(self, request: web.Request) -> web.Response:
        """Cut the TCP connection of one client."""
        wanted = request.match_info["connection_id"]
        return _drop([each for each in self._endpoint.registry if each.id == wanted])

    async def list_faults(self, _: web.Request) -> web.Response:
        return web.json_response({"faults": self._endpoint.faults.as_json()})

    async def order_fault(self, request: web.Request) -> web.Response:
        try:
            fault = self._endpoint.faults.order(json.loads(await request.read()))
        except ValueError as error:
            message = str(error) if isinstance(error, InvalidFault) else "the body is not JSON"
            return web.json_response({"error": message}, status=400)
        return web.json_response({"id": fault.id}, status=201)

    async def clear_faults(self, _: web.Request) -> web.Response:
        self._endpoint.faults.clear()
        return web.Response(status=204)

    async def usage(self, _: web.Request) -> web.Response:
        """CPU seconds of this process since its start, for benchmarks."""
        return web.json_response({"cpu_s": time.process_time(), "connections": len(self._endpoint.registry)})

    def _chosen(self, request: web.Request) -> list[ClientConnection]:
        hub = request.query.get("hub")
        return [each for each in self._endpoint.registry if hub is None or each.hub == hub.lower()]

    def _guarded(self, handler: Handler) -> Handler:
        async def guarded(request: web.Request) -> web.Response:
            if not self._endpoint.keys.is_key(request.headers.get("X-Access-Key", "")):
                return web.json_response({"error": "X-Access-Key is missing or wrong"}, status=401)
            return await handler(request)

        return guarded


def _drop(connections: list[ClientConnection]) -> web.Response:
    attached = [each.attachment for each in connections if each.attachment is not None]
    for attachment in attached:
        attachment.abort()
    return web.json_response({"dropped": len(attached)}, status=200 if attached else 404)


def _describe(connection: ClientConnection) -> dict[str, Any]:
    return {
        "connectionId": connection.id,
        "hub": connection.hub,
        "userId": connection.user_id,
        "subprotocol": connection.subprotocol,
        "groups": sorted(connection.groups),
        "isAttached": connection.attachment is not None,
        "connectedAt": connection.connected_at,
    }
