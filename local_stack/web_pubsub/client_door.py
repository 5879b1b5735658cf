"""Where clients come in: turns an HTTP request into a WebSocket, new or recovered."""

from __future__ import annotations

import asyncio
import logging

from aiohttp import web

from local_stack.web_pubsub.connection import ClientConnection
from local_stack.web_pubsub.endpoint import Endpoint
from local_stack.web_pubsub.handshake import Handshake, HandshakeRefused, offered_subprotocols, requested_hub
from local_stack.web_pubsub.keep_alive import KeepAlive
from local_stack.web_pubsub.outbound import OutboundSocket
from local_stack.web_pubsub.protocols import SUBPROTOCOLS
from local_stack.web_pubsub.session import Session

_CLOSE_TIMEOUT_S = 3.0
_POLICY_VIOLATION = 1008
_PARSER_LIMIT_FACTOR = 8
_log = logging.getLogger(__name__)


class ClientDoor:
    """Handler of `/client/hubs/{hub}` and `/client?hub=`."""

    def __init__(self, endpoint: Endpoint, keep_alive: KeepAlive) -> None:
        self._endpoint = endpoint
        self._keep_alive = keep_alive
        self._handshake = Handshake(endpoint)

    async def enter(self, request: web.Request) -> web.StreamResponse:
        """Serve a client from its handshake to its end."""
        try:
            if self._endpoint.is_closing:
                raise HandshakeRefused(503, "The service is shutting down.")
            hub = requested_hub(request)
            if request.headers.get("Upgrade", "").lower() != "websocket":
                raise HandshakeRefused(400, "This is not a WebSocket request.")
            connection_id = request.query.get("awps_connection_id")
            if connection_id:
                return await self._recover(request, hub, connection_id)
            return await self._open(request, hub)
        except HandshakeRefused as refusal:
            _log.info("client refused: %d %s", refusal.response.status, refusal)
            return refusal.response

    async def _open(self, request: web.Request, hub: str) -> web.StreamResponse:
        admission = await self._handshake.admit(request, hub)
        connection = admission.connection
        try:
            websocket, session = await self._accept(request, connection)
        except (ConnectionError, asyncio.CancelledError):
            # The connect handler said yes, so it hears that the client is gone.
            self._endpoint.turn_away(connection, "The client left during the handshake.")
            raise
        connection.attachment = session
        if connection.protocol is not None:
            keys = self._endpoint.keys
            token = keys.issue_reconnection_token(connection.id) if connection.is_reliable else None
            session.send(connection.protocol.connected(connection.id, connection.user_id, token))
        self._endpoint.admit(connection, admission.groups)
        await self._serve(session, None)
        return websocket

    async def _recover(self, request: web.Request, hub: str, connection_id: str) -> web.StreamResponse:
        token = request.query.get("awps_reconnection_token", "")
        offered = offered_subprotocols(request)
        connection = self._endpoint.recover(hub, connection_id, token, offered)
        if connection is None:
            return await self._reject_recovery(request, offered)
        try:
            websocket, session = await self._accept(request, connection)
        except (ConnectionError, asyncio.CancelledError):
            if connection.attachment is None:
                self._endpoint.await_recovery(connection, "The client left while it was being recovered.")
            raise
        broken = connection.attachment
        connection.attachment = session
        if connection.closed_because is not None:  # ended while the WebSocket was being opened
            session.close(_POLICY_VIOLATION, connection.closed_because)
        else:
            _log.info("connection %s on hub %s recovered", connection.id, connection.hub)
            connection.replay()
        await self._serve(session, broken if isinstance(broken, Session) else None)
        return websocket

    async def _reject_recovery(self, request: web.Request, offered: list[str]) -> web.StreamResponse:
        """Tell the client that its connection is gone: 1008 makes the SDKs begin a new one."""
        websocket = self._websocket([name for name in offered if name in SUBPROTOCOLS][:1])
        await websocket.prepare(request)
        await websocket.close(code=_POLICY_VIOLATION, message=b"The connection could not be recovered.")
        return websocket

    async def _accept(
        self, request: web.Request, connection: ClientConnection
    ) -> tuple[web.WebSocketResponse, Session]:
        websocket = self._websocket([connection.subprotocol] if connection.subprotocol else [])
        await websocket.prepare(request)
        transport = request.transport
        if transport is None:
            raise ConnectionResetError("the client is gone")
        outbound = OutboundSocket(transport, self._endpoint.limits.max_outbound_bytes)
        return websocket, Session(self._endpoint, connection, websocket, outbound)

    async def _serve(self, session: Session, predecessor: Session | None) -> None:
        self._keep_alive.add(session)
        try:
            await session.run(predecessor)
        finally:
            self._keep_alive.remove(session)

    def _websocket(self, protocols: list[str]) -> web.WebSocketResponse:
        return web.WebSocketResponse(
            timeout=_CLOSE_TIMEOUT_S,
            autoclose=False,
            autoping=False,
            protocols=protocols,
            compress=False,
            # Larger than our limit, so that a client that exceeds ours is told so in an orderly way.
            max_msg_size=_PARSER_LIMIT_FACTOR * self._endpoint.limits.max_frame_bytes,
            decode_text=False,
        )
