"""What a connection of the realtime service says to us, and how it is answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

CONNECT = "azure.webpubsub.sys.connect"
CONNECTED = "azure.webpubsub.sys.connected"
DISCONNECTED = "azure.webpubsub.sys.disconnected"


@dataclass(frozen=True, slots=True)
class Upstream:
    """One event. `state` is what we answered to an earlier event of this connection; it is not the client's to set.

    Source: https://learn.microsoft.com/azure/azure-web-pubsub/reference-cloud-events
    """

    type: str
    hub: str
    connection_id: str
    event_id: str
    event: str
    user_id: str
    state: str
    body: bytes = field(repr=False)
    content_type: str = ""
    """Of the message: BINARY or TEXT of `shared.ports.connection`, or application/json."""


@dataclass(frozen=True, slots=True)
class Reply:
    """`state`: to be sent with the connection's later events. `body`: the answer to `connect`, else None."""

    state: str = ""
    body: Mapping[str, object] | None = None


class MediaGate(Protocol):
    """Raises VoiceAgentError for what is refused; the service then closes the connection."""

    async def pass_frame(self, upstream: Upstream) -> bool:
        """Put a frame of audio into its pipe, by one command. False if the event is no frame of a running call."""
        ...

    async def handle(self, upstream: Upstream) -> Reply:
        """Everything that is no frame."""
        ...
