"""REST operations that reach clients at once: sending to them and closing them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from aiohttp import web

from local_stack.web_pubsub.connection import ClientConnection
from local_stack.web_pubsub.endpoint import Endpoint
from local_stack.web_pubsub.messages import SERVER, Origin
from local_stack.web_pubsub.registry import Hub, send_to
from local_stack.web_pubsub.rest_requests import condition, excluded, read_payload, ttl_s

Receivers = Callable[[Hub], Iterable[ClientConnection]]
_DEFAULT_REASON = "Closed by REST API."


class MessageApi:
    """`:send` and `:closeConnections`. What is sent is in the sockets' buffers when the answer goes out."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    async def send_to_connection(self, request: web.Request) -> web.Response:
        payload = await read_payload(request)
        info = request.match_info
        connection = self._endpoint.registry.find(info["hub"], info["connection_id"])
        if connection is None:
            return web.Response(status=404)
        connection.send_data(payload, SERVER, ttl_s(request))
        return web.Response(status=202)

    async def send_to_all(self, request: web.Request) -> web.Response:
        return await self._send(request, lambda hub: hub.connections.values(), SERVER)

    async def send_to_group(self, request: web.Request) -> web.Response:
        group = request.match_info["group"]
        return await self._send(request, lambda hub: hub.of_group(group), Origin(group))

    async def send_to_user(self, request: web.Request) -> web.Response:
        user_id = request.match_info["user_id"]
        return await self._send(request, lambda hub: hub.of_user(user_id), SERVER)

    async def close_connection(self, request: web.Request) -> web.Response:
        connection = self._endpoint.registry.find(request.match_info["hub"], request.match_info["connection_id"])
        return self._close(request, [connection] if connection is not None else [])

    async def close_all(self, request: web.Request) -> web.Response:
        return self._close(request, self._hub(request).connections.values())

    async def close_group(self, request: web.Request) -> web.Response:
        return self._close(request, self._hub(request).of_group(request.match_info["group"]))

    async def close_user(self, request: web.Request) -> web.Response:
        return self._close(request, self._hub(request).of_user(request.match_info["user_id"]))

    def _hub(self, request: web.Request) -> Hub:
        return self._endpoint.hub(request.match_info["hub"])

    async def _send(self, request: web.Request, receivers: Receivers, origin: Origin) -> web.Response:
        matches = condition(request.query.get("filter"))
        payload = await read_payload(request)
        send_to(
            list(receivers(self._hub(request))),
            payload,
            origin,
            excluded=excluded(request),
            condition=matches,
            ttl_s=ttl_s(request),
        )
        return web.Response(status=202)

    def _close(self, request: web.Request, connections: Iterable[ClientConnection]) -> web.Response:
        left_out = excluded(request)
        reason = request.query.get("reason") or _DEFAULT_REASON
        for connection in list(connections):
            if connection.id not in left_out:
                self._endpoint.close(connection, reason)
        return web.Response(status=204)
