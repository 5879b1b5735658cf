"""Carries out what clients ask for, frame by frame, and says when a connection must end."""

from __future__ import annotations

import logging

from local_stack.web_pubsub.connection import ClientConnection
from local_stack.web_pubsub.endpoint import Endpoint
from local_stack.web_pubsub.http_client import Response
from local_stack.web_pubsub.messages import (
    CONTENT_TYPES,
    DATA_TYPES,
    SERVER,
    Frame,
    InvalidMessage,
    JoinGroup,
    LeaveGroup,
    Origin,
    Payload,
    Ping,
    SendToGroup,
    SequenceAck,
    UserEvent,
)
from local_stack.web_pubsub.permissions import Permission
from local_stack.web_pubsub.protocols import Subprotocol
from local_stack.web_pubsub.registry import send_to
from local_stack.web_pubsub.upstream import UpstreamFailure

_log = logging.getLogger(__name__)


class MustClose(Exception):
    """The connection has to be closed with this WebSocket status code and reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class _Refused(Exception):
    """The client lacks the permission; the message goes into the ack."""


class RequestHandling:
    """What happens with a frame of a client. One frame of a connection is handled at a time."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    async def handle(self, connection: ClientConnection, frame: Frame) -> None:
        """Handle one frame to its end. Raises: MustClose."""
        if connection.protocol is None:
            await self._handle_raw(connection, frame)
        else:
            await self._handle_message(connection, connection.protocol, frame)

    async def _handle_raw(self, connection: ClientConnection, frame: Frame) -> None:
        payload = Payload("text" if frame.is_text else "binary", frame.data)
        if frame.is_text:
            try:
                frame.data.decode()
            except UnicodeDecodeError as error:
                raise MustClose(1007, "The text frame is not UTF-8.") from error
        group = connection.publish_group
        if group is not None:
            if not connection.permissions.allows("sendToGroup", group):
                raise MustClose(1008, "The connection is not authorized for raw sendToGroup mode.")
            self._publish(connection, SendToGroup(group, payload, no_echo=False, ack_id=None))
            return
        try:
            await self._raise_event(connection, "message", payload)
        except UpstreamFailure as failure:
            raise MustClose(1011, str(failure)) from failure

    async def _handle_message(self, connection: ClientConnection, protocol: Subprotocol, frame: Frame) -> None:
        if frame.is_text != protocol.is_text:
            raise MustClose(1003, f"The subprotocol takes {'text' if protocol.is_text else 'binary'} frames.")
        try:
            request = protocol.parse(frame)
        except InvalidMessage as error:
            raise MustClose(1007, f"The message is invalid: {error}.") from error
        if isinstance(request, Ping):
            connection.send_frame(protocol.pong())
        elif isinstance(request, SequenceAck):
            connection.acknowledge(request.sequence_id)
        elif request.ack_id is None or connection.claim_ack_id(request.ack_id):
            await self._carry_out(connection, request)
        else:
            message = f"Message with ack-id: {request.ack_id} has been processed"
            connection.send_ack(request.ack_id, "Duplicate", message)

    async def _carry_out(
        self, connection: ClientConnection, request: JoinGroup | LeaveGroup | SendToGroup | UserEvent
    ) -> None:
        try:
            if isinstance(request, UserEvent):
                await self._raise_event(connection, request.event, request.payload)
            else:
                self._act_on_group(connection, request)
        except (UpstreamFailure, _Refused) as error:
            _log.warning("request of %s failed: %s", connection.id, error)
            if request.ack_id is not None:
                connection.release_ack_id(request.ack_id)
            refused = isinstance(error, _Refused)
            connection.send_ack(
                request.ack_id,
                "Forbidden" if refused else "InternalServerError",
                str(error) if refused else "Internal server error",
            )
        else:
            connection.send_ack(request.ack_id)

    def _act_on_group(self, connection: ClientConnection, request: JoinGroup | LeaveGroup | SendToGroup) -> None:
        group = request.group
        permission: Permission = "sendToGroup" if isinstance(request, SendToGroup) else "joinLeaveGroup"
        if not connection.permissions.allows(permission, group):
            raise _Refused(f"The client does not have permission to {permission} '{group}'.")
        if isinstance(request, JoinGroup):
            self._endpoint.hub(connection.hub).join(connection, group)
        elif isinstance(request, LeaveGroup):
            self._endpoint.hub(connection.hub).leave(connection, group)
        else:
            self._publish(connection, request)

    def _publish(self, connection: ClientConnection, request: SendToGroup) -> None:
        send_to(
            self._endpoint.hub(connection.hub).of_group(request.group),
            request.payload,
            Origin(request.group, connection.user_id),
            excluded=(connection.id,) if request.no_echo else (),
            ttl_s=request.ttl_s,
        )

    async def _raise_event(self, connection: ClientConnection, event: str, payload: Payload) -> None:
        """Deliver a user event and give the client what its handler answers. Raises: UpstreamFailure."""
        response = await self._endpoint.upstream.deliver(
            connection, event, payload.data, CONTENT_TYPES[payload.data_type], is_system=False
        )
        if response is None:
            raise UpstreamFailure("No event handler is configured.")
        if not 200 <= response.status < 300:
            raise UpstreamFailure(f"The event handler returned {response.status}.")
        state = response.headers.get("ce-connectionstate")
        if state is not None:
            connection.set_state(state)
        if response.body:
            connection.send_data(_answer(response), SERVER)


def _answer(response: Response) -> Payload:
    """The body of a handler's response; without a content type we know it is text.

    Raises: UpstreamFailure if it is no text though it says so.
    """
    content_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    data_type = DATA_TYPES.get(content_type, "text")
    if data_type in ("text", "json"):
        try:
            response.body.decode()
        except UnicodeDecodeError as error:
            raise UpstreamFailure("The event handler's answer is not UTF-8.") from error
    return Payload(data_type, response.body)
