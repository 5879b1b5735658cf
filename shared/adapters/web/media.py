"""Audio to and from the talk page and other clients of ours: PCM16 16 kHz, 60 ms a frame."""

from __future__ import annotations

import base64
from collections.abc import Mapping

from shared.domain.audio import BYTES_PER_MS
from shared.domain.errors import MediaError
from shared.ports.connection import Connection
from shared.ports.media_codec import DecodedFrame

_MAX_FRAME_BYTES = 1_000 * BYTES_PER_MS


class WebFrameDecoder:
    """Frames of one client. They bear no time of their own, so the stream's time is what has come so far:
    `from_ms` when decoding begins.
    """

    def __init__(self, from_ms: int) -> None:
        self._received_bytes = from_ms * BYTES_PER_MS

    def decode(self, payload: bytes) -> DecodedFrame:
        if not 0 < len(payload) <= _MAX_FRAME_BYTES or len(payload) % 2:
            raise MediaError("frame_size", f"an audio event with {len(payload)} bytes")
        frame = DecodedFrame(payload, self._received_bytes // BYTES_PER_MS)
        self._received_bytes += len(payload)
        return frame


class WebMediaChannel:
    """Fills the port `MediaChannel`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def play(self, pcm: bytes, mark: str | None) -> None:
        """The page answers a piece that has a mark with it."""
        marked = {} if mark is None else {"mark": mark}
        await self._connection.send_json({"type": "audio", **marked, "payload": base64.b64encode(pcm).decode()})

    async def clear(self) -> None:
        await self._connection.send_json({"type": "clear"})

    async def show(self, message: Mapping[str, object]) -> None:
        await self._connection.send_json(message)

    async def hang_up(self, reason: str) -> None:
        await self._connection.close(reason)
