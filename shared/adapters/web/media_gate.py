"""Browsers and apps, as they arrive through Web PubSub's hub for clients: their token's user is their call."""

from __future__ import annotations

import json
from typing import Any

from shared.domain import pipe_names
from shared.domain.audio import SAMPLE_RATE_HZ
from shared.domain.call import EndReason
from shared.domain.errors import InvalidRequest
from shared.ports.media_gate import CONNECT, CONNECTED, DISCONNECTED, Reply, Upstream
from shared.ports.pipes_and_frames import PipesAndFrames
from shared.use_cases.calls.attach_media import AttachMedia
from shared.use_cases.calls.end_call import EndCall

MAX_MESSAGE_BYTES = 64 * 1024
_AUDIO = "audio"
_MAX_MARK_CHARACTERS = 64
_MAX_EVENT_BYTES = 4096


class WebMediaGate:
    """Fills the port `MediaGate`. A connection's state is its call id once it has started."""

    def __init__(self, pipes: PipesAndFrames, attach_media: AttachMedia, end_call: EndCall) -> None:
        self._pipes = pipes
        self._attach_media = attach_media
        self._end_call = end_call

    async def pass_frame(self, upstream: Upstream) -> bool:
        if upstream.event != _AUDIO or not upstream.state:
            return False
        if len(upstream.body) > MAX_MESSAGE_BYTES:
            raise InvalidRequest("body_too_large", f"an event has at most {MAX_MESSAGE_BYTES} bytes")
        await self._pipes.append_frame(upstream.state, upstream.connection_id, upstream.event_id, upstream.body)
        return True

    async def handle(self, upstream: Upstream) -> Reply:
        if upstream.type in (CONNECT, CONNECTED):
            return Reply()
        call_id = upstream.state
        if upstream.type == DISCONNECTED or upstream.event == "stop":
            if call_id:
                await self._end_call.note(call_id, EndReason.CALLER_HUNG_UP)
            return Reply()
        if upstream.event == "start":
            _require_format(upstream)
            await self._attach_media.by_call(upstream.user_id, hub=upstream.hub, connection_id=upstream.connection_id)
            return Reply(state=upstream.user_id)
        if not call_id:
            raise InvalidRequest("before_start", "the client has not started")
        if upstream.event == "mark":
            await self._pipes.append(
                pipe_names.events(call_id), {"event": "mark", "name": _mark_name(upstream)}, must_exist=True
            )
            return Reply()
        raise InvalidRequest("event_unknown", "events are start, audio, mark and stop")


def _require_format(upstream: Upstream) -> None:
    rate_hz = _content(upstream, "start_malformed").get("sample_rate_hz")
    if rate_hz != SAMPLE_RATE_HZ:
        raise InvalidRequest("media_format", f"the audio must be PCM16 mono with {SAMPLE_RATE_HZ} Hz")


def _mark_name(upstream: Upstream) -> str:
    name = _content(upstream, "mark_malformed").get("name")
    if not isinstance(name, str) or not name.isascii() or len(name) > _MAX_MARK_CHARACTERS:
        raise InvalidRequest(
            "mark_malformed", f"a mark has a name of at most {_MAX_MARK_CHARACTERS} ASCII characters"
        )
    return name


def _content(upstream: Upstream, code: str) -> dict[str, Any]:
    if len(upstream.body) > _MAX_EVENT_BYTES:
        raise InvalidRequest("body_too_large", f"an event that is no audio has at most {_MAX_EVENT_BYTES} bytes")
    try:
        content = json.loads(upstream.body)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise InvalidRequest(code, "the event's content is not a JSON object")
    return content
