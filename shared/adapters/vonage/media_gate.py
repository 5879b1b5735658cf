"""Vonage's media sockets, as they arrive through Web PubSub's hub for them.

Who may connect is decided by Web PubSub: it takes the header that bears a token for its own, so Vonage brings one of
its tokens, which we put into the answer to a signed request. Which call it is, the ticket in the first message says.
Source: https://developer.vonage.com/en/voice/voice-api/guides/websockets
"""

from __future__ import annotations

import json
import logging
import re
from typing import Any

from shared.adapters.vonage.media_codec import FRAME_BYTES
from shared.adapters.vonage.ncco import MEDIA_TYPE
from shared.domain import pipe_names
from shared.domain.errors import Conflict, InvalidRequest, Unauthenticated
from shared.ports.connection import BINARY
from shared.ports.media_gate import CONNECT, CONNECTED, DISCONNECTED, Reply, Upstream
from shared.ports.pipes_and_frames import PipesAndFrames
from shared.use_cases.calls.attach_media import AttachMedia
from shared.use_cases.calls.move_media import MoveMedia

logger = logging.getLogger(__name__)

MAX_MESSAGE_BYTES = 16 * 1024
_STOPPED = "stopped"
_KEY = re.compile(r"[0-9A-D*#]")
_MAX_MARK_CHARACTERS = 64


class VonageMediaGate:
    """Fills the port `MediaGate`. A connection's state is its call id, or `stopped` after its end.

    A socket that closes is lost, and no more is known: the call's own events say whether it goes on, and Vonage asks
    us then what comes next.
    """

    def __init__(self, pipes: PipesAndFrames, attach_media: AttachMedia, move_media: MoveMedia) -> None:
        self._pipes = pipes
        self._attach_media = attach_media
        self._move_media = move_media

    async def pass_frame(self, upstream: Upstream) -> bool:
        state, body = upstream.state, upstream.body
        if upstream.content_type != BINARY or len(body) != FRAME_BYTES or not state or state == _STOPPED:
            return False
        await self._pipes.append_frame(state, upstream.connection_id, upstream.event_id, body)
        return True

    async def handle(self, upstream: Upstream) -> Reply:
        if upstream.type == CONNECT:
            if not _has_claims(upstream.body):
                raise Unauthenticated("socket_token", "the media socket bears no token")
        elif upstream.type == DISCONNECTED:
            if upstream.state and upstream.state != _STOPPED:
                await self._move_media.lost(upstream.state, upstream.connection_id)
        elif upstream.type != CONNECTED:
            return await self._message(upstream)
        return Reply()

    async def _message(self, upstream: Upstream) -> Reply:
        if len(upstream.body) > MAX_MESSAGE_BYTES:
            raise InvalidRequest("body_too_large", f"a message has at most {MAX_MESSAGE_BYTES} bytes")
        if upstream.content_type == BINARY:
            self._refuse_frame(upstream)
        message = _object(upstream.body)
        event = message.get("event")
        if event == "websocket:connected":
            return await self._begin(upstream, message)
        call_id = _running_call(upstream)
        match event:
            case "websocket:dtmf":
                if key := _key_of(message):
                    await self._pipes.append(pipe_names.frames(call_id), {"k": key}, must_exist=True)
            case "websocket:notify":
                await self._note_mark(call_id, message)
            case "websocket:cleared":
                pass  # of which of our orders it does not say; the mark of what is played tells enough
            case "websocket:disconnected":
                await self._move_media.lost(call_id, upstream.connection_id)
                return Reply(state=_STOPPED)
            case _:
                logger.info("call %s: an unknown media message was passed over", call_id)
        return Reply()

    def _refuse_frame(self, upstream: Upstream) -> None:
        """Such a frame did not pass: it comes too early, too late, or in another format."""
        _running_call(upstream)
        raise InvalidRequest("frame_size", f"a frame of {MEDIA_TYPE} has {FRAME_BYTES} bytes")

    async def _begin(self, upstream: Upstream, message: dict[str, Any]) -> Reply:
        if upstream.state:
            raise Conflict("started_already", "the stream has started already")
        media_type = message.get("content-type")
        if not isinstance(media_type, str) or media_type.replace(" ", "").lower() != MEDIA_TYPE:
            raise InvalidRequest("media_format", f"the stream must be {MEDIA_TYPE}")
        ticket, leg = message.get("ticket"), message.get("leg")
        if not isinstance(ticket, str) or not ticket.isascii() or not isinstance(leg, str):
            raise Unauthenticated("ticket", "the stream bears no ticket")
        call_id = await self._attach_media.by_ticket(
            ticket, provider_call_id=leg, hub=upstream.hub, connection_id=upstream.connection_id, stream_id=""
        )
        return Reply(state=call_id)

    async def _note_mark(self, call_id: str, message: dict[str, Any]) -> None:
        payload = message.get("payload")
        mark = payload.get("mark") if isinstance(payload, dict) else None
        if isinstance(mark, str) and mark.isascii() and len(mark) <= _MAX_MARK_CHARACTERS:
            await self._pipes.append(pipe_names.events(call_id), {"event": "mark", "name": mark}, must_exist=True)


def _running_call(upstream: Upstream) -> str:
    """Raises: InvalidRequest before the stream has started, Conflict after its end."""
    if not upstream.state:
        raise InvalidRequest("before_start", "the stream has not started")
    if upstream.state == _STOPPED:
        raise Conflict("after_stop", "the stream has stopped")
    return upstream.state


def _key_of(message: dict[str, Any]) -> str:
    """Vonage has been seen to write the key as `digit`, as `dtmf`, and as an object in `dtmf`."""
    given = message.get("digit", message.get("dtmf"))
    if isinstance(given, dict):
        given = given.get("digit")
    return given if isinstance(given, str) and _KEY.fullmatch(given) else ""


def _has_claims(body: bytes) -> bool:
    """Whether Web PubSub has checked a token of the client that knocks."""
    return bool(_object(body).get("claims"))


def _object(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise InvalidRequest("not_json", "the message is not JSON") from None
    if not isinstance(document, dict):
        raise InvalidRequest("not_an_object", "the message is not a JSON object")
    return document
