"""The way back to a caller to whom Twilio speaks itself: relay messages through Web PubSub's REST API."""

from __future__ import annotations

from shared.adapters.twilio import relay_codec
from shared.adapters.twilio.tongues import twilio_language
from shared.ports.connection import Connection


class TwilioTextChannel:
    """Fills the port `TextChannel`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def say(self, text: str, *, is_last: bool, language: str = "") -> None:
        token = text if is_last or not text or text[-1:].isspace() else f"{text} "
        message = relay_codec.text(token, is_last=is_last, language=twilio_language(language))
        await self._connection.send_text(message)

    async def play(self, source: str, *, loop: int = 1) -> None:
        """A sound by its address."""
        await self._connection.send_text(relay_codec.play(source, loop=loop))

    async def send_keys(self, keys: str) -> None:
        await self._connection.send_text(relay_codec.keys(keys))

    async def switch_language(self, language: str) -> None:
        if tag := twilio_language(language):
            await self._connection.send_text(relay_codec.language(tag))

    async def end(self, handoff: str = "") -> None:
        await self._connection.send_text(relay_codec.end(handoff))
