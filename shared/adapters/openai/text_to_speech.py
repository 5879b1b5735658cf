"""Synthesis by `/audio/speech`, streamed. Source: https://platform.openai.com/docs/api-reference/audio/createSpeech"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator

from shared.adapters.openai.wire import OpenAIWire, translated
from shared.domain.audio import SAMPLE_RATE_HZ, samples_of
from shared.domain.errors import TextToSpeechError
from shared.domain.resampling import Resampler
from shared.domain.voices import name_of

_WIRE_RATE_HZ = 24_000
"""`response_format: pcm` is 24 kHz 16-bit mono without a header."""
_FIRST_BYTE_DEADLINE_S = 8.0
_NEXT_BYTE_DEADLINE_S = 5.0


class OpenAITextToSpeech:
    """Fills the port `TextToSpeech`. `first_byte_s` and `next_byte_s`: how long the provider may be silent."""

    def __init__(
        self,
        wire: OpenAIWire,
        *,
        model: str,
        default_voice: str,
        first_byte_s: float = _FIRST_BYTE_DEADLINE_S,
        next_byte_s: float = _NEXT_BYTE_DEADLINE_S,
    ) -> None:
        self.wire = wire
        self._model = model
        self._default_voice = default_voice
        self._first_byte_s = first_byte_s
        self._next_byte_s = next_byte_s

    async def synthesize(
        self, text: str, *, voice: str, call_id: str, late_after_ms: int = 0
    ) -> AsyncGenerator[bytes, None]:
        """One provider has nobody to race: `late_after_ms` is for those that have."""
        resampler = Resampler(_WIRE_RATE_HZ, SAMPLE_RATE_HZ)
        torn = b""
        received = False
        async with (
            translated("synthesize", TextToSpeechError),
            asyncio.timeout(self._first_byte_s) as deadline,
        ):
            headers = await self.wire.headers(call_id) | {"Content-Type": "application/json"}
            url = self.wire.url("/audio/speech", self._model)
            async with self.wire.stream(url, self._request(text, voice), headers) as response:
                async for wire in response.content.iter_any():
                    deadline.reschedule(asyncio.get_running_loop().time() + self._next_byte_s)
                    data = torn + wire
                    torn = data[len(data) & ~1 :]
                    pcm = resampler.push(samples_of(data)).tobytes()
                    if pcm:
                        received = True
                        deadline.reschedule(None)  # the consumer's pace is not the provider's
                        yield pcm
                        deadline.reschedule(asyncio.get_running_loop().time() + self._next_byte_s)
        if not received:
            raise TextToSpeechError("synthesis_empty", "the provider sent no audio", retryable=True)
        rest = resampler.flush().tobytes()
        if rest:
            yield rest

    def _request(self, text: str, voice: str) -> bytes:
        wanted = {
            "model": self._model,
            "voice": self._default_voice if name_of(voice) == "default" else name_of(voice),
            "input": text,
            "response_format": "pcm",
        }
        return json.dumps(wanted).encode()

    async def close(self) -> None:
        """Close its connections."""
        await self.wire.close()
