"""Opens connections to addresses that were looked at, and to no others."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence

import httpcore

from shared.adapters.safe_http.addresses import is_loopback, is_public

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a host, of which none is left out."""


class RefusedAddress(Exception):
    """The host has an address that is not one of the public internet, or none at all that could be looked at."""


async def resolve(host: str, port: int) -> Sequence[str]:
    """As the system resolves it. Raises: OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class PinnedConnections(httpcore.AsyncNetworkBackend):
    """Resolves a host once and connects to one of the addresses that it has looked at, so that the name cannot mean
    something else a moment later. TLS and `Host` still go by the name. `loopback`: whether this machine may be
    called.
    """

    def __init__(self, *, loopback: bool, resolve: Resolve = resolve) -> None:
        self._loopback = loopback
        self._resolve = resolve
        self._backend = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Raises: RefusedAddress, httpcore.ConnectError, httpcore.ConnectTimeout."""
        failure: Exception = httpcore.ConnectError("the name has no address")
        for address in await self._addresses(host, port):
            try:
                return await self._backend.connect_tcp(address, port, timeout, local_address, socket_options)
            except httpcore.ConnectError as error:
                failure = error
        raise failure

    async def _addresses(self, host: str, port: int) -> Sequence[str]:
        """All of the host's, if each may be called."""
        try:
            addresses = await self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError("the name is not known") from error
        if not all(is_public(address) or (self._loopback and is_loopback(address)) for address in addresses):
            raise RefusedAddress
        return addresses

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None
    ) -> httpcore.AsyncNetworkStream:
        raise RefusedAddress

    async def sleep(self, seconds: float) -> None:
        await self._backend.sleep(seconds)
