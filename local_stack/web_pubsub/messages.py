"""The words that all parts of the endpoint share: payloads, frames and what a client may ask for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

DataType = Literal["text", "json", "binary", "protobuf"]

CONTENT_TYPES: dict[DataType, str] = {
    "text": "text/plain",
    "json": "application/json",
    "binary": "application/octet-stream",
    "protobuf": "application/x-protobuf",
}
DATA_TYPES: dict[str, DataType] = {name: data_type for data_type, name in CONTENT_TYPES.items()}


class Payload(NamedTuple):
    """User data as it travels over HTTP: text and json as UTF-8, binary and protobuf as they are."""

    data_type: DataType
    data: bytes


class Frame(NamedTuple):
    """One WebSocket message to a client."""

    data: bytes
    is_text: bool


class Origin(NamedTuple):
    """Where a data message comes from: a group (with its sender, if that had a user id) or the server."""

    group: str | None = None
    from_user_id: str | None = None


SERVER = Origin()

AckError = Literal["Forbidden", "InternalServerError", "Duplicate"]


@dataclass(frozen=True, slots=True)
class JoinGroup:
    """A client wants to be in a group."""

    group: str
    ack_id: int | None


@dataclass(frozen=True, slots=True)
class LeaveGroup:
    """A client wants to be out of a group."""

    group: str
    ack_id: int | None


@dataclass(frozen=True, slots=True)
class SendToGroup:
    """A client publishes to a group."""

    group: str
    payload: Payload
    no_echo: bool
    ack_id: int | None
    ttl_s: int | None = None


@dataclass(frozen=True, slots=True)
class UserEvent:
    """A client raises an event for the upstream handler."""

    event: str
    payload: Payload
    ack_id: int | None


@dataclass(frozen=True, slots=True)
class SequenceAck:
    """A reliable client has everything up to this sequence id."""

    sequence_id: int


@dataclass(frozen=True, slots=True)
class Ping:
    """A client asks whether the endpoint is there."""


ClientRequest = JoinGroup | LeaveGroup | SendToGroup | UserEvent | SequenceAck | Ping


class InvalidMessage(ValueError):
    """A client's frame is not a message of its subprotocol."""
