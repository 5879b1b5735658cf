"""Vonage's media sockets: binary frames of L16 16 kHz, 20 ms each, little-endian in spite of the name.

Source: https://developer.vonage.com/en/voice/voice-api/guides/websockets
"""

from __future__ import annotations

import json

from shared.domain.audio import BYTES_PER_MS
from shared.domain.errors import MediaError
from shared.ports.media_codec import DecodedFrame

FRAME_MS = 20
FRAME_BYTES = FRAME_MS * BYTES_PER_MS
_SILENCE = bytes(FRAME_BYTES)


class VonageFrameDecoder:
    """Frames of one stream. They bear no time of their own: the stream's time is what has come so far, and `from_ms`
    when decoding begins.
    """

    def __init__(self, from_ms: int) -> None:
        self._at_ms = from_ms

    def decode(self, payload: bytes) -> DecodedFrame:
        if len(payload) != FRAME_BYTES:  # of 8 or 24 kHz, or torn: it would be heard at the wrong speed
            raise MediaError("frame_size", f"a frame with {len(payload)} bytes; L16 at 16 kHz has {FRAME_BYTES}")
        frame = DecodedFrame(payload, self._at_ms)
        self._at_ms += FRAME_MS
        return frame


class VonageFramer:
    """Cuts sound into frames of exactly 20 ms: Vonage closes the socket on any other."""

    def __init__(self) -> None:
        self._rest = b""

    def push(self, pcm: bytes, *, to_the_end: bool) -> list[bytes]:
        """`to_the_end`: nothing is kept back for the next piece; the last frame ends with silence."""
        joined = self._rest + pcm
        whole = len(joined) - len(joined) % FRAME_BYTES
        frames = [joined[start : start + FRAME_BYTES] for start in range(0, whole, FRAME_BYTES)]
        self._rest = joined[whole:]
        if to_the_end and self._rest:
            frames.append((self._rest + _SILENCE)[:FRAME_BYTES])
            self._rest = b""
        return frames

    def clear(self) -> None:
        self._rest = b""


def notify(mark: str) -> bytes:
    """Comes back when all that was sent before it has been played."""
    return json.dumps({"action": "notify", "payload": {"mark": mark}}, separators=(",", ":")).encode()


CLEAR = b'{"action":"clear"}'
