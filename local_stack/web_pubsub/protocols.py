"""Which subprotocol a connection speaks, and the raw one, in which every frame is user data."""

from __future__ import annotations

from typing import Protocol

from local_stack.web_pubsub.messages import AckError, ClientRequest, Frame, Origin, Payload
from local_stack.web_pubsub.protocol_json import JSON, JSON_RELIABLE, JsonProtocol
from local_stack.web_pubsub.protocol_protobuf import PROTOBUF, PROTOBUF_RELIABLE, ProtobufProtocol


class Subprotocol(Protocol):
    """A Web PubSub subprotocol: system messages, acks and data out, requests in."""

    reliable: bool
    is_text: bool

    def connected(self, connection_id: str, user_id: str | None, reconnection_token: str | None) -> Frame:
        """The first message on a connection."""

    def disconnected(self, reason: str) -> Frame:
        """The last message before the endpoint closes a connection."""

    def ack(self, ack_id: int, error: AckError | None = None, message: str = "") -> Frame:
        """The answer to a request with an ackId."""

    def pong(self) -> Frame:
        """The answer to a ping message."""

    def data(self, payload: Payload, origin: Origin, sequence_id: int | None) -> Frame:
        """User data for the client."""

    def parse(self, frame: Frame) -> ClientRequest:
        """The request in a client's frame. Raises: InvalidMessage."""


SUBPROTOCOLS: dict[str, Subprotocol] = {
    JSON: JsonProtocol(reliable=False),
    JSON_RELIABLE: JsonProtocol(reliable=True),
    PROTOBUF: ProtobufProtocol(reliable=False),
    PROTOBUF_RELIABLE: ProtobufProtocol(reliable=True),
}


def raw_frame(payload: Payload) -> Frame:
    """User data for a client without a Web PubSub subprotocol: binary stays binary, the rest is text."""
    return Frame(payload.data, payload.data_type in ("text", "json"))
