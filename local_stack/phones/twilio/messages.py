"""Media Streams messages, both ways: how the carrier writes them and what it accepts from an app.

Source: https://www.twilio.com/docs/voice/media-streams/websocket-messages
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local_stack.phones import g711
from local_stack.phones.twilio.faults import CarrierFault, ErrorCode

MEDIA_FORMAT: Mapping[str, Any] = {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}


class StreamWriter:
    """Writes the carrier's messages of one stream; numbers are counted here and sent as strings."""

    def __init__(self, account_sid: str, call_sid: str, stream_sid: str) -> None:
        self._account_sid = account_sid
        self._call_sid = call_sid
        self._stream_sid = stream_sid
        self._sequence = 0
        self._chunk = 0

    def connected(self) -> str:
        return _written({"event": "connected", "protocol": "Call", "version": "1.0.0"})

    def start(self, parameters: Mapping[str, str], media_format: Mapping[str, Any] = MEDIA_FORMAT) -> str:
        start = {
            "streamSid": self._stream_sid,
            "accountSid": self._account_sid,
            "callSid": self._call_sid,
            "tracks": ["inbound"],
            "customParameters": dict(parameters),
            "mediaFormat": dict(media_format),
        }
        return self._numbered("start", start=start)

    def media(self, frame: bytes) -> str:
        """`frame` is 160 bytes of µ-law."""
        return self.media_of_payload(base64.b64encode(frame).decode())

    def media_of_payload(self, payload: str) -> str:
        """`timestamp` counts the milliseconds of the stream up to the end of this chunk."""
        self._chunk += 1
        media = {
            "track": "inbound",
            "chunk": str(self._chunk),
            "timestamp": str(self._chunk * g711.FRAME_MS),
            "payload": payload,
        }
        return self._numbered("media", media=media)

    def dtmf(self, digit: str) -> str:
        return self._numbered("dtmf", dtmf={"track": "inbound_track", "digit": digit})

    def mark(self, name: str) -> str:
        return self._numbered("mark", mark={"name": name})

    def stop(self) -> str:
        return self._numbered("stop", stop={"accountSid": self._account_sid, "callSid": self._call_sid})

    def _numbered(self, event: str, **body: Any) -> str:
        self._sequence += 1
        head = {"event": event, "sequenceNumber": str(self._sequence), "streamSid": self._stream_sid}
        return _written({**head, **body})


def _written(message: dict[str, Any]) -> str:
    return json.dumps(message, separators=(",", ":"))


@dataclass(frozen=True)
class Media:
    """µ-law 8 kHz of any length to be played."""

    payload: bytes


@dataclass(frozen=True)
class Mark:
    name: str


@dataclass(frozen=True)
class Clear:
    pass


AppMessage = Media | Mark | Clear
_BODY_FIELDS = {"media": "payload", "mark": "name"}


def read_app_message(text: str, stream_sid: str) -> AppMessage:
    """What an app sent to the carrier. Raises: CarrierFault 31951 for all that the protocol does not name."""
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        raise _invalid("the message is not JSON") from None
    event = message.get("event") if isinstance(message, dict) else None
    if event not in ("media", "mark", "clear"):
        raise _invalid(f"unknown event {event!r}")
    expected = {"event", "streamSid"} | ({event} if event != "clear" else set())
    if set(message) != expected:
        raise _invalid(f"{event}: fields {sorted(set(message) ^ expected)} are missing or not expected")
    if message["streamSid"] != stream_sid:
        raise _invalid(f"{event}: the streamSid is not this stream's")
    if event == "clear":
        return Clear()
    value = _body(message[event], event)
    return Mark(value) if event == "mark" else Media(_audio(value))


def _body(body: object, event: str) -> str:
    name = _BODY_FIELDS[event]
    if not isinstance(body, dict) or set(body) != {name} or not isinstance(body[name], str):
        raise _invalid(f"{event}: holds something else than a text {name!r}")
    return str(body[name])


def _audio(payload: str) -> bytes:
    try:
        return base64.b64decode(payload, validate=True)
    except (binascii.Error, ValueError):
        raise _invalid("media: the payload is not base64") from None


def _invalid(message: str) -> CarrierFault:
    return CarrierFault(ErrorCode.STREAM_INVALID_MESSAGE, message)
