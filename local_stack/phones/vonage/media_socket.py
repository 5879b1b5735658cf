"""Vonage's end of a media WebSocket: the upgrade with its token, the closing, and the pulling of the plug."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from typing import Final

import aiohttp
from yarl import URL

from local_stack.phones.vonage import signing
from local_stack.phones.vonage.account import Account
from local_stack.phones.vonage.faults import VonageFault
from local_stack.phones.vonage.ncco import WebSocket

OPEN_TIMEOUT_S: Final = 10.0
_CLOSE_TIMEOUT_S: Final = 2.0
_NORMAL: Final = 1000
_ABNORMAL: Final = 1006


class MediaSocket:
    """One WebSocket with a connection of its own, so that it can also be torn down without a good-bye."""

    def __init__(self, session: aiohttp.ClientSession, ws: aiohttp.ClientWebSocketResponse) -> None:
        self._session = session
        self._ws = ws
        self._closing = False
        self.close_code: int | None = None

    @classmethod
    async def open(cls, endpoint: WebSocket, account: Account, *, with_token: bool = True) -> MediaSocket:
        """Raises: VonageFault."""
        session = aiohttp.ClientSession()
        headers = _authorization(endpoint, account) if with_token else {}
        try:
            async with asyncio.timeout(OPEN_TIMEOUT_S):
                ws = await session.ws_connect(
                    URL(endpoint.uri, encoded=True),
                    headers=headers,
                    autoclose=False,
                    timeout=aiohttp.ClientWSTimeout(ws_close=_CLOSE_TIMEOUT_S),
                )
        except (aiohttp.ClientError, OSError, ValueError) as error:
            await session.close()
            status = f"{error.status}" if isinstance(error, aiohttp.WSServerHandshakeError) else type(error).__name__
            raise VonageFault("socket", f"{endpoint.uri} did not open the media socket: {status}") from None
        except BaseException:
            await session.close()
            raise
        return cls(session, ws)

    async def send(self, message: str | bytes) -> None:
        """Raises: ConnectionError or aiohttp.ClientError once the socket is closed."""
        if isinstance(message, bytes):
            await self._ws.send_bytes(message)
        else:
            await self._ws.send_str(message)

    async def messages(self) -> AsyncIterator[str | bytes]:
        """What the app sends, until one side closes."""
        while True:
            message = await self._ws.receive()
            match message.type:
                case aiohttp.WSMsgType.TEXT | aiohttp.WSMsgType.BINARY:
                    yield message.data
                case aiohttp.WSMsgType.CLOSE:
                    self.close_code = message.data or _NORMAL
                    await self._ws.close(code=message.data or _NORMAL)
                    return
                case _:
                    self.close_code = self.close_code or (None if self._closing else _ABNORMAL)
                    return

    async def close(self) -> None:
        """Closes with 1000 and waits a moment for the other side's answer."""
        self._closing = True
        await self._ws.close()
        self.close_code = self.close_code or self._ws.close_code
        await self._session.close()

    async def vanish(self) -> None:
        """Resets the TCP connection: no close frame, no FIN."""
        self._closing = True
        self.close_code = _ABNORMAL
        raw = self._ws.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        await self._session.close()


def _authorization(endpoint: WebSocket, account: Account) -> dict[str, str]:
    match endpoint.authorization.get("type"):
        case "vonage":
            return signing.headers(account, b"")
        case "custom":
            return {"Authorization": endpoint.authorization.get("value", "")}
        case _:
            return {}
