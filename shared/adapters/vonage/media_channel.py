"""The way back to a caller on Vonage: frames of L16 and orders in JSON, through Web PubSub's REST API."""

from __future__ import annotations

from collections.abc import Mapping

from shared.adapters.vonage.media_codec import CLEAR, VonageFramer, notify
from shared.ports.connection import BINARY, TEXT, FrameConnection


class VonageMediaChannel:
    """Fills the port `MediaChannel`. Each frame is a message of its own, so a piece goes out as many in one go."""

    def __init__(self, connection: FrameConnection) -> None:
        self._connection = connection
        self._framer = VonageFramer()

    async def play(self, pcm: bytes, mark: str | None) -> None:
        messages = [(frame, BINARY) for frame in self._framer.push(pcm, to_the_end=mark is not None)]
        if mark is not None:
            messages.append((notify(mark), TEXT))
        if messages:
            await self._connection.send_all(messages)

    async def clear(self) -> None:
        self._framer.clear()
        await self._connection.send_all([(CLEAR, TEXT)])

    async def show(self, message: Mapping[str, object]) -> None:
        """A telephone has no screen."""

    async def hang_up(self, reason: str) -> None:
        await self._connection.close(reason)
