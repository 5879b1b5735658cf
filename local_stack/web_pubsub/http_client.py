"""A lean keep-alive HTTP/1.1 client: every 20 ms frame of every call is one request through here."""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httptools  # type: ignore[import-untyped]


class Unreachable(Exception):
    """The network failed: refused, reset or closed in the middle. The request may have been handled."""


class TimedOut(Exception):
    """No complete response came before the deadline."""


class BadResponse(Exception):
    """What came back is not HTTP, or is larger than allowed."""


class _Stale(Exception):
    """A kept-alive socket turned out to be closed before it gave a single byte of response."""


class Target(NamedTuple):
    """Where a URL points: scheme, host, port, and path with query."""

    secure: bool
    host: str
    port: int
    path: str

    @property
    def host_header(self) -> str:
        """The Host header; the scheme's own port is left out."""
        shown = f"[{self.host}]" if ":" in self.host else self.host
        return shown if self.port == (443 if self.secure else 80) else f"{shown}:{self.port}"


def parse_target(url: str) -> Target:
    """The target of an absolute http or https URL."""
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(secure, parts.hostname or "", parts.port or (443 if secure else 80), path)


@dataclass(slots=True)
class Response:
    """An HTTP response; header names are in lower case, the last of repeated headers counts."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class _Socket(asyncio.Protocol):
    """One TCP connection that carries one request at a time."""

    def __init__(self, loop: asyncio.AbstractEventLoop, max_response_bytes: int) -> None:
        self._loop = loop
        self._max_response_bytes = max_response_bytes
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._answer: asyncio.Future[Response] | None = None
        self._response = Response(0)
        self._chunks: list[bytes] = []
        self._size_bytes = 0
        self._started = False
        self._until_close = False
        self._deadline = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self.requests = 0
        self.reusable = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # a stream transport by construction

    def connection_lost(self, exc: Exception | None) -> None:
        self.reusable = False
        if self._timer is not None:
            self._timer.cancel()
        answer = self._answer
        if answer is None or answer.done():
            return
        if self._until_close and exc is None:
            self.on_message_complete()
        elif self.requests > 1 and not self._started:
            answer.set_exception(_Stale())
        else:
            answer.set_exception(Unreachable(f"connection lost: {exc or 'closed by the other side'}"))

    def data_received(self, data: bytes) -> None:
        self._started = True
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(BadResponse(f"not a valid HTTP response: {error}"))

    def on_header(self, name: bytes, value: bytes) -> None:
        self._response.headers[name.decode("latin-1").lower()] = value.decode("utf-8", "replace")

    def on_headers_complete(self) -> None:
        headers = self._response.headers
        self._until_close = "content-length" not in headers and "transfer-encoding" not in headers

    def on_body(self, body: bytes) -> None:
        self._size_bytes += len(body)
        if self._size_bytes > self._max_response_bytes:
            self._fail(BadResponse(f"the response is larger than {self._max_response_bytes} bytes"))
        else:
            self._chunks.append(body)

    def on_message_complete(self) -> None:
        response = self._response
        response.status = self._parser.get_status_code()
        if response.status < 200:
            self._response = Response(0)
            return
        self.reusable = self.reusable and self._parser.should_keep_alive()
        response.body = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(response)

    async def exchange(self, request: bytes, deadline: float) -> Response:
        """Send the request and wait for its response; `deadline` is in the loop's time."""
        assert self._transport is not None
        if self._transport.is_closing():
            raise _Stale
        self.requests += 1
        self._response, self._chunks, self._size_bytes = Response(0), [], 0
        self._started = self._until_close = False
        self._answer = self._loop.create_future()
        self._watch(deadline)
        self._transport.write(request)
        try:
            return await self._answer
        except asyncio.CancelledError:
            self.close()
            raise
        finally:
            self._answer = None

    def _watch(self, deadline: float) -> None:
        """A timer lasts for many requests: nearly all of them are answered long before it."""
        if self._timer is None or deadline < self._deadline:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self._loop.call_at(deadline, self._on_timer)
        self._deadline = deadline

    def _on_timer(self) -> None:
        self._timer = None
        if self._answer is None:
            return  # nothing is waited for; the next request sets it anew
        if self._loop.time() >= self._deadline:
            self._fail(TimedOut("no response in time"))
        else:
            self._timer = self._loop.call_at(self._deadline, self._on_timer)

    def _fail(self, error: Exception) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)
        self.close()

    def close(self) -> None:
        """Drop the TCP connection at once."""
        self.reusable = False
        if self._transport is not None:
            self._transport.abort()


class HttpClient:
    """Keep-alive sockets by origin, at most `max_sockets` in use for each; further requests wait in order."""

    def __init__(self, *, max_sockets: int, max_response_bytes: int) -> None:
        self._max_sockets = max_sockets
        self._max_response_bytes = max_response_bytes
        self._pools: dict[tuple[bool, str, int], _Pool] = {}

    def request(self, target: Target, request: bytes, deadline: float) -> Coroutine[Any, Any, Response]:
        """Send a complete HTTP/1.1 request and give the response.

        Raises: Unreachable, TimedOut, BadResponse.
        """
        key = (target.secure, target.host, target.port)
        pool = self._pools.get(key)
        if pool is None:
            pool = self._pools[key] = _Pool(target, self._max_sockets, self._max_response_bytes)
        return pool.request(request, deadline)

    def close(self) -> None:
        """Drop all idle sockets; those in use are dropped when their request ends."""
        for pool in self._pools.values():
            pool.close()


class _Pool:
    """The sockets to one origin."""

    def __init__(self, target: Target, max_sockets: int, max_response_bytes: int) -> None:
        self._target = target
        self._free_places = max_sockets
        self._max_response_bytes = max_response_bytes
        self._idle: list[_Socket] = []
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._tls = ssl.create_default_context() if target.secure else None
        self._closed = False

    async def request(self, request: bytes, deadline: float) -> Response:
        if self._free_places == 0:
            await self._wait_for_place(deadline)
        else:
            self._free_places -= 1
        sock = self._take_idle()
        try:
            if sock is not None:
                try:
                    return await sock.exchange(request, deadline)
                except _Stale:
                    sock = None  # the others may be stale as well: go on with a fresh one
            sock = await self._connect(deadline)
            try:
                return await sock.exchange(request, deadline)
            except _Stale as error:
                raise Unreachable("connection closed at once") from error
        finally:
            if sock is not None:
                self._put_back(sock)
            self._give_place_back()

    def _take_idle(self) -> _Socket | None:
        while self._idle:
            kept = self._idle.pop()
            if kept.reusable:
                return kept
        return None

    def _put_back(self, sock: _Socket) -> None:
        if sock.reusable and not self._closed:
            self._idle.append(sock)
        else:
            sock.close()

    async def _connect(self, deadline: float) -> _Socket:
        loop = asyncio.get_running_loop()
        target = self._target
        try:
            async with asyncio.timeout_at(deadline):
                _, sock = await loop.create_connection(
                    lambda: _Socket(loop, self._max_response_bytes),
                    target.host,
                    target.port,
                    ssl=self._tls,
                )
        except TimeoutError as error:
            raise TimedOut(f"no connection to {target.host}:{target.port} in time") from error
        except OSError as error:
            raise Unreachable(f"no connection to {target.host}:{target.port}: {error}") from error
        return sock

    async def _wait_for_place(self, deadline: float) -> None:
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            async with asyncio.timeout_at(deadline):
                await place
        except TimeoutError as error:
            if place.done() and not place.cancelled():
                self._give_place_back()
            raise TimedOut("all upstream sockets were busy") from error
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self._give_place_back()
            raise

    def _give_place_back(self) -> None:
        while self._waiting:
            place = self._waiting.popleft()
            if not place.done():
                place.set_result(None)
                return
        self._free_places += 1

    def close(self) -> None:
        self._closed = True
        while self._idle:
            self._idle.pop().close()
