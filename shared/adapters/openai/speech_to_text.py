"""Transcription by `/audio/transcriptions`. Source: https://platform.openai.com/docs/api-reference/audio"""

from __future__ import annotations

import asyncio
import struct

from shared.adapters.openai.client import OpenAIClient, translated
from shared.domain.audio import SAMPLE_RATE_HZ
from shared.domain.errors import SpeechToTextError

_DEADLINE_S = 10.0


def wav_of(pcm: bytes, rate_hz: int = SAMPLE_RATE_HZ) -> bytes:
    """PCM16 mono with a RIFF header before it."""
    header = struct.pack(
        "<4sI8sIHHIIHH4sI",
        b"RIFF", 36 + len(pcm), b"WAVEfmt ", 16, 1, 1, rate_hz, rate_hz * 2, 2, 16, b"data", len(pcm),
    )  # fmt: skip
    return header + pcm


class OpenAISpeechToText:
    """Fills the port `SpeechToText`. Asking twice is harmless, so the SDK tries a failed request once more."""

    def __init__(self, client: OpenAIClient, *, model: str, deadline_s: float = _DEADLINE_S) -> None:
        self._client = client
        self._model = model
        self._deadline_s = deadline_s

    async def transcribe(self, pcm: bytes, *, language: str, call_id: str) -> str:
        async with translated(SpeechToTextError, "transcribe"), asyncio.timeout(self._deadline_s):
            answer = await self._client.sdk.audio.transcriptions.create(
                model=self._model,
                file=("speech.wav", wav_of(pcm), "audio/wav"),
                language=language,
                response_format="json",
                extra_headers={"x-call-id": call_id},
            )
            return answer.text.strip()

    async def ping(self) -> None:
        async with translated(SpeechToTextError, "ping"), asyncio.timeout(self._deadline_s):
            if not self._client.account.azure_endpoint:
                await self._client.sdk.models.list()
