"""Synthesis by Sarvam: streamed by a request or over a socket; by a plain request where that fails.

Source: https://docs.sarvam.ai/api-reference-docs/text-to-speech and `text_to_speech/raw_client.py` of
https://pypi.org/project/sarvamai/0.1.39
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, Literal

from shared.adapters.sarvam.languages import voice_language
from shared.adapters.sarvam.speakers import DEFAULT_MODEL, DEFAULT_SPEAKER, speaker_of
from shared.adapters.sarvam.spoken_audio import SpokenAudio
from shared.adapters.sarvam.voice_socket import VoiceSocket
from shared.adapters.sarvam.voice_sockets import VoiceSockets
from shared.adapters.sarvam.wire import SarvamWire, translated
from shared.domain.audio import SAMPLE_RATE_HZ
from shared.domain.errors import TextToSpeechError
from shared.domain.voices import language_of

logger = logging.getLogger(__name__)

_LONGEST_TEXT = 2_500
_FIRST_BYTE_DEADLINE_S = 8.0
_NEXT_BYTE_DEADLINE_S = 5.0
_WHOLE_S = 10.0


class SarvamTextToSpeech:
    """Fills the port `TextToSpeech`. `first_byte_s` and `next_byte_s`: how long the provider may be silent.

    `transport`: which way is tried first. Where it fails before there is sound, the text is asked for by a plain
    request, whose sound comes all at once; what makes no sense to ask again is not.
    """

    def __init__(
        self,
        wire: SarvamWire,
        *,
        model: str = DEFAULT_MODEL,
        default_speaker: str = DEFAULT_SPEAKER,
        transport: Literal["stream", "socket"] = "stream",
        first_byte_s: float = _FIRST_BYTE_DEADLINE_S,
        next_byte_s: float = _NEXT_BYTE_DEADLINE_S,
        whole_s: float = _WHOLE_S,
    ) -> None:
        self._wire = wire
        self._model = model
        self._default_speaker = default_speaker
        self._first_byte_s = first_byte_s
        self._next_byte_s = next_byte_s
        self._whole_s = whole_s
        self._sockets = VoiceSockets(wire, model) if transport == "socket" else None

    async def synthesize(
        self, text: str, *, voice: str, call_id: str, late_after_ms: int = 0
    ) -> AsyncGenerator[bytes, None]:
        """One provider has nobody to race: `late_after_ms` is for those that have."""
        wanted = self._wanted(text, voice)
        received = False
        try:
            async with aclosing(self._streamed(text, wanted, call_id)) as pieces:
                async for pcm in pieces:
                    received = True
                    yield pcm
        except TextToSpeechError as error:
            if received or not error.retryable:
                raise
            logger.warning("call %s: a sentence is asked for as a whole: %s", call_id, error)
        if not received:
            yield await self._whole(text, wanted)

    def _wanted(self, text: str, voice: str) -> dict[str, Any]:
        """Raises: TextToSpeechError for what nobody there can say."""
        language = voice_language(language_of(voice), text)
        if language is None:
            raise TextToSpeechError("language_unknown", f"nobody speaks {language_of(voice)!r} there")
        if len(text) > _LONGEST_TEXT:
            raise TextToSpeechError("text_too_long", f"a text has at most {_LONGEST_TEXT} characters")
        return {
            "language_code": language,
            "speaker": speaker_of(voice, self._model, self._default_speaker),
            "speech_sample_rate": SAMPLE_RATE_HZ,
            "output_audio_codec": "linear16",
        }

    async def _streamed(self, text: str, wanted: dict[str, Any], call_id: str) -> AsyncGenerator[bytes, None]:
        clock = asyncio.get_running_loop().time
        source = self._by_request(text, wanted) if self._sockets is None else self._by_socket(text, wanted, call_id)
        async with (
            translated("synthesize", TextToSpeechError),
            asyncio.timeout(self._first_byte_s) as deadline,
            aclosing(source) as pieces,
        ):
            async for pcm in pieces:
                if pcm:
                    deadline.reschedule(None)  # the consumer's pace is not the provider's
                    yield pcm
                deadline.reschedule(clock() + self._next_byte_s)

    async def _by_request(self, text: str, wanted: dict[str, Any]) -> AsyncGenerator[bytes, None]:
        document = {"text": text, "model": self._model, **wanted}
        audio = SpokenAudio()
        async with self._wire.post("/text-to-speech/stream", json.dumps(document).encode()) as answer:
            async for data in answer.content.iter_any():
                yield audio.push(data)

    async def _by_socket(self, text: str, wanted: dict[str, Any], call_id: str) -> AsyncGenerator[bytes, None]:
        if self._sockets is None:
            raise AssertionError("no socket was wanted")
        key = (call_id, wanted["language_code"], wanted["speaker"])
        socket: VoiceSocket = await self._sockets.take(key, wanted)
        try:
            async with aclosing(socket.say(text)) as pieces:
                async for pcm in pieces:
                    yield pcm
        finally:
            self._sockets.give(key, socket)

    async def _whole(self, text: str, wanted: dict[str, Any]) -> bytes:
        async with translated("synthesize", TextToSpeechError), asyncio.timeout(self._whole_s):
            answer = await self._wire.ask("/text-to-speech", {"text": text, "model": self._model, **wanted})
            pcm = b"".join(SpokenAudio().push(base64.b64decode(audio)) for audio in answer["audios"])
        if not pcm:
            raise TextToSpeechError("synthesis_empty", "the provider sent no audio", retryable=True)
        return pcm

    async def close(self) -> None:
        """Close its connections."""
        if self._sockets is not None:
            await self._sockets.close_all()
        await self._wire.close()
