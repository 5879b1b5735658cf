"""Transcription by `/audio/transcriptions`. Source: https://platform.openai.com/docs/api-reference/audio"""

from __future__ import annotations

import asyncio
import secrets

from shared.adapters.openai.wire import OpenAIWire, Refused, translated
from shared.domain.errors import SpeechToTextError
from shared.domain.json_text import whole
from shared.domain.recording_form import content_type, recording_form
from shared.use_cases.providers.requested_transcription import RequestedTranscription

_DEADLINE_S = 10.0


def language_of(tag: str) -> str:
    """ISO 639-1, which is what OpenAI takes, of a language tag; "" where the language is to be detected."""
    code = tag.partition("-")[0].lower()
    return "" if code in ("auto", "unknown") else code


class OpenAISpeechToText:
    """Fills the port `SpeechToText`. Asking twice is harmless, so a failed request is tried once more.

    The words before a cut do not go along as `prompt`: for short sound models give the prompt back as words.
    """

    def __init__(self, wire: OpenAIWire, *, model: str, deadline_s: float = _DEADLINE_S) -> None:
        self.wire = wire
        self._model = model
        self._deadline_s = deadline_s

    @property
    def takes_mulaw(self) -> bool:
        return False

    def open(self, *, language: str, call_id: str, late_after_ms: int = 0) -> RequestedTranscription:
        return RequestedTranscription(
            self.transcribe, language=language, call_id=call_id, begin=self.wire.open_connection
        )

    async def transcribe(self, pcm: bytes, language: str, call_id: str) -> str:
        """The words in PCM16 mono 16 kHz. Raises: SpeechToTextError."""
        boundary = secrets.token_hex(16)
        fields = {"model": self._model, "response_format": "json"}
        if code := language_of(language):
            fields["language"] = code
        async with translated("transcribe"), asyncio.timeout(self._deadline_s):
            headers = await self.wire.headers(call_id)
            headers["Content-Type"] = content_type(boundary)
            url = self.wire.url("/audio/transcriptions", self._model)
            answer = await self.wire.post(url, recording_form(boundary, fields, pcm), headers)
            text = answer["text"]
            if not isinstance(text, str):
                raise SpeechToTextError("openai_failed", "transcribe: no text in the answer", retryable=True)
            return whole(text.strip())

    async def ping(self) -> None:
        if self.wire.account.azure_endpoint:
            return
        async with translated("ping"), asyncio.timeout(self._deadline_s):
            url, headers = self.wire.url("/models", self._model), await self.wire.headers("")
            async with self.wire.session().get(url, headers=headers) as answer:
                if answer.status >= 400:
                    raise Refused(answer.status)
                await answer.read()

    async def close(self) -> None:
        """Close its connections."""
        await self.wire.close()
