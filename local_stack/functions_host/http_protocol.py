"""The HTTP/1.1 server side of one connection: bytes in, whole requests to a handler, answers in order out."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import Protocol, cast

import httptools  # type: ignore[import-untyped]

from local_stack.functions_host.http_messages import RawRequest, encode

log = logging.getLogger(__name__)

_HEADER_LIMIT_BYTES = 32_768
_PIPELINE_LIMIT = 16
_LINGER_S = 1.0


class RequestHandler(Protocol):
    """Takes a request and answers it at once or later, by `connection.answer` exactly once."""

    def handle(self, request: RawRequest, connection: HttpConnection) -> None: ...


class ConnectionSet:
    """The open connections of one server, so that a drain can close them."""

    def __init__(self, body_limit_bytes: int) -> None:
        self.body_limit_bytes = body_limit_bytes
        self.draining = False
        self._connections: set[HttpConnection] = set()

    def add(self, connection: HttpConnection) -> None:
        self._connections.add(connection)

    def discard(self, connection: HttpConnection) -> None:
        self._connections.discard(connection)

    def begin_drain(self) -> None:
        """Close idle connections now and the others after their answer."""
        self.draining = True
        for connection in list(self._connections):
            connection.close_if_idle()

    def abort_all(self) -> None:
        for connection in list(self._connections):
            connection.abort()


class HttpConnection(asyncio.Protocol):
    """One keep-alive connection. Pipelined requests are handled one after another."""

    def __init__(self, handler: RequestHandler, connections: ConnectionSet) -> None:
        self._handler = handler
        self._connections = connections
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._waiting: deque[tuple[RawRequest, bool]] = deque()
        self._busy = False
        self._closing = False
        self._paused = False
        self._current: RawRequest | None = None
        self._keep_alive = True
        self._reset()

    def _reset(self) -> None:
        self._target = b""
        self._headers: dict[bytes, bytes] = {}
        self._header_bytes = 0
        self._body: list[bytes] = []
        self._body_bytes = 0

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._connections.discard(self)
        self._waiting.clear()

    def eof_received(self) -> bool:
        # A half-closed client still gets the answers it waits for.
        self._closing = True
        return self._busy

    def data_received(self, data: bytes) -> None:
        if self._closing:
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # As on Azure there are no upgrades: the request is handled as a plain one, then the
            # connection closes, for what follows it is no HTTP.
            self._closing = True
        except _RefusedError as refusal:
            self._refuse(refusal.status)
        except httptools.HttpParserCallbackError as error:
            cause = error.__context__
            self._refuse(cause.status if isinstance(cause, _RefusedError) else 400)
        except httptools.HttpParserError:
            self._refuse(400)

    # httptools callbacks

    def on_message_begin(self) -> None:
        self._reset()

    def on_url(self, url: bytes) -> None:
        self._target += url
        self._header_bytes += len(url)
        if self._header_bytes > _HEADER_LIMIT_BYTES:
            raise _RefusedError(431)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Seventeen times for each frame of audio."""
        self._header_bytes += len(name) + len(value)
        name = name.lower()
        if name in self._headers:
            value = b"%b,%b" % (self._headers[name], value)
        self._headers[name] = value
        if self._header_bytes > _HEADER_LIMIT_BYTES:
            raise _RefusedError(431)

    def on_headers_complete(self) -> None:
        length = self._headers.get(b"content-length", b"")
        if length.isdigit() and int(length) > self._connections.body_limit_bytes:
            raise _RefusedError(413)
        if self._headers.get(b"expect", b"").lower() == b"100-continue" and self._transport is not None:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        if self._body_bytes > self._connections.body_limit_bytes:
            raise _RefusedError(413)
        self._body.append(body)

    def on_message_complete(self) -> None:
        method = self._parser.get_method().decode("ascii")
        body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        request = RawRequest(method, self._target, self._headers, body)
        keep_alive = bool(self._parser.should_keep_alive()) and not self._parser.should_upgrade()
        if self._busy:
            self._waiting.append((request, keep_alive))
            if len(self._waiting) >= _PIPELINE_LIMIT and self._transport is not None:
                self._transport.pause_reading()
                self._paused = True
            return
        self._begin(request, keep_alive)

    # answering

    @property
    def keep_alive(self) -> bool:
        """Whether the connection stays open after the answer to the request in hand."""
        return self._keep_alive and not self._closing and not self._connections.draining

    @property
    def head_only(self) -> bool:
        return self._current is not None and self._current.method == "HEAD"

    def answer(self, payload: bytes) -> None:
        """Send the answer to the request in hand and go on with the next one."""
        keep_alive = self.keep_alive
        self._busy = False
        self._current = None
        if self._transport is None:
            return
        self._transport.write(payload)
        if self._waiting and (keep_alive or self._closing):
            if self._paused and len(self._waiting) < _PIPELINE_LIMIT:
                self._transport.resume_reading()
                self._paused = False
            asyncio.get_running_loop().call_soon(self._begin_next)
        elif not keep_alive:
            self._transport.close()

    def close_if_idle(self) -> None:
        if not self._busy and self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _begin_next(self) -> None:
        if self._waiting and not self._busy:
            self._begin(*self._waiting.popleft())

    def _begin(self, request: RawRequest, keep_alive: bool) -> None:
        self._busy = True
        self._current = request
        self._keep_alive = keep_alive
        try:
            self._handler.handle(request, self)
        except Exception as error:
            log.error("%s %s: %r", request.method, request.path, error, exc_info=error)
            if self._busy:
                self.answer(encode(500, (), b"", keep_alive=self.keep_alive))

    def _refuse(self, status: int) -> None:
        """Answer and close; what the client still sends is read and thrown away for a moment.

        Closing at once would reset the connection, and the client might never see the answer.
        """
        self._closing = True
        if self._transport is None:
            return
        if self._busy:
            self._transport.close()
            return
        self._transport.write(encode(status, (), b"", keep_alive=False))
        self._transport.write_eof()
        asyncio.get_running_loop().call_later(_LINGER_S, self.close_if_idle)


class _RefusedError(Exception):
    """The request breaks a limit; `status` says which."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status
