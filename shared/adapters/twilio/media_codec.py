"""Twilio Media Streams: JSON text frames with base64 µ-law at 8 kHz.

Source: https://www.twilio.com/docs/voice/media-streams/websocket-messages
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import Any

import numpy as np

from shared.domain.audio import MULAW_EXPANSION, MULAW_SILENCE, encode_mulaw, samples_of
from shared.domain.errors import MediaError
from shared.domain.resampling import DOUBLING_TAPS, Resampler, doubled
from shared.ports.media_codec import DecodedFrame

WIRE_RATE_HZ = 8_000
MEDIA_FORMAT = {"encoding": "audio/x-mulaw", "sampleRate": WIRE_RATE_HZ, "channels": 1}
_MAX_FRAME_BYTES = 8_000
"""A second of µ-law: far more than Twilio ever sends in one message."""
_MAX_TIMESTAMP_MS = 24 * 3600 * 1000
"""A day: longer than any call."""
_LATE_MS = 1000
"""No frame of a stream comes so late that it is older by this than another."""
_USUAL = re.compile(
    rb'\{"event":"media","sequenceNumber":"\d{1,9}",(?:"streamSid":"[A-Za-z0-9]{1,64}",)?'
    rb'"media":\{"track":"inbound","chunk":"\d{1,9}","timestamp":"(\d{1,9})","payload":"([A-Za-z0-9+/]*={0,2})"\}'
    rb'(?:,"streamSid":"[A-Za-z0-9]{1,64}")?\}'
)
"""As Twilio writes a frame: this is read in a third of the time that JSON takes, fifty times a second."""
_EXPANSION = MULAW_EXPANSION.astype(np.float32)


class TwilioFrameDecoder:
    """Frames of one call as PCM16 16 kHz, at twice the rate of the wire. What the filter needs of the sound before
    is kept as it came: so a frame is expanded and joined to it in one step.

    A stream that takes the place of another begins at 0 again; the call's time goes on from where it was, which is
    `from_ms` to begin with.
    """

    def __init__(self, from_ms: int = 0) -> None:
        self._before = MULAW_SILENCE * (DOUBLING_TAPS - 1)
        self._newest_ms = from_ms
        self._added_ms = 0

    def decode(self, payload: bytes) -> DecodedFrame:
        try:
            timestamp, encoded = _fields(payload)
            mulaw = base64.b64decode(encoded, validate=True)
            at_ms = int(timestamp)
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError, binascii.Error):
            raise MediaError("frame_malformed", "a media message without decodable audio") from None
        if not 0 <= at_ms <= _MAX_TIMESTAMP_MS:
            raise MediaError("frame_time", "a media message from no time within a call")
        if not 0 < len(mulaw) <= _MAX_FRAME_BYTES:
            raise MediaError("frame_size", f"a media message with {len(mulaw)} bytes of audio")
        at_ms += self._added_ms
        if at_ms < self._newest_ms - _LATE_MS:
            self._added_ms += self._newest_ms - at_ms
            at_ms = self._newest_ms
        self._newest_ms = max(self._newest_ms, at_ms)
        joined = self._before + mulaw
        self._before = joined[-len(self._before) :]
        signal = _EXPANSION.take(np.frombuffer(joined, dtype=np.uint8))
        return DecodedFrame(doubled(signal).tobytes(), at_ms, mulaw)


def _fields(payload: bytes) -> tuple[Any, Any]:
    """Timestamp and payload, whatever they are. Raises: ValueError, KeyError, TypeError, RecursionError."""
    if usual := _USUAL.fullmatch(payload):
        return usual[1], usual[2]
    media = json.loads(payload)["media"]
    return media["timestamp"], media["payload"]


class TwilioEncoder:
    """Messages to one stream; its resampler remembers the piece before, so that pieces join without a click."""

    def __init__(self, stream_id: str) -> None:
        self._stream_id = stream_id
        self._resampler = Resampler(16_000, WIRE_RATE_HZ)

    def media(self, pcm: bytes) -> str:
        mulaw = encode_mulaw(self._resampler.push(samples_of(pcm)))
        return self._message("media", {"payload": base64.b64encode(mulaw).decode()})

    def mark(self, name: str) -> str:
        return self._message("mark", {"name": name})

    def clear(self) -> str:
        self._resampler = Resampler(16_000, WIRE_RATE_HZ)
        return self._message("clear", None)

    def _message(self, event: str, body: dict[str, Any] | None) -> str:
        message: dict[str, Any] = {"event": event, "streamSid": self._stream_id}
        if body is not None:
            message[event] = body
        return json.dumps(message, separators=(",", ":"))
