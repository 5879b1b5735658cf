"""The carrier's end of a media WebSocket: the signed upgrade, the closing and the pulling of the plug."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from typing import Final

import aiohttp
from yarl import URL

from local_stack.phones.twilio.faults import CarrierFault, ErrorCode
from local_stack.phones.twilio.signature import Signer, Signing

OPEN_TIMEOUT_S: Final = 10.0
_CLOSE_TIMEOUT_S: Final = 2.0
_MAX_MESSAGE_BYTES: Final = 16 * 1024 * 1024
_NORMAL, _NO_STATUS, _ABNORMAL = 1000, 1005, 1006


class MediaSocket:
    """One WebSocket with a connection of its own, so that it can also be torn down without a good-bye."""

    def __init__(self, session: aiohttp.ClientSession, ws: aiohttp.ClientWebSocketResponse) -> None:
        self._session = session
        self._ws = ws
        self._closing = False
        self.close_code: int | None = None
        """How it was closed; 1006 for a connection that went away without a close frame."""

    @classmethod
    async def open(cls, url: str, signer: Signer, signing: Signing = Signing.VALID) -> MediaSocket:
        """Opens `url` and signs it as it stands in the TwiML, scheme included. Raises: CarrierFault."""
        headers = {"User-Agent": "Twilio.TmeWs/1.0", **signer.headers(signing, url)}
        session = aiohttp.ClientSession()
        try:
            async with asyncio.timeout(OPEN_TIMEOUT_S):
                ws = await session.ws_connect(
                    URL(url, encoded=True),
                    headers=headers,
                    autoclose=False,
                    max_msg_size=_MAX_MESSAGE_BYTES,
                    timeout=aiohttp.ClientWSTimeout(ws_close=_CLOSE_TIMEOUT_S),
                )
        except BaseException as error:
            await session.close()
            fault = _fault_of(url, error)
            if fault is None:
                raise
            raise fault from None
        return cls(session, ws)

    async def send(self, text: str) -> None:
        """Raises: ConnectionError or aiohttp.ClientError once the socket is closed."""
        await self._ws.send_str(text)

    async def messages(self) -> AsyncIterator[aiohttp.WSMessage]:
        """What the app sends, until one side closes. The app's close is answered with its own code."""
        while True:
            message = await self._ws.receive()
            if message.type is aiohttp.WSMsgType.CLOSE:
                self.close_code = message.data or _NO_STATUS
                await self._ws.close(code=message.data or _NORMAL)
                return
            if message.type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSING):
                if not self._closing:
                    self.close_code = _ABNORMAL
                return
            yield message

    async def close(self) -> None:
        """Closes with 1000 and waits a moment for the other side's answer."""
        self._closing = True
        await self._ws.close()
        if self.close_code is None:
            self.close_code = self._ws.close_code
        await self._session.close()

    async def vanish(self) -> None:
        """Resets the TCP connection: no close frame, no FIN."""
        self._closing = True
        raw = self._ws.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        await self._session.close()


def _fault_of(url: str, error: BaseException) -> CarrierFault | None:
    if isinstance(error, aiohttp.WSServerHandshakeError):
        return CarrierFault(ErrorCode.STREAM_HANDSHAKE, f"{url} refused the media socket: {error.status}")
    if isinstance(error, TimeoutError):
        message = f"{url} did not open the media socket within {OPEN_TIMEOUT_S:g} s"
        return CarrierFault(ErrorCode.STREAM_CONNECTION_TIMEOUT, message)
    if isinstance(error, aiohttp.ClientError | OSError | ValueError):
        message = f"{url} could not be reached: {error or type(error).__name__}"
        return CarrierFault(ErrorCode.STREAM_CONNECTION_REFUSED, message)
    return None
