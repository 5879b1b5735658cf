"""Puts the parts of the host together and runs them from start to drain."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from local_stack.functions_host.admin import AdminApi
from local_stack.functions_host.durable.client_binding import ManagementLinks
from local_stack.functions_host.durable.engine import DurableEngine
from local_stack.functions_host.durable.sdk_timestamps import speed_up_timestamps
from local_stack.functions_host.durable.store import DurableStore
from local_stack.functions_host.durable.webhooks import DurableWebhooks
from local_stack.functions_host.function_index import FunctionIndex
from local_stack.functions_host.host_json import HostOptions
from local_stack.functions_host.http_functions import WEBHOOK_PREFIX, HttpFunctions
from local_stack.functions_host.http_protocol import ConnectionSet, HttpConnection, RequestHandler
from local_stack.functions_host.invocation import Invoker
from local_stack.functions_host.keys import KeyRing
from local_stack.functions_host.timer_triggers import TimerTriggers

log = logging.getLogger(__name__)

_RPC_PREFIX = "/durabletask"
_RPC_BODY_LIMIT_BYTES = 1 << 30
_BACKLOG = 1024
_DRAIN_GRACE_S = 3.0


@dataclass(frozen=True, slots=True)
class HostSetup:
    """Everything a host needs to know before it starts."""

    index: FunctionIndex
    options: HostOptions
    settings: Mapping[str, str]
    keys: KeyRing
    state_dir: Path
    listener: socket.socket
    """Bound to the public address, not listening yet."""


class FunctionsHost:
    """The running host. The durable client talks to a port of its own, which needs no key."""

    def __init__(self, setup: HostSetup) -> None:
        self._setup = setup
        self._public = ConnectionSet(setup.options.body_limit_bytes)
        self._rpc = ConnectionSet(_RPC_BODY_LIMIT_BYTES)
        self._servers: list[asyncio.Server] = []
        self.port = int(setup.listener.getsockname()[1])

    async def start(self) -> None:
        """Listen, take up unfinished work and run. Raises: HostConfigurationError."""
        setup = self._setup
        speed_up_timestamps()
        handlers: dict[str, RequestHandler] = {}
        await self._listen(self._public, setup.listener, lambda: handlers["public"])
        rpc_listener = bind("127.0.0.1", 0)
        await self._listen(self._rpc, rpc_listener, lambda: handlers["rpc"])
        base_url = f"http://{setup.settings.get('WEBSITE_HOSTNAME') or f'localhost:{self.port}'}"
        key = setup.keys.durable_key if setup.keys.enforced else None
        links = ManagementLinks(base_url, setup.options.hub_name, key)
        client = links.client_document(f"http://127.0.0.1:{rpc_listener.getsockname()[1]}{_RPC_PREFIX}/")
        self._invoker = Invoker(client, setup.options.function_timeout_s)
        self._store = DurableStore(setup.state_dir / f"{setup.options.hub_name}.db")
        self._engine = DurableEngine(setup.index, self._invoker, self._store, setup.options.max_concurrent_activities)
        self._timers = TimerTriggers(setup.index, setup.settings, self._invoker, self._store)
        prefix = setup.options.route_prefix
        self._admin = AdminApi(setup.index, base_url, prefix, setup.options.hub_name, run=self._timers.run_now)
        handlers["rpc"] = DurableWebhooks(_RPC_PREFIX, self._engine, links)
        handlers["public"] = HttpFunctions(
            setup.index,
            self._invoker,
            setup.keys,
            prefix,
            admin=self._admin,
            webhooks=DurableWebhooks(WEBHOOK_PREFIX, self._engine, links),
        )
        self._invoker.start()
        self._engine.recover()
        self._timers.start()
        for server in self._servers:
            await server.start_serving()
        log.info("host runs %d functions on http://localhost:%d", len(setup.index.functions), self.port)

    async def stop(self) -> None:
        """Stop accepting, let running functions finish for three seconds, cancel the rest, close."""
        self._admin.is_draining = True
        self._servers[0].close()
        self._public.begin_drain()
        self._timers.begin_stop()
        self._engine.begin_stop()
        await self._invoker.drain(_DRAIN_GRACE_S)
        await self._engine.close()
        self._servers[1].close()
        self._public.abort_all()
        self._rpc.abort_all()
        self._store.close()
        log.info("host stopped")

    async def _listen(
        self, connections: ConnectionSet, listener: socket.socket, handler: Callable[[], RequestHandler]
    ) -> None:
        """Take over the socket; connections are accepted only when everything is ready."""
        server = await asyncio.get_running_loop().create_server(
            lambda: HttpConnection(handler(), connections),
            sock=listener,
            backlog=_BACKLOG,
            start_serving=False,
        )
        self._servers.append(server)


def bind(host: str, port: int) -> socket.socket:
    """A socket bound to `host`:`port`, 0 for any free port. Raises: OSError if it is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener
