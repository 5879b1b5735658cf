"""The way back to a caller on Twilio: Media Streams messages through Web PubSub's REST API."""

from __future__ import annotations

from collections.abc import Mapping

from shared.adapters.twilio.media_codec import TwilioEncoder
from shared.ports.connection import Connection


class TwilioMediaChannel:
    """Fills the port `MediaChannel`."""

    def __init__(self, connection: Connection, stream_id: str) -> None:
        self._connection = connection
        self._encoder = TwilioEncoder(stream_id)

    async def play(self, pcm: bytes, mark: str | None) -> None:
        await self._connection.send_text(self._encoder.media(pcm))
        if mark is not None:
            await self._connection.send_text(self._encoder.mark(mark))

    async def clear(self) -> None:
        await self._connection.send_text(self._encoder.clear())

    async def show(self, message: Mapping[str, object]) -> None:
        """A telephone has no screen."""

    async def hang_up(self, reason: str) -> None:
        await self._connection.close(reason)
