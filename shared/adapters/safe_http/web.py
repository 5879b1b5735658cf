"""Fills `WebRequests`: one request, to the public internet, within its time and size."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from urllib.parse import urlsplit

import httpx

from shared.adapters.safe_http.transport import SafeTransport
from shared.domain.errors import InvalidRequest
from shared.ports.web_requests import WebAnswer, WebError, WebRequest

_LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
_LONGEST_URL = 2_000
_IDENTITY = "identity"
"""Nothing is unpacked, so that a few bytes do not become many."""


def check_address(url: str, *, loopback: bool = False) -> None:
    """What can be said of an address without asking for it. Raises: InvalidRequest."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise InvalidRequest("web_address", "the address is malformed") from None
    if not parts.hostname or len(url) > _LONGEST_URL or port == 0 or not url.isprintable() or " " in url:
        raise InvalidRequest("web_address", "the address must be an absolute URL")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise InvalidRequest("web_address", "the address bears no user, password or fragment")
    is_local = loopback and parts.hostname in _LOCAL_NAMES
    if parts.scheme != "https" and not (parts.scheme == "http" and is_local):
        raise InvalidRequest("web_address", "the address must begin with https://")


class SafeWeb:
    """The `WebRequests` on httpx. `loopback`: whether this machine may be called, also by http; only ever on a
    developer's machine. Nothing is kept between requests but connections.
    """

    def __init__(self, *, loopback: bool = False, make: Callable[[], SafeTransport] | None = None) -> None:
        self._loopback = loopback
        self._make = make or (lambda: SafeTransport(loopback=loopback))
        self._transport: SafeTransport
        self._loop: asyncio.AbstractEventLoop | None = None

    async def send(self, request: WebRequest) -> WebAnswer:
        try:
            check_address(request.url, loopback=self._loopback)
        except InvalidRequest as error:
            raise WebError("web_address", error.message) from None
        try:
            async with asyncio.timeout(request.deadline_s):
                return await self._sent(request)
        except TimeoutError:
            raise WebError("web_late", f"no answer within {request.deadline_s:g} s", retryable=True) from None
        except httpx.UnsupportedProtocol:
            raise WebError("web_address", "the address is not one of the public internet") from None
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
            raise WebError("web_unreachable", "no connection to the address", retryable=True) from None
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, ValueError) as error:
            raise WebError("web_broken", f"the answer broke off ({type(error).__name__})", retryable=True) from None

    async def aclose(self) -> None:
        if self._loop is not None:
            await self._transport.aclose()

    async def _sent(self, request: WebRequest) -> WebAnswer:
        headers = {"user-agent": "voice-agent", **request.headers, "accept-encoding": _IDENTITY}
        sent = httpx.Request(request.method, request.url, headers=headers, content=request.body or None)
        answer = await self._ours().handle_async_request(sent)
        try:
            body = await self._body(answer, request)
        finally:
            await answer.aclose()
        return WebAnswer(answer.status_code, {name.lower(): text for name, text in answer.headers.items()}, body)

    async def _body(self, answer: httpx.Response, request: WebRequest) -> bytes:
        body = bytearray()
        async for piece in answer.aiter_raw():
            body += piece
            if len(body) > request.most_bytes:
                if request.cuts:
                    return bytes(body[: request.most_bytes])
                raise WebError("web_too_large", f"the answer has more than {request.most_bytes} bytes")
        if answer.headers.get("content-encoding", _IDENTITY).strip().lower() not in ("", _IDENTITY):
            raise WebError("web_broken", "the answer is packed, which was not asked for")
        return bytes(body)

    def _ours(self) -> SafeTransport:
        """One an event loop: connections belong to the loop in which they were made."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._transport = self._make()
            self._loop = loop
        return self._transport
