"""The protobuf wire format, as much of it as the Web PubSub subprotocol needs.

Source: https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

_VARINT = 0
_FIXED64 = 1
_BYTES = 2
_FIXED32 = 5
_MAX_VARINT_BYTES = 10


class MalformedMessage(ValueError):
    """The bytes are not a protobuf message; the message says why."""


class Field(NamedTuple):
    """One field on the wire. A number for varints, bytes for everything else."""

    number: int
    value: int | bytes

    def as_number(self) -> int:
        """The value of an integer or bool field. Raises: MalformedMessage."""
        if isinstance(self.value, int):
            return self.value
        raise MalformedMessage(f"field {self.number} is not a number")

    def as_bytes(self) -> bytes:
        """The value of a bytes or message field. Raises: MalformedMessage."""
        if isinstance(self.value, bytes):
            return self.value
        raise MalformedMessage(f"field {self.number} is not bytes")

    def as_text(self) -> str:
        """The value of a string field. Raises: MalformedMessage."""
        try:
            return self.as_bytes().decode()
        except UnicodeDecodeError as error:
            raise MalformedMessage(f"field {self.number} is not UTF-8") from error


def read_fields(data: bytes) -> Iterator[Field]:
    """The fields of a message in their order. Raises: MalformedMessage."""
    position = 0
    while position < len(data):
        key, position = _read_varint(data, position)
        number, wire_type = key >> 3, key & 7
        if number == 0:
            raise MalformedMessage("field number 0")
        if wire_type == _VARINT:
            value, position = _read_varint(data, position)
            yield Field(number, value)
            continue
        if wire_type == _BYTES:
            size, position = _read_varint(data, position)
        elif wire_type in (_FIXED64, _FIXED32):
            size = 8 if wire_type == _FIXED64 else 4
        else:
            raise MalformedMessage(f"wire type {wire_type}")
        if position + size > len(data):
            raise MalformedMessage("it ends within a field")
        yield Field(number, data[position : position + size])
        position += size


def write_number(number: int, value: int | None) -> bytes:
    """An integer or bool field; nothing for None."""
    return b"" if value is None else _varint(number << 3 | _VARINT) + _varint(value)


def write_bytes(number: int, value: bytes | None) -> bytes:
    """A bytes or message field; nothing for None."""
    return b"" if value is None else _varint(number << 3 | _BYTES) + _varint(len(value)) + value


def write_text(number: int, value: str | None) -> bytes:
    """A string field; nothing for None."""
    return b"" if value is None else write_bytes(number, value.encode("utf-8", "replace"))


def _read_varint(data: bytes, position: int) -> tuple[int, int]:
    value = 0
    for index in range(_MAX_VARINT_BYTES):
        if position >= len(data):
            raise MalformedMessage("it ends within a number")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, position
    raise MalformedMessage("a number is too long")


def _varint(value: int) -> bytes:
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)
