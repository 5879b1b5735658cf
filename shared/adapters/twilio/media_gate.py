"""Twilio's media sockets, as they arrive through Web PubSub's hub for carriers."""

from __future__ import annotations

import json
import logging
import re
from typing import Any

from shared.adapters.twilio.handshake import connect
from shared.adapters.twilio.media_codec import MEDIA_FORMAT
from shared.adapters.twilio.webhooks import TwilioWebhooks
from shared.domain import pipe_names
from shared.domain.errors import Conflict, InvalidRequest, Unauthenticated
from shared.ports.media_gate import CONNECT, CONNECTED, DISCONNECTED, Reply, Upstream
from shared.ports.pipes_and_frames import PipesAndFrames
from shared.use_cases.calls.attach_media import AttachMedia
from shared.use_cases.calls.move_media import MoveMedia

logger = logging.getLogger(__name__)

MAX_MESSAGE_BYTES = 64 * 1024
_MEDIA = b'{"event":"media"'
_STOPPED = "stopped"
_KEY = re.compile(r"[0-9A-D*#]")
_MAX_MARK_CHARACTERS = 64


class TwilioMediaGate:
    """Fills the port `MediaGate`. A connection's state is its call id, or `stopped` after its end.

    A stream that stops ends the call; a socket that closes before is lost: Twilio asks us then what comes next
    (`TwilioAddresses.resume`), and if it does not, there are no more frames.
    """

    def __init__(
        self, webhooks: TwilioWebhooks, pipes: PipesAndFrames, attach_media: AttachMedia, move_media: MoveMedia
    ) -> None:
        self._webhooks = webhooks
        self._pipes = pipes
        self._attach_media = attach_media
        self._move_media = move_media

    async def pass_frame(self, upstream: Upstream) -> bool:
        body, state = upstream.body, upstream.state
        if not state or state == _STOPPED or not body.startswith(_MEDIA) or len(body) > MAX_MESSAGE_BYTES:
            return False
        await self._pipes.append_frame(state, upstream.connection_id, upstream.event_id, body)
        return True

    async def handle(self, upstream: Upstream) -> Reply:
        match upstream.type:
            case t if t == CONNECT:
                return connect(self._webhooks, upstream.body)
            case t if t == CONNECTED:
                return Reply()
            case t if t == DISCONNECTED:
                if upstream.state and upstream.state != _STOPPED:
                    await self._move_media.lost(upstream.state, upstream.connection_id)
                return Reply()
            case _:
                return await self._message(upstream)

    async def _message(self, upstream: Upstream) -> Reply:
        if len(upstream.body) > MAX_MESSAGE_BYTES:
            raise InvalidRequest("body_too_large", f"a message has at most {MAX_MESSAGE_BYTES} bytes")
        message = _object(upstream.body)
        event = message.get("event")
        if event == "connected":
            return Reply()
        if event == "start":
            return await self._start(upstream, message)
        if not upstream.state:
            raise InvalidRequest("before_start", "the stream has not started")
        if upstream.state == _STOPPED:
            raise Conflict("after_stop", "the stream has stopped")
        return await self._running(upstream, message)

    async def _start(self, upstream: Upstream, message: dict[str, Any]) -> Reply:
        if upstream.state:
            raise Conflict("started_already", "the stream has started already")
        start = message.get("start")
        stream_id = message.get("streamSid")
        if not isinstance(start, dict) or not isinstance(stream_id, str) or not stream_id.isascii():
            raise InvalidRequest("start_malformed", "the start message lacks its stream")
        if start.get("mediaFormat") != MEDIA_FORMAT:
            raise InvalidRequest("media_format", "the stream must be audio/x-mulaw, 8000 Hz, one channel")
        parameters = start.get("customParameters")
        ticket = parameters.get("ticket") if isinstance(parameters, dict) else None
        if not isinstance(ticket, str) or not ticket.isascii():
            raise Unauthenticated("ticket", "the stream bears no ticket")
        call_id = await self._attach_media.by_ticket(
            ticket,
            provider_call_id=str(start.get("callSid", "")),
            hub=upstream.hub,
            connection_id=upstream.connection_id,
            stream_id=stream_id,
        )
        return Reply(state=call_id)

    async def _running(self, upstream: Upstream, message: dict[str, Any]) -> Reply:
        call_id = upstream.state
        match message.get("event"):
            case "media":
                await self._pipes.append_frame(call_id, upstream.connection_id, upstream.event_id, upstream.body)
            case "mark":
                mark = message.get("mark")
                name = mark.get("name") if isinstance(mark, dict) else None
                if isinstance(name, str) and name.isascii() and len(name) <= _MAX_MARK_CHARACTERS:
                    await self._pipes.append(
                        pipe_names.events(call_id), {"event": "mark", "name": name}, must_exist=True
                    )
            case "dtmf":
                dtmf = message.get("dtmf")
                digit = dtmf.get("digit") if isinstance(dtmf, dict) else None
                if isinstance(digit, str) and _KEY.fullmatch(digit):
                    await self._pipes.append(pipe_names.frames(call_id), {"k": digit}, must_exist=True)
            case "stop":
                await self._move_media.stopped(call_id, upstream.connection_id)
                return Reply(state=_STOPPED)
            case _:
                logger.info("call %s: an unknown media message was passed over", call_id)
        return Reply()


def _object(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise InvalidRequest("not_json", "the message is not JSON") from None
    if not isinstance(document, dict):
        raise InvalidRequest("not_an_object", "the message is not a JSON object")
    return document
