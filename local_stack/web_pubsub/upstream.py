"""Delivers events to the function app: validated, signed, in order, and again if the network fails."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Iterator
from dataclasses import dataclass

from local_stack.web_pubsub.cloud_events import CloudEventWriter
from local_stack.web_pubsub.configuration import Limits
from local_stack.web_pubsub.connection import ClientConnection
from local_stack.web_pubsub.event_routing import EventRouting, Route
from local_stack.web_pubsub.faults import Faults
from local_stack.web_pubsub.http_client import (
    BadResponse,
    HttpClient,
    Response,
    Target,
    TimedOut,
    Unreachable,
)
from local_stack.web_pubsub.upstream_auth import UpstreamAuth

_log = logging.getLogger(__name__)


class UpstreamFailure(Exception):
    """An event could not be delivered; the message says why in one line."""


@dataclass(slots=True)
class _Delivery:
    """One event on its way; `head` is its request up to the ce-id."""

    route: Route
    connection: ClientConnection
    event: str
    event_id: int
    head: bytes
    body: bytes
    deadline: float


class Upstream:
    """The way to the event handlers.

    Retries: network errors, 408 and 5xx after each of the configured delays, with the same ce-id; nothing
    else. All attempts together end after the upstream timeout.
    """

    def __init__(
        self,
        routing: EventRouting,
        writer: CloudEventWriter,
        client: HttpClient,
        limits: Limits,
        faults: Faults,
    ) -> None:
        self._routing = routing
        self._writer = writer
        self._client = client
        self._limits = limits
        self._faults = faults
        self._auth = UpstreamAuth(client)
        self._validated: set[Target] = set()
        self._validating: dict[Target, asyncio.Lock] = {}

    def wants(self, hub: str, system_event: str) -> bool:
        """Whether a handler of the hub asked for this system event."""
        return self._routing.route(hub, system_event, is_system=True) is not None

    async def deliver(
        self,
        connection: ClientConnection,
        event: str,
        body: bytes,
        content_type: str,
        *,
        is_system: bool,
        persistent: bool = False,
    ) -> Response | None:
        """The final response to an event, of whatever status; None if no handler wants it.

        With `persistent` the last retry delay is repeated until the upstream timeout.
        Raises: UpstreamFailure if no response came.
        """
        route = self._routing.route(connection.hub, event, is_system=is_system)
        if route is None:
            return None
        delivery = _Delivery(
            route=route,
            connection=connection,
            event=event,
            event_id=connection.next_event_id(),
            head=self._writer.prefix(connection, route.target, event, is_system=is_system, content_type=content_type),
            body=body,
            deadline=asyncio.get_running_loop().time() + self._limits.upstream_timeout_s,
        )
        delays = self._delays(persistent)
        while True:
            response, failure = await self._attempt(delivery)
            if response is not None and not _is_passing(response.status):
                return response
            delay_s = next(delays, None)
            if delay_s is None or asyncio.get_running_loop().time() + delay_s >= delivery.deadline:
                if response is not None:
                    return response
                raise UpstreamFailure(failure)
            _log.warning("event %s of %s: %s; again in %g s", event, connection.id, failure, delay_s)
            await asyncio.sleep(delay_s)

    async def _attempt(self, delivery: _Delivery) -> tuple[Response | None, str]:
        """A response, or why there is none though trying again may help."""
        route = delivery.route
        try:
            if route.validation not in self._validated:
                await self._validate(route, delivery.deadline)
            authorization = await self._auth.header(route.auth) if route.auth else b""
            tail = self._writer.tail(delivery.event_id, len(delivery.body), authorization)
            request = delivery.head + tail + delivery.body
            if self._faults:
                response = await self._exchange_with_faults(delivery, request)
            else:
                response = await self._client.request(route.target, request, delivery.deadline)
        except Unreachable as error:
            return None, str(error)
        except (TimedOut, BadResponse) as error:
            raise UpstreamFailure(str(error)) from error
        if response.status == 401:
            self._auth.forget(route.auth)
        return response, f"answered {response.status}"

    async def _exchange_with_faults(self, delivery: _Delivery, request: bytes) -> Response:
        fault = self._faults.take(delivery.connection.hub, delivery.event, delivery.connection.id)
        if fault is not None:
            match fault.effect:
                case "status":
                    return Response(fault.status)
                case "reset":
                    raise Unreachable("connection reset by an ordered fault")
                case "timeout":
                    raise TimedOut("no response because of an ordered fault")
                case "delay":
                    await asyncio.sleep(fault.delay_ms / 1000)
        response = await self._client.request(delivery.route.target, request, delivery.deadline)
        if fault is not None and fault.effect == "lose_response":
            raise Unreachable("response lost by an ordered fault")
        return response

    async def _validate(self, route: Route, deadline: float) -> None:
        """Ask the webhook once whether it wants our events. Raises: UpstreamFailure if it does not."""
        target = route.validation
        async with self._validating.setdefault(target, asyncio.Lock()):
            if target in self._validated:
                return
            authorization = await self._auth.header(route.auth)
            request = self._writer.validation(target, authorization)
            response = await self._client.request(target, request, deadline)
            if _is_passing(response.status):
                raise Unreachable(f"validation answered {response.status}")
            allowed = response.headers.get("webhook-allowed-origin", "")
            if not 200 <= response.status < 300 or not self._writer.is_allowed(allowed):
                raise UpstreamFailure(
                    f"the webhook at {target.host_header}{target.path} did not pass validation: "
                    f"status {response.status}, WebHook-Allowed-Origin {allowed!r}"
                )
            self._validated.add(target)
            _log.info("webhook at %s%s validated", target.host_header, target.path)

    def _delays(self, persistent: bool) -> Iterator[float]:
        delays = self._limits.retry_delays_s
        if persistent and delays:
            return itertools.chain(delays, itertools.repeat(delays[-1]))
        return iter(delays)


def _is_passing(status: int) -> bool:
    """Whether a later attempt may go better."""
    return status == 408 or status >= 500
