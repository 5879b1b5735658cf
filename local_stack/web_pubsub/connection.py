"""One client as the endpoint knows it: who it is, what it may do, what was sent and not yet acknowledged."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple, Protocol

from local_stack.web_pubsub.configuration import Limits
from local_stack.web_pubsub.messages import AckError, Frame, Origin, Payload
from local_stack.web_pubsub.permissions import Permissions
from local_stack.web_pubsub.protocols import Subprotocol, raw_frame

_REMEMBERED_ACK_IDS = 10_000


class Attachment(Protocol):
    """The WebSocket that a connection has at the moment."""

    def send(self, frame: Frame) -> bool:
        """Write a frame; false if the client does not keep up."""

    def close(self, code: int, reason: str) -> None:
        """Begin the closing handshake."""

    def abort(self) -> None:
        """Cut the TCP connection."""


class _Unacked(NamedTuple):
    frame: Frame
    expires_at: float | None


class ClientConnection:
    """A logical connection. A reliable one outlives its WebSocket by the recovery window."""

    def __init__(
        self,
        connection_id: str,
        hub: str,
        user_id: str | None,
        limits: Limits,
        on_overflow: Callable[[ClientConnection, str], None],
    ) -> None:
        self.id = connection_id
        self.hub = hub
        self.user_id = user_id
        self.subprotocol: str | None = None
        """The negotiated WebSocket subprotocol; with a custom one the client is still a raw one."""
        self.protocol: Subprotocol | None = None
        self.publish_group: str | None = None
        """With `webpubsub_mode=sendToGroup`: where every frame goes instead of upstream."""
        self.permissions = Permissions()
        self.groups: set[str] = set()
        self.state: str | None = None
        self.attachment: Attachment | None = None
        self.closed_because: str | None = None
        self.connected_at = time.time()
        self.event_prefixes: dict[tuple[str, str], bytes] = {}
        self._limits = limits
        self._on_overflow = on_overflow
        self._last_event_id = 0
        self._ack_ids: OrderedDict[int, None] = OrderedDict()
        self._unacked: OrderedDict[int, _Unacked] = OrderedDict()
        self._unacked_bytes = 0
        self._last_sequence_id = 0

    @property
    def is_reliable(self) -> bool:
        """Whether the client can come back after its WebSocket broke."""
        return self.protocol is not None and self.protocol.reliable

    def settle(self, user_id: str | None, subprotocol: str | None, protocol: Subprotocol | None) -> None:
        """Fix who the client is and how it speaks, when its `connect` event has been answered."""
        self.user_id = user_id
        self.subprotocol = subprotocol
        self.protocol = protocol
        self.event_prefixes.clear()

    def next_event_id(self) -> int:
        """The ce-id of the next event: 1, 2, 3 …"""
        self._last_event_id += 1
        return self._last_event_id

    def set_state(self, state: str) -> None:
        """Keep a ce-connectionState for the events to come."""
        if state != self.state:
            self.state = state
            self.event_prefixes.clear()

    def claim_ack_id(self, ack_id: int) -> bool:
        """Note that a request is being handled; false if one with this ackId was handled before."""
        if ack_id in self._ack_ids:
            return False
        self._ack_ids[ack_id] = None
        if len(self._ack_ids) > _REMEMBERED_ACK_IDS:
            self._ack_ids.popitem(last=False)
        return True

    def release_ack_id(self, ack_id: int) -> None:
        """Forget a request that failed, so that the client may send it again."""
        self._ack_ids.pop(ack_id, None)

    def send_ack(self, ack_id: int | None, error: AckError | None = None, message: str = "") -> None:
        """Answer a request, if it asked for an answer."""
        if self.protocol is not None and ack_id is not None:
            self.send_frame(self.protocol.ack(ack_id, error, message))

    def send_frame(self, frame: Frame) -> None:
        """Write a frame if there is a WebSocket now; a client that lets data pile up is closed."""
        if self.attachment is not None and not self.attachment.send(frame):
            self._overflow("The outbound message queue is full.")

    def send_data(self, payload: Payload, origin: Origin, ttl_s: int | None = None) -> None:
        """Send user data. For a reliable client it is kept until acknowledged, at most `ttl_s` long."""
        if self.closed_because is not None:
            return
        if self.protocol is None:
            self.send_frame(raw_frame(payload))
        elif not self.protocol.reliable:
            self.send_frame(self.protocol.data(payload, origin, None))
        else:
            self._send_reliably(self.protocol, payload, origin, ttl_s)

    def acknowledge(self, sequence_id: int) -> None:
        """Forget the messages up to this one."""
        while self._unacked and next(iter(self._unacked)) <= sequence_id:
            _, unacked = self._unacked.popitem(last=False)
            self._unacked_bytes -= len(unacked.frame.data)

    def replay(self) -> None:
        """Send again, in order, what the client did not acknowledge and what has not expired."""
        now = time.monotonic()
        for unacked in list(self._unacked.values()):
            if unacked.expires_at is None or unacked.expires_at > now:
                self.send_frame(unacked.frame)

    def close(self, code: int, reason: str) -> None:
        """Say good-bye to the client. The reason is what the `disconnected` event will tell."""
        if self.closed_because is not None:
            return
        self.closed_because = reason
        if self.attachment is not None:
            if self.protocol is not None:
                self.attachment.send(self.protocol.disconnected(reason))
            self.attachment.close(code, reason)

    def _send_reliably(self, protocol: Subprotocol, payload: Payload, origin: Origin, ttl_s: int | None) -> None:
        frame = protocol.data(payload, origin, self._last_sequence_id + 1)
        too_many = len(self._unacked) >= self._limits.max_unacked_messages
        if too_many or self._unacked_bytes + len(frame.data) > self._limits.max_unacked_bytes:
            self._overflow("The reliable message buffer is full.")
            return
        self._last_sequence_id += 1
        expires_at = time.monotonic() + ttl_s if ttl_s else None
        self._unacked[self._last_sequence_id] = _Unacked(frame, expires_at)
        self._unacked_bytes += len(frame.data)
        self.send_frame(frame)

    def _overflow(self, reason: str) -> None:
        if self.closed_because is None:
            self._on_overflow(self, reason)
