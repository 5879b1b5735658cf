"""One WebSocket of a client from its opening to its end: reads frames one after the other."""

from __future__ import annotations

import asyncio

from aiohttp import WebSocketError, WSCloseCode, WSMessage, WSMsgType, web

from local_stack.web_pubsub.client_requests import MustClose, RequestHandling
from local_stack.web_pubsub.connection import ClientConnection
from local_stack.web_pubsub.endpoint import Endpoint
from local_stack.web_pubsub.messages import Frame
from local_stack.web_pubsub.outbound import OutboundSocket

_NORMAL_CLOSURE = 1000
_CLOSE_TIMEOUT_S = 3.0


class Session:
    """The WebSocket that a connection has now.

    The next frame is read only when the one before is done with. What comes meanwhile waits in the
    WebSocket's receive buffer, and when that is full, the TCP window closes: that is all the queue there is.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        connection: ClientConnection,
        websocket: web.WebSocketResponse,
        outbound: OutboundSocket,
    ) -> None:
        self._endpoint = endpoint
        self._connection = connection
        self._websocket = websocket
        self._outbound = outbound
        self._handling = RequestHandling(endpoint)
        self._lost_because = "The client's connection broke without a closing handshake."
        self._close_sent = False
        self._cut_off: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        self.last_heard = self._loop.time()
        self.is_busy = False
        self.ended = asyncio.Event()

    @property
    def connection(self) -> ClientConnection:
        """Whose WebSocket this is."""
        return self._connection

    def send(self, frame: Frame) -> bool:
        """Write a frame; false if the client does not keep up."""
        return self._outbound.send(frame)

    def close(self, code: int, reason: str) -> None:
        """Begin the closing handshake; `run` returns when it is over."""
        if not self._close_sent:
            self._close_sent = True
            self._outbound.close(code, reason)
            # A client that does not answer the close frame is cut off.
            self._cut_off = self._loop.call_later(_CLOSE_TIMEOUT_S, self.abort)

    def abort(self) -> None:
        """Cut the TCP connection."""
        self._outbound.abort()

    def lose(self, reason: str) -> None:
        """Give the client up as vanished."""
        self._lost_because = reason
        self.abort()

    def ping(self) -> None:
        """Ask the client for a sign of life."""
        self._outbound.ping()

    async def run(self, predecessor: Session | None = None) -> None:
        """Serve the client until the WebSocket ends.

        `predecessor` is the broken WebSocket of a recovered connection: its frames come first.
        """
        try:
            if predecessor is not None:
                predecessor.abort()
                await predecessor.ended.wait()
            reason, is_final = await self._read_to_end()
        finally:
            self.ended.set()
            if self._cut_off is not None:
                self._cut_off.cancel()
            self._outbound.end()  # before aiohttp sends a close frame of its own
        self._leave(reason, is_final)

    def _leave(self, reason: str, is_final: bool) -> None:
        if self._connection.attachment is not self:
            return
        self._connection.attachment = None
        if is_final or not self._connection.is_reliable:
            self._endpoint.finish(self._connection, reason)
        else:
            self._endpoint.await_recovery(self._connection, reason)

    async def _read_to_end(self) -> tuple[str, bool]:
        """Why the WebSocket ended, and whether the client may not come back."""
        while True:
            message = await self._websocket.receive()
            self.last_heard = self._loop.time()
            kind = message.type
            if kind is WSMsgType.BINARY or kind is WSMsgType.TEXT:
                if not self._close_sent:
                    await self._handle(Frame(message.data, kind is WSMsgType.TEXT))
            elif kind is WSMsgType.PING:
                self._outbound.pong(bytes(message.data))
            elif kind is not WSMsgType.PONG:
                return self._ending(message)

    async def _handle(self, frame: Frame) -> None:
        self.is_busy = True
        try:
            if len(frame.data) > self._endpoint.limits.max_frame_bytes:
                raise MustClose(WSCloseCode.MESSAGE_TOO_BIG, "The client message is too large.")
            await self._handling.handle(self._connection, frame)
        except MustClose as order:
            self._endpoint.close(self._connection, order.reason, order.code)
        finally:
            self.is_busy = False
            self.last_heard = self._loop.time()

    def _ending(self, message: WSMessage) -> tuple[str, bool]:
        if self._close_sent and self._connection.closed_because is not None:
            return self._connection.closed_because, True
        if message.type is WSMsgType.CLOSE:
            self.close(message.data or WSCloseCode.OK, message.extra or "")
            # Only this code is a final good-bye; a close frame without a code is not.
            return message.extra or "", message.data == _NORMAL_CLOSURE
        error = message.data if message.type is WSMsgType.ERROR else None
        if isinstance(error, WebSocketError):
            # aiohttp has told the client already.
            return f"The client violated the WebSocket protocol: {error}.", True
        return self._lost_because, False
