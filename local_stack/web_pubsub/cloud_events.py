"""Turns events of a connection into HTTP requests in the CloudEvents binary format.

Source: https://learn.microsoft.com/azure/azure-web-pubsub/reference-cloud-events
"""

from __future__ import annotations

import re
import time
from urllib.parse import quote

from local_stack.web_pubsub.access_tokens import AccessKeys
from local_stack.web_pubsub.connection import ClientConnection
from local_stack.web_pubsub.http_client import Target

_REMEMBERED_PREFIXES = 64
_UNSAFE = re.compile(r"[^\x20-\x7e]")


class CloudEventWriter:
    """Writes request heads. What is the same for all events of a connection is written once."""

    def __init__(self, origin: str, keys: AccessKeys) -> None:
        self._origin = origin
        self._keys = keys
        self._second = 0
        self._time_header = b""

    def prefix(
        self, connection: ClientConnection, target: Target, event: str, *, is_system: bool, content_type: str
    ) -> bytes:
        """The head up to what differs from event to event."""
        key = (f"sys.{event}" if is_system else f"user.{event}", content_type)
        prefix = connection.event_prefixes.get(key)
        if prefix is None:
            prefix = self._write_prefix(connection, target, key[0], event, content_type)
            if len(connection.event_prefixes) >= _REMEMBERED_PREFIXES:
                connection.event_prefixes.clear()
            connection.event_prefixes[key] = prefix
        return prefix

    def tail(self, event_id: int, size_bytes: int, authorization: bytes) -> bytes:
        """The rest of the head: ce-id, ce-time, length and bearer token."""
        return b"ce-id: %d\r\n%sContent-Length: %d\r\n%s\r\n" % (
            event_id,
            self._time(),
            size_bytes,
            authorization,
        )

    def validation(self, target: Target, authorization: bytes) -> bytes:
        """The request that asks a webhook whether it wants our events.

        Source: https://github.com/cloudevents/spec/blob/v1.0/http-webhook.md#4-abuse-protection
        """
        head = (
            f"OPTIONS {target.path} HTTP/1.1\r\nHost: {target.host_header}\r\n"
            f"WebHook-Request-Origin: {self._origin}\r\nContent-Length: 0\r\n"
        )
        return head.encode() + authorization + b"\r\n"

    def is_allowed(self, allowed_origins: str) -> bool:
        """Whether a WebHook-Allowed-Origin header names us."""
        return any(each.strip() in ("*", self._origin) for each in allowed_origins.split(","))

    def _write_prefix(
        self, connection: ClientConnection, target: Target, full_name: str, event: str, content_type: str
    ) -> bytes:
        headers = {
            "Host": target.host_header,
            "WebHook-Request-Origin": self._origin,
            "Content-Type": content_type,
            "ce-specversion": "1.0",
            "ce-awpsversion": "1.0",
            "ce-type": f"azure.webpubsub.{full_name}",
            "ce-source": f"/hubs/{connection.hub}/client/{connection.id}",
            "ce-connectionId": connection.id,
            "ce-hub": connection.hub,
            "ce-eventName": event,
            "ce-signature": self._keys.event_signature(connection.id),
            "ce-userId": connection.user_id,
            "ce-subprotocol": connection.subprotocol,
            "ce-connectionState": connection.state,
        }
        lines = [f"{name}: {_header_value(value)}\r\n" for name, value in headers.items() if value]
        return f"POST {target.path} HTTP/1.1\r\n{''.join(lines)}".encode("ascii")

    def _time(self) -> bytes:
        second = int(time.time())
        if second != self._second:
            self._second = second
            self._time_header = time.strftime("ce-time: %Y-%m-%dT%H:%M:%SZ\r\n", time.gmtime(second)).encode()
        return self._time_header


def _header_value(text: str) -> str:
    """Clients choose user ids and event names: whatever is not printable ASCII is percent-encoded.

    Source: https://github.com/cloudevents/spec/blob/v1.0.1/http-protocol-binding.md#3132-http-header-values
    """
    return _UNSAFE.sub(lambda match: quote(match.group().encode("utf-8", "replace"), safe=""), text)
