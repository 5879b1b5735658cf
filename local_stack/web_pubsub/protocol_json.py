"""The subprotocols json.webpubsub.azure.v1 and json.reliable.webpubsub.azure.v1 on the wire.

Source: https://learn.microsoft.com/azure/azure-web-pubsub/reference-json-webpubsub-subprotocol
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any, TypeGuard

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

JSON = "json.webpubsub.azure.v1"
JSON_RELIABLE = "json.reliable.webpubsub.azure.v1"


class JsonProtocol:
    """Encodes and decodes JSON text frames. It has no state and does no I/O."""

    is_text = True

    def __init__(self, *, reliable: bool) -> None:
        self.reliable = reliable

    def connected(self, connection_id: str, user_id: str | None, reconnection_token: str | None) -> Frame:
        message = {"type": "system", "event": "connected", "userId": user_id, "connectionId": connection_id}
        if reconnection_token is not None:
            message["reconnectionToken"] = reconnection_token
        return _frame(message)

    def disconnected(self, reason: str) -> Frame:
        return _frame({"type": "system", "event": "disconnected", "message": reason})

    def ack(self, ack_id: int, error: AckError | None = None, message: str = "") -> Frame:
        answer: dict[str, Any] = {"type": "ack", "ackId": ack_id, "success": error is None}
        if error is not None:
            answer["error"] = {"name": error, "message": message}
        return _frame(answer)

    def pong(self) -> Frame:
        return _frame({"type": "pong"})

    def data(self, payload: Payload, origin: Origin, sequence_id: int | None) -> Frame:
        head: dict[str, Any] = {"type": "message", "from": "server" if origin.group is None else "group"}
        if origin.group is not None:
            head["group"] = origin.group
            if origin.from_user_id is not None:
                head["fromUserId"] = origin.from_user_id
        if sequence_id is not None:
            head["sequenceId"] = sequence_id
        head["dataType"] = payload.data_type
        # The value is spliced in: JSON from a handler or REST caller goes out byte for byte.
        value = _encode_value(payload)
        return Frame(json.dumps(head, separators=(",", ":")).encode()[:-1] + b',"data":' + value + b"}", True)

    def parse(self, frame: Frame) -> ClientRequest:
        """The request in a client's frame. Raises: InvalidMessage."""
        try:
            message = json.loads(frame.data)
        except ValueError as error:
            raise InvalidMessage("not JSON") from error
        if not isinstance(message, dict):
            raise InvalidMessage("not a JSON object")
        return _parse_request(message)


def _encode_value(payload: Payload) -> bytes:
    if payload.data_type == "json":
        return payload.data
    if payload.data_type == "text":
        return json.dumps(payload.data.decode("utf-8", "replace")).encode()
    return b'"' + base64.b64encode(payload.data) + b'"'


def _frame(message: dict[str, Any]) -> Frame:
    return Frame(json.dumps(message, separators=(",", ":")).encode(), True)


def _parse_request(message: dict[str, Any]) -> ClientRequest:
    match message.get("type"):
        case "ping":
            return Ping()
        case "event":
            return UserEvent(_name(message, "event"), _payload(message), _ack_id(message))
        case "sendToGroup":
            no_echo = message.get("noEcho", False)
            if not isinstance(no_echo, bool):
                raise InvalidMessage("noEcho is not true or false")
            ttl_s = message.get("ttlSeconds")
            if ttl_s is not None and (not _is_whole(ttl_s) or ttl_s > 300):
                raise InvalidMessage("ttlSeconds is not between 0 and 300")
            return SendToGroup(_name(message, "group"), _payload(message), no_echo, _ack_id(message), ttl_s=ttl_s)
        case "joinGroup":
            return JoinGroup(_name(message, "group"), _ack_id(message))
        case "leaveGroup":
            return LeaveGroup(_name(message, "group"), _ack_id(message))
        case "sequenceAck":
            sequence_id = message.get("sequenceId")
            if not _is_whole(sequence_id):
                raise InvalidMessage("sequenceId is not a whole number")
            return SequenceAck(sequence_id)
        case kind:
            raise InvalidMessage(f"unknown type {kind!r}")


def _is_whole(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _name(message: dict[str, Any], key: str) -> str:
    value = message.get(key)
    if not isinstance(value, str) or not 0 < len(value) <= 1024:
        raise InvalidMessage(f"{key} is not a name of 1 to 1024 characters")
    return value


def _ack_id(message: dict[str, Any]) -> int | None:
    value = message.get("ackId")
    if value is None:
        return None
    if not _is_whole(value):
        raise InvalidMessage("ackId is not a whole number")
    return value


def _payload(message: dict[str, Any]) -> Payload:
    if "data" not in message:
        raise InvalidMessage("data is missing")
    data_type: DataType = message.get("dataType", "json")
    data = message["data"]
    if data_type == "json":
        text = json.dumps(data, separators=(",", ":"), ensure_ascii=False)
        return Payload("json", text.encode("utf-8", "replace"))
    if data_type not in ("text", "binary", "protobuf"):
        raise InvalidMessage(f"unknown dataType {data_type!r}")
    if not isinstance(data, str):
        raise InvalidMessage(f"data of dataType {data_type} is not a string")
    if data_type == "text":
        return Payload("text", data.encode("utf-8", "replace"))
    try:
        return Payload(data_type, base64.b64decode(data, validate=True))
    except binascii.Error as error:
        raise InvalidMessage("data is not base64") from error
