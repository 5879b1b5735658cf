"""The endpoint as a whole: opens, recovers and ends connections, and tells the event handlers of it."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Collection, Coroutine, Iterable
from typing import Any
from urllib.parse import urlsplit

from local_stack.web_pubsub.access_tokens import AccessKeys
from local_stack.web_pubsub.cloud_events import CloudEventWriter
from local_stack.web_pubsub.configuration import Configuration
from local_stack.web_pubsub.connection import ClientConnection
from local_stack.web_pubsub.event_routing import EventRouting
from local_stack.web_pubsub.faults import Faults
from local_stack.web_pubsub.http_client import HttpClient
from local_stack.web_pubsub.registry import Hub, Registry
from local_stack.web_pubsub.upstream import Upstream, UpstreamFailure

JSON_CONTENT = "application/json; charset=utf-8"
_POLICY_VIOLATION = 1008
_GOING_AWAY = 1001
_log = logging.getLogger(__name__)


class Endpoint:
    """All state of one running endpoint."""

    def __init__(self, configuration: Configuration) -> None:
        limits = configuration.limits
        self.configuration = configuration
        self.limits = limits
        self.keys = AccessKeys(configuration.access_keys, configuration.endpoint)
        self.registry = Registry()
        self.faults = Faults()
        self._client = HttpClient(
            max_sockets=limits.max_upstream_sockets, max_response_bytes=limits.max_response_bytes
        )
        self.upstream = Upstream(
            EventRouting(configuration),
            CloudEventWriter(urlsplit(configuration.endpoint).hostname or "localhost", self.keys),
            self._client,
            limits,
            self.faults,
        )
        self._notifications: set[asyncio.Task[None]] = set()
        self._recoveries: dict[str, asyncio.TimerHandle] = {}
        self.is_closing = False

    def hub(self, name: str) -> Hub:
        """The connections of a hub."""
        return self.registry.hub(name)

    def admit(self, connection: ClientConnection, groups: Iterable[str]) -> None:
        """Take in a connection whose WebSocket is open, and tell the handlers."""
        self.registry.add(connection, groups)
        _log.info("connection %s opened on hub %s", connection.id, connection.hub)
        self._notify(connection, "connected", b"{}", persistent=False)

    def turn_away(self, connection: ClientConnection, reason: str) -> None:
        """Tell the handlers that a client whom they let in never opened its WebSocket."""
        connection.closed_because = reason
        self._notify(connection, "disconnected", json.dumps({"reason": reason}).encode(), persistent=True)

    def overflow(self, connection: ClientConnection, reason: str) -> None:
        """Let go of a client that does not keep up."""
        self.close(connection, reason, _POLICY_VIOLATION)

    def close(self, connection: ClientConnection, reason: str, code: int = 1000) -> None:
        """End a connection from our side; its `disconnected` event follows at once."""
        connection.close(code, reason)
        self.finish(connection, reason)

    def finish(self, connection: ClientConnection, reason: str) -> None:
        """Forget a connection and tell the handlers why it ended. Harmless if done already."""
        timer = self._recoveries.pop(connection.id, None)
        if timer is not None:
            timer.cancel()
        if not self.registry.remove(connection):
            return
        if connection.closed_because is None:
            connection.closed_because = reason
        _log.info("connection %s on hub %s ended: %s", connection.id, connection.hub, reason or "closed")
        body = json.dumps({"reason": reason}).encode()
        self._notify(connection, "disconnected", body, persistent=not self.is_closing)

    def await_recovery(self, connection: ClientConnection, reason: str) -> None:
        """Keep a reliable connection whose WebSocket broke until the recovery window is over."""
        if connection.closed_because is not None or self.is_closing:
            self.finish(connection, reason)
            return
        _log.info("connection %s on hub %s waits for recovery: %s", connection.id, connection.hub, reason)
        loop = asyncio.get_running_loop()
        window_s = self.limits.recovery_window_s
        self._recoveries[connection.id] = loop.call_later(window_s, self.finish, connection, reason)

    def recover(self, hub: str, connection_id: str, token: str, offered: Collection[str]) -> ClientConnection | None:
        """The connection that a reliable client wants back; None if there is no such connection any more."""
        connection = self.registry.find(hub, connection_id)
        if connection is None or not connection.is_reliable or connection.closed_because is not None:
            return None
        if not self.keys.is_reconnection_token(connection_id, token):
            return None
        if connection.subprotocol not in offered:
            return None
        timer = self._recoveries.pop(connection_id, None)
        if timer is not None:
            timer.cancel()
        return connection

    async def shut_down(self) -> None:
        """Close all connections and deliver what is still to be told, within the shutdown grace."""
        self.is_closing = True
        for connection in self.registry:
            self.close(connection, "The service is shutting down.", _GOING_AWAY)
        pending = [task for task in self._notifications if not task.done()]
        if pending:
            _, late = await asyncio.wait(pending, timeout=self.limits.shutdown_grace_s)
            if late:
                _log.warning("%d events could not be delivered before the end", len(late))
                for task in late:
                    task.cancel()
                await asyncio.gather(*late, return_exceptions=True)
        self._client.close()

    def _notify(self, connection: ClientConnection, event: str, body: bytes, *, persistent: bool) -> None:
        if self.upstream.wants(connection.hub, event):
            self._spawn(self._deliver_notification(connection, event, body, persistent))

    async def _deliver_notification(
        self, connection: ClientConnection, event: str, body: bytes, persistent: bool
    ) -> None:
        try:
            response = await self.upstream.deliver(
                connection, event, body, JSON_CONTENT, is_system=True, persistent=persistent
            )
        except UpstreamFailure as failure:
            _log.warning("event %s of %s was not delivered: %s", event, connection.id, failure)
        else:
            if response is not None and not 200 <= response.status < 300:
                _log.warning("event %s of %s was answered %d", event, connection.id, response.status)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._notifications.add(task)
        task.add_done_callback(self._notifications.discard)
