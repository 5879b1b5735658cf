"""Many small messages to one connection in one go: HTTP/1.1 requests one behind the other, answers in their order.

The service takes one message a request, so what speaks in frames of 20 ms asks fifty times a second. Written together
and without a client's ceremonies, they cost little more than their bytes; and since a server takes the requests of a
connection one after the other, the order of the messages holds.
Source: https://www.rfc-editor.org/rfc/rfc9112#section-9.3.2
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

_CONNECT_TIMEOUT_S = 2.0
_CONNECT_PAUSE_S = 0.1
_IDLE_S = 15.0
"""Longer unused, a connection may be about to be closed by the other side."""
_KEPT = 16
_MAX_HEAD_BYTES = 16 * 1024
_MAX_ANSWER_BYTES = 64 * 1024
_REQUEST_TIMEOUT = 408
"""By which a server may close a connection on which it has waited for a request in vain."""
_HEAD_END = b"\r\n\r\n"


class BadAnswer(Exception):
    """What came back is not an answer in HTTP/1.1."""


@dataclass(frozen=True, slots=True)
class _Head:
    """Of an answer: its status, and how its body is told from what follows."""

    head: bytes = b""
    status: int = 0
    stays_open: bool = True
    is_chunked: bool = False
    size: int = 0


def _read_head(head: bytes) -> _Head:
    """Raises: BadAnswer."""
    version, _, rest = head.partition(b" ")
    if not version.startswith(b"HTTP/1.") or not rest[:3].isdigit():
        raise BadAnswer
    fields = {}
    for line in head.lower().split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        fields[name] = value.strip()
    return _Head(
        head,
        status=int(rest[:3]),
        stays_open=b"close" not in fields.get(b"connection", b""),
        is_chunked=b"chunked" in fields.get(b"transfer-encoding", b""),
        size=_size(fields.get(b"content-length", b"0"), 10),
    )


class _Line:
    """One connection to the service."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.used_at_s = time.monotonic()
        self.is_used = False
        self.is_open = True
        self._last = _Head()

    @property
    def is_fresh(self) -> bool:
        is_idle_too_long = time.monotonic() - self.used_at_s > _IDLE_S
        return self.is_open and not is_idle_too_long and not self._reader.at_eof() and not self._writer.is_closing()

    async def exchange(self, requests: Sequence[bytes]) -> list[int]:
        """Their statuses; fewer than requests where the service closed the connection, having told so: it has not
        looked at those behind. Raises: OSError, EOFError, BadAnswer.
        """
        self._writer.write(b"".join(requests))
        await self._writer.drain()
        statuses: list[int] = []
        while len(statuses) < len(requests) and self.is_open:
            statuses.append(await self._answer())
        if self.is_used and not self.is_open and statuses[-1] == _REQUEST_TIMEOUT:
            statuses.pop()  # it was said before the requests came
        self.used_at_s, self.is_used = time.monotonic(), True
        return statuses

    async def _answer(self) -> int:
        try:
            head = await self._reader.readuntil(_HEAD_END)
        except asyncio.LimitOverrunError:
            raise BadAnswer from None
        if head != self._last.head:  # those of a batch are mostly the same to the byte
            self._last = _read_head(head)
        answer = self._last
        self.is_open = answer.stays_open
        if answer.is_chunked:
            while (size := _size(await self._reader.readuntil(b"\r\n"), 16)) > 0:
                await self._reader.readexactly(size + 2)
            await self._reader.readuntil(b"\r\n")  # of a message without trailers
        elif answer.size:
            await self._reader.readexactly(answer.size)
        return answer.status

    def close(self) -> None:
        self.is_open = False
        self._writer.close()


def _size(written: bytes, base: int) -> int:
    try:
        size = int(written.partition(b";")[0], base)
    except ValueError:
        raise BadAnswer from None
    if not 0 <= size <= _MAX_ANSWER_BYTES:
        raise BadAnswer
    return size


class Pipeline:
    """Connections to one origin, each used by one batch at a time."""

    def __init__(self, endpoint: str, *, read_timeout_s: float) -> None:
        parts = urlsplit(endpoint)
        self._host = parts.hostname or ""
        self._is_secret = parts.scheme == "https"
        self._port = parts.port or (443 if self._is_secret else 80)
        self._host_header = parts.netloc
        self._read_timeout_s = read_timeout_s
        self._free: list[_Line] = []
        self._tls: ssl.SSLContext | None = None

    async def post_all(self, path: str, authorization: str, messages: Sequence[tuple[bytes, str]]) -> int:
        """POST each message (body, content type) to `path`; gives the first status that is not 2xx, else the last.

        What may have been taken is never sent again. Raises: OSError, TimeoutError, EOFError, BadAnswer.
        """
        common = f"POST {path} HTTP/1.1\r\nHost: {self._host_header}\r\nAuthorization: {authorization}\r\n"
        requests = [
            f"{common}Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
            for body, kind in messages
        ]
        status = 0
        while requests:
            line = await self._line()
            try:
                async with asyncio.timeout(self._read_timeout_s):
                    statuses = await line.exchange(requests)
            except BaseException:
                line.close()
                raise
            self._keep(line)
            for status in statuses:
                if not 200 <= status < 300:
                    return status
            requests = requests[len(statuses) :]
        return status

    async def _line(self) -> _Line:
        while self._free:
            line = self._free.pop()
            if line.is_fresh:
                return line
            line.close()
        try:
            return await self._connect()
        except OSError:
            await asyncio.sleep(_CONNECT_PAUSE_S)
            return await self._connect()

    async def _connect(self) -> _Line:
        if self._is_secret and self._tls is None:
            self._tls = await asyncio.to_thread(ssl.create_default_context)
        async with asyncio.timeout(_CONNECT_TIMEOUT_S):
            return _Line(*await asyncio.open_connection(self._host, self._port, ssl=self._tls, limit=_MAX_HEAD_BYTES))

    def _keep(self, line: _Line) -> None:
        if line.is_open and len(self._free) < _KEPT:
            self._free.append(line)
        else:
            line.close()

    def close(self) -> None:
        while self._free:
            self._free.pop().close()
