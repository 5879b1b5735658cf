"""The subprotocols protobuf.webpubsub.azure.v1 and protobuf.reliable.webpubsub.azure.v1 on the wire.

Source: https://learn.microsoft.com/azure/azure-web-pubsub/reference-protobuf-webpubsub-subprotocol
"""

from __future__ import annotations

from local_stack.web_pubsub.messages import (
    AckError,
    ClientRequest,
    DataType,
    Frame,
    InvalidMessage,
    JoinGroup,
    LeaveGroup,
    Origin,
    Payload,
    Ping,
    SendToGroup,
    SequenceAck,
    UserEvent,
)
from local_stack.web_pubsub.protobuf_wire import (
    Field,
    MalformedMessage,
    read_fields,
    write_bytes,
    write_number,
    write_text,
)

PROTOBUF = "protobuf.webpubsub.azure.v1"
PROTOBUF_RELIABLE = "protobuf.reliable.webpubsub.azure.v1"

# Numbers of the fields in MessageData. Data of type protobuf is a serialized google.protobuf.Any.
_DATA_FIELDS: dict[DataType, int] = {"text": 1, "binary": 2, "protobuf": 3, "json": 4}
_DATA_TYPES: dict[int, DataType] = {number: data_type for data_type, number in _DATA_FIELDS.items()}
_MAX_NAME_CHARACTERS = 1024
_MAX_TTL_S = 300

Fields = dict[int, Field]


class ProtobufProtocol:
    """Encodes and decodes binary frames. It has no state and does no I/O."""

    is_text = False

    def __init__(self, *, reliable: bool) -> None:
        self.reliable = reliable

    def connected(self, connection_id: str, user_id: str | None, reconnection_token: str | None) -> Frame:
        connected = write_text(1, connection_id) + write_text(2, user_id or None) + write_text(3, reconnection_token)
        return _downstream(3, write_bytes(1, connected))

    def disconnected(self, reason: str) -> Frame:
        return _downstream(3, write_bytes(2, write_text(2, reason)))

    def ack(self, ack_id: int, error: AckError | None = None, message: str = "") -> Frame:
        answer = write_number(1, ack_id)
        if error is None:
            answer += write_number(2, 1)
        else:
            answer += write_bytes(3, write_text(1, error) + write_text(2, message))
        return _downstream(1, answer)

    def pong(self) -> Frame:
        return _downstream(4, b"")

    def data(self, payload: Payload, origin: Origin, sequence_id: int | None) -> Frame:
        message = (
            write_text(1, "server" if origin.group is None else "group")
            + write_text(2, origin.group)
            + write_bytes(3, write_bytes(_DATA_FIELDS[payload.data_type], payload.data))
            + write_number(4, sequence_id)
        )
        return _downstream(2, message)

    def parse(self, frame: Frame) -> ClientRequest:
        """The request in a client's frame. Raises: InvalidMessage."""
        try:
            kinds = list(_fields(frame.data).values())
            if len(kinds) != 1:
                raise InvalidMessage("not exactly one request")
            return _parse_request(kinds[0].number, _fields(kinds[0].as_bytes()))
        except MalformedMessage as error:
            raise InvalidMessage(str(error)) from error


def _downstream(number: int, message: bytes) -> Frame:
    return Frame(write_bytes(number, message), False)


def _parse_request(kind: int, fields: Fields) -> ClientRequest:
    match kind:
        case 1:
            no_echo = 4 in fields and fields[4].as_number() != 0
            ttl_s = _number(fields, 5)
            if ttl_s is not None and ttl_s > _MAX_TTL_S:
                raise InvalidMessage("ttl_seconds is not between 0 and 300")
            return SendToGroup(_name(fields, "group"), _payload(fields, 3), no_echo, _number(fields, 2), ttl_s=ttl_s)
        case 5:
            return UserEvent(_name(fields, "event"), _payload(fields, 2), _number(fields, 3))
        case 6:
            return JoinGroup(_name(fields, "group"), _number(fields, 2))
        case 7:
            return LeaveGroup(_name(fields, "group"), _number(fields, 2))
        case 8:
            return SequenceAck(_number(fields, 1) or 0)
        case 9:
            return Ping()
        case _:
            raise InvalidMessage(f"unknown request {kind}")


def _fields(data: bytes) -> Fields:
    """The fields of a message by number; the last of repeated ones counts."""
    return {field.number: field for field in read_fields(data)}


def _number(fields: Fields, number: int) -> int | None:
    return fields[number].as_number() if number in fields else None


def _name(fields: Fields, what: str) -> str:
    name = fields[1].as_text() if 1 in fields else ""
    if not 0 < len(name) <= _MAX_NAME_CHARACTERS:
        raise InvalidMessage(f"{what} is not a name of 1 to {_MAX_NAME_CHARACTERS} characters")
    return name


def _payload(fields: Fields, number: int) -> Payload:
    known = {
        data_number: field
        for data_number, field in (_fields(fields[number].as_bytes()) if number in fields else {}).items()
        if data_number in _DATA_TYPES
    }
    if len(known) != 1:
        raise InvalidMessage("data is missing")
    ((data_number, field),) = known.items()
    data_type = _DATA_TYPES[data_number]
    if data_type in ("text", "json"):
        field.as_text()
    return Payload(data_type, field.as_bytes())
