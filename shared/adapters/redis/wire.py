"""One socket to Redis: requests go out together, replies come back in their order."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections import deque
from collections.abc import Callable
from functools import lru_cache
from typing import Any, cast

from hiredis import HiredisError, Reader, ReplyError, pack_command

from shared.adapters.redis.address import RedisAddress
from shared.domain.errors import StoreError

Word = str | bytes | int | float
pack = cast("Callable[[tuple[Word, ...]], bytes]", pack_command)
"""The words of one command as they go over the wire."""
_CLIENT_NAME = "voice-agent"
_KEEP_ALIVE_IDLE_S = 30
_KEEP_ALIVE_EVERY_S = 10
_KEEP_ALIVE_MISSES = 3


def bulk(word: bytes) -> bytes:
    """One word of a command as it goes over the wire."""
    return b"$%d\r\n%b\r\n" % (len(word), word)


class Request:
    """Some commands in one go. `future` gets the reply, or the list of replies where several were asked for."""

    __slots__ = ("again", "due", "future", "missing", "payload", "replies", "wanted", "what")

    def __init__(
        self, what: str, payload: bytes, wanted: int, future: asyncio.Future[Any], due: float, *, again: bool
    ) -> None:
        """`wanted`: 0 for the single reply of a single command, else the length of the list of replies."""
        self.what = what
        self.payload = payload
        self.wanted = wanted
        self.future = future
        self.due = due
        self.again = again
        self.missing = wanted
        self.replies: list[Any] = []

    def repeat(self) -> None:
        """As if nothing had been asked yet; it will not be repeated once more."""
        self.again = False
        self.missing = self.wanted
        self.replies = []

    def fail(self, error: StoreError) -> None:
        if not self.future.done():
            self.future.set_exception(error)


class Wire(asyncio.Protocol):
    """Sends requests and matches the replies, in RESP2. Nothing here waits.

    `on_lost` is told once, with the reason and the requests that were not answered.
    Source: https://redis.io/docs/latest/develop/reference/protocol-spec/
    """

    def __init__(self, on_lost: Callable[[Wire, str, list[Request]], None]) -> None:
        self._on_lost = on_lost
        self._replies = Reader()
        self._next_reply = self._replies.gets
        self._transport: asyncio.Transport | None = None
        self.lost = False
        self.in_flight: deque[Request] = deque()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        opened: socket.socket = transport.get_extra_info("socket")
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in (
            ("TCP_KEEPIDLE", _KEEP_ALIVE_IDLE_S),
            ("TCP_KEEPINTVL", _KEEP_ALIVE_EVERY_S),
            ("TCP_KEEPCNT", _KEEP_ALIVE_MISSES),
        ):
            if (option := getattr(socket, name, None)) is not None:  # not on every platform
                opened.setsockopt(socket.IPPROTO_TCP, option, value)

    def send(self, requests: list[Request]) -> None:
        """In one write to the socket."""
        self.in_flight.extend(requests)
        if requests and self._transport is not None:
            self._transport.write(b"".join([request.payload for request in requests]))

    def data_received(self, data: bytes) -> None:
        self._replies.feed(data)
        next_reply, in_flight = self._next_reply, self.in_flight
        try:
            while (reply := next_reply()) is not False:  # RESP2 has no booleans: False is "not yet"
                request = in_flight[0]
                if request.wanted:
                    request.replies.append(reply)
                    request.missing -= 1
                    if request.missing:
                        continue
                    reply = request.replies
                in_flight.popleft()
                _answer(request, reply)
        except (HiredisError, IndexError):
            self.close("an answer that was not asked for, or none of Redis's protocol")

    def connection_lost(self, exc: Exception | None) -> None:
        self.close(type(exc).__name__ if exc else "the connection was closed")

    def close(self, reason: str) -> None:
        """Hang up at once; whoever waits is told by `on_lost`."""
        if self._transport is not None:
            self._transport.abort()
        if not self.lost:
            self.lost = True
            unanswered = list(self.in_flight)
            self.in_flight.clear()
            self._on_lost(self, reason, unanswered)


def _answer(request: Request, reply: Any) -> None:
    future = request.future
    if future.done():
        return  # who asked has gone away
    if isinstance(reply, ReplyError):
        future.set_exception(refused(request.what, reply))
    else:
        future.set_result(reply)


def refused(what: str, error: ReplyError) -> StoreError:
    """Redis said no; the same request will be refused again, unless Redis is only getting ready."""
    text = str(error)
    busy = text.startswith(("LOADING", "BUSY ", "MASTERDOWN", "TRYAGAIN", "READONLY", "OOM"))
    return StoreError("redis_refused", f"{what}: {text}", retryable=busy)


def accepted(what: str, reply: Any) -> Any:
    """One of several replies. Raises: StoreError if it is a refusal."""
    if isinstance(reply, ReplyError):
        raise refused(what, reply)
    return reply


async def open_wire(
    address: RedisAddress, on_lost: Callable[[Wire, str, list[Request]], None], user: str, password: str
) -> Wire:
    """Connect, sign in, take a name, choose the database. The caller sets the deadline.

    Raises: OSError (ssl.SSLError too), StoreError if Redis refuses or hangs up.
    """
    loop = asyncio.get_running_loop()
    asked = hello(user, password, address.database)
    greeting = Request("sign in", b"".join(asked), len(asked), loop.create_future(), 0.0, again=False)

    def lost(wire: Wire, reason: str, unanswered: list[Request]) -> None:
        greeting.fail(StoreError("redis_unavailable", f"sign in: {reason}", retryable=True))
        on_lost(wire, reason, [request for request in unanswered if request is not greeting])

    context = _tls() if address.tls else None
    _, wire = await loop.create_connection(lambda: Wire(lost), address.host, address.port, ssl=context)
    try:
        wire.send([greeting])
        for reply in await greeting.future:
            if isinstance(reply, ReplyError):
                raise refused("sign in", reply)
    except BaseException:
        wire.close("could not sign in")
        raise
    return wire


def hello(user: str, password: str, database: int) -> list[bytes]:
    """The commands that begin a connection."""
    asked = [pack(("CLIENT", "SETNAME", _CLIENT_NAME))]
    if password:
        asked.insert(0, sign_in(user, password))
    if database:
        asked.append(pack(("SELECT", database)))
    asked.append(pack(("PING",)))  # a server that still reads its file refuses this, but not the others
    return asked


def sign_in(user: str, password: str) -> bytes:
    return pack(("AUTH", user, password)) if user else pack(("AUTH", password))


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    """Reading the certificates of the system takes tens of milliseconds; once a process is enough."""
    return ssl.create_default_context()
