"""The transport for clients of httpx that must reach the public internet only."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator

import httpcore
import httpx

from shared.adapters.safe_http.addresses import is_loopback
from shared.adapters.safe_http.connecting import PinnedConnections, RefusedAddress, Resolve, resolve

_FAILURES: tuple[tuple[type[Exception], type[httpx.TransportError]], ...] = (
    (RefusedAddress, httpx.UnsupportedProtocol),
    (httpcore.ConnectTimeout, httpx.ConnectTimeout),
    (httpcore.PoolTimeout, httpx.PoolTimeout),
    (httpcore.TimeoutException, httpx.ReadTimeout),
    (httpcore.ConnectError, httpx.ConnectError),
    (httpcore.UnsupportedProtocol, httpx.UnsupportedProtocol),
    (httpcore.ProtocolError, httpx.RemoteProtocolError),
    (httpcore.NetworkError, httpx.ReadError),
)


class _Body(httpx.AsyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for piece in self._answer.aiter_stream():
                yield piece
        except Exception as error:
            raise _translated(error) from error

    async def aclose(self) -> None:
        await self._answer.aclose()


class SafeTransport(httpx.AsyncBaseTransport):
    """Checks each address that it connects to (`PinnedConnections`), knows no proxy, and speaks https; http to this
    machine alone, where `loopback` allows that. An address that is refused is an `httpx.UnsupportedProtocol`.
    """

    def __init__(
        self, *, loopback: bool = False, trust: ssl.SSLContext | None = None, resolve: Resolve = resolve
    ) -> None:
        self._loopback = loopback
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=trust or httpx.create_ssl_context(trust_env=False),
            max_connections=50,
            max_keepalive_connections=10,
            keepalive_expiry=20.0,
            network_backend=PinnedConnections(loopback=loopback, resolve=resolve),
        )
        self._plain = httpcore.AsyncConnectionPool(
            max_connections=50,
            max_keepalive_connections=10,
            network_backend=PinnedConnections(loopback=True, resolve=_only_loopback(resolve)),
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        if url.userinfo or url.scheme not in ("https", "http") or (url.scheme == "http" and not self._loopback):
            raise httpx.UnsupportedProtocol("this address is not called", request=request)
        sent = httpcore.Request(
            method=request.method,
            url=httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        try:
            answer = await (self._pool if url.scheme == "https" else self._plain).handle_async_request(sent)
        except Exception as error:
            raise _translated(error) from error
        return httpx.Response(
            status_code=answer.status, headers=answer.headers, stream=_Body(answer), extensions=answer.extensions
        )

    async def aclose(self) -> None:
        await self._pool.aclose()
        await self._plain.aclose()


def _only_loopback(resolve: Resolve) -> Resolve:
    """Without TLS nobody else is called: what has another address is refused like a private one."""

    async def looked_up(host: str, port: int) -> list[str]:
        addresses = list(await resolve(host, port))
        if not all(is_loopback(address) for address in addresses):
            raise RefusedAddress
        return addresses

    return looked_up


def _translated(error: Exception) -> Exception:
    if isinstance(error, httpx.HTTPError):
        return error
    for kind, ours in _FAILURES:
        if isinstance(error, kind):
            return ours("this address is not called" if kind is RefusedAddress else type(error).__name__)
    return error
