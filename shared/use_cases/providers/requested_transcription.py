"""Hears one turn by a request for all that was said since the last cut, each time the words are asked for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from shared.domain.kept_speech import KeptSpeech

WholeRequest = Callable[[bytes, str, str], Awaitable[str]]
"""PCM16 mono 16 kHz, language and call id to words. Raises: SpeechToTextError."""


class RequestedTranscription:
    """Fills the port `Transcription`. `begin` is called with the first sound: there will be a request soon."""

    language = ""

    def __init__(
        self, request: WholeRequest, *, language: str, call_id: str, begin: Callable[[], None] | None = None
    ) -> None:
        self._request = request
        self._language = language
        self._call_id = call_id
        self._begin = begin
        self._kept = KeptSpeech()

    def feed(self, pcm: bytes, mulaw: bytes = b"") -> None:
        if self._begin is not None:
            self._begin()
            self._begin = None
        self._kept.feed(pcm)

    async def words(self) -> str:
        known = self._kept.answered
        if known is not None:
            return known
        stretch = self._kept.stretch()
        sound = self._kept.sound(stretch.begin, stretch.end)
        return self._kept.learn(stretch, await self._request(sound, self._language, self._call_id))

    def cut(self) -> None:
        self._kept.cut()

    async def close(self) -> None:
        """It holds nothing but the sound."""
