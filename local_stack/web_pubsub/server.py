"""Puts the parts of the endpoint behind one port."""

from __future__ import annotations

from aiohttp import web

from local_stack.web_pubsub.admin import AdminApi
from local_stack.web_pubsub.client_door import ClientDoor
from local_stack.web_pubsub.configuration import Configuration
from local_stack.web_pubsub.endpoint import Endpoint
from local_stack.web_pubsub.keep_alive import KeepAlive
from local_stack.web_pubsub.rest import RestApi

_SHUTDOWN_TIMEOUT_S = 1.0
_MAX_REST_BODY_BYTES = 2 * 1024 * 1024


class Server:
    """An endpoint that listens."""

    def __init__(self, configuration: Configuration) -> None:
        self.endpoint = Endpoint(configuration)
        self._keep_alive = KeepAlive(configuration.limits.keep_alive_interval_s)
        self._runner: web.AppRunner | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen, and give the port, which is a free one if 0 was asked for.

        Raises: OSError if the port is taken.
        """
        runner = web.AppRunner(
            self._application(), access_log=None, handle_signals=False, shutdown_timeout=_SHUTDOWN_TIMEOUT_S
        )
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError:
            await runner.cleanup()
            raise
        self._runner = runner
        self._keep_alive.start()
        return int(runner.addresses[0][1])

    async def stop(self) -> None:
        """Close all connections, tell the handlers, and stop listening."""
        await self._keep_alive.stop()
        await self.endpoint.shut_down()
        if self._runner is not None:
            await self._runner.cleanup()

    def _application(self) -> web.Application:
        application = web.Application(client_max_size=_MAX_REST_BODY_BYTES)
        door = ClientDoor(self.endpoint, self._keep_alive)
        application.add_routes(
            [
                *(web.get(path, door.enter) for path in ("/client/hubs/{hub}", "/client", "/client/")),
                *RestApi(self.endpoint).routes(),
                *AdminApi(self.endpoint).routes(),
                *(web.get(path, self._health) for path in ("/health", "/api/health")),
            ]
        )
        return application

    async def _health(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "ok", "connections": len(self.endpoint.registry)})
