"""Writes frames to a client's socket at once and in order, and knows when the client cannot keep up."""

from __future__ import annotations

import asyncio
import struct

from local_stack.web_pubsub.messages import Frame

_FIN_TEXT = 0x81
_FIN_BINARY = 0x82
_FIN_CLOSE = 0x88
_FIN_PING = 0x89
_FIN_PONG = 0x8A


class OutboundSocket:
    """The sending half of an accepted WebSocket.

    Frames are put straight into the transport, without a coroutine between REST call and socket:
    order is the order of calls, and no caller ever waits for a slow client.
    """

    __slots__ = ("_max_buffered_bytes", "_transport")

    def __init__(self, transport: asyncio.Transport, max_buffered_bytes: int) -> None:
        self._transport = transport
        self._max_buffered_bytes = max_buffered_bytes

    def send(self, frame: Frame) -> bool:
        """Write the frame; false if the client has too much unread data and must be let go."""
        if self._transport.is_closing():
            return True
        data = frame.data
        self._transport.write(_header(_FIN_TEXT if frame.is_text else _FIN_BINARY, len(data)) + data)
        return self._transport.get_write_buffer_size() <= self._max_buffered_bytes

    def ping(self) -> None:
        """Ask for a sign of life."""
        if not self._transport.is_closing():
            self._transport.write(_header(_FIN_PING, 0))

    def pong(self, data: bytes) -> None:
        """Answer a ping with its own data, at most 125 bytes."""
        if not self._transport.is_closing():
            self._transport.write(_header(_FIN_PONG, len(data)) + data)

    def close(self, code: int, reason: str) -> None:
        """Send the close frame; its reason has room for 123 bytes (RFC 6455 section 5.5)."""
        if not self._transport.is_closing():
            text = reason.encode()[:123].decode(errors="ignore").encode()
            self._transport.write(_header(_FIN_CLOSE, 2 + len(text)) + struct.pack("!H", code) + text)

    def end(self) -> None:
        """End the TCP connection when all that was written is sent."""
        self._transport.close()

    def abort(self) -> None:
        """Cut the TCP connection without a closing handshake."""
        self._transport.abort()


def _header(first_byte: int, size_bytes: int) -> bytes:
    """Header of an unmasked frame. Source: RFC 6455 section 5.2."""
    if size_bytes < 126:
        return bytes((first_byte, size_bytes))
    if size_bytes < 65536:
        return struct.pack("!BBH", first_byte, 126, size_bytes)
    return struct.pack("!BBQ", first_byte, 127, size_bytes)
