"""Transcription by Sarvam: over its realtime socket while the caller speaks, by requests where that fails.

Source: https://docs.sarvam.ai/api-reference/speech-to-text/transcribe
"""

from __future__ import annotations

import asyncio
import json
import secrets
from dataclasses import dataclass

from shared.adapters.sarvam.languages import request_language, socket_language
from shared.adapters.sarvam.realtime_socket import PATH, SarvamSocket, query
from shared.adapters.sarvam.wire import Refused, SarvamAccount, SarvamWire, translated
from shared.domain.audio import BYTES_PER_MS
from shared.domain.errors import SpeechToTextError
from shared.domain.json_text import whole
from shared.domain.recording_form import content_type, recording_form
from shared.domain.seam import joined
from shared.ports.speech_to_text import Transcription
from shared.use_cases.providers.idle_sockets import IdleSockets
from shared.use_cases.providers.requested_transcription import RequestedTranscription
from shared.use_cases.providers.streamed_transcription import StreamedTranscription

_SOCKET_MODEL = "saaras:v3-realtime"
_REQUEST_MODEL = "saaras:v3"
_LONGEST_REQUEST_BYTES = 28_000 * BYTES_PER_MS
"""A request takes up to 30 s of sound."""
_CONNECT_S = 3.0
_CLOSE_S = 2.0
_PATIENCE_S = 3.0
_DEADLINE_S = 10.0
_IDLE_S = 15.0
"""Sarvam closes a socket on which nothing comes (code 1008), after how long is not documented."""
_REST_S = 10.0


class SarvamSpeechToText:
    """Fills the port `SpeechToText`. A language that Sarvam does not know, or `unknown`, is detected.

    Not `by_socket`: it is asked by requests alone.
    """

    def __init__(
        self,
        account: SarvamAccount,
        *,
        socket_model: str = _SOCKET_MODEL,
        request_model: str = _REQUEST_MODEL,
        by_socket: bool = True,
        patience_s: float = _PATIENCE_S,
        deadline_s: float = _DEADLINE_S,
        idle_s: float = _IDLE_S,
        rest_s: float = _REST_S,
    ) -> None:
        self._wire = SarvamWire(account)
        self._socket_model = socket_model
        self._request_model = request_model
        self._by_socket = by_socket
        self._patience_s = patience_s
        self._deadline_s = deadline_s
        self._idle = IdleSockets(idle_s=idle_s, rest_s=rest_s)
        self._mulaw_sockets = _MulawSockets(self)

    def open(self, *, language: str, call_id: str, late_after_ms: int = 0) -> Transcription:
        if not self._by_socket:
            return RequestedTranscription(self.transcribe, language=language, call_id=call_id)
        return StreamedTranscription(
            self,
            self._idle,
            self.transcribe,
            language=language,
            call_id=call_id,
            patience_s=self._patience_s,
            deadline_s=self._deadline_s,
            mulaw_sockets=self._mulaw_sockets,
        )

    @property
    def takes_mulaw(self) -> bool:
        return self._by_socket

    async def connect(self, *, language: str, call_id: str, is_mulaw: bool = False) -> SarvamSocket:
        """Fills the port `SpeechSockets`."""
        path = f"{PATH}?{query(self._socket_model, socket_language(language), is_mulaw=is_mulaw)}"
        async with translated("connect"), asyncio.timeout(_CONNECT_S):
            socket = SarvamSocket(await self._wire.connect(path, _CLOSE_S))
            try:
                await socket.begun()
            except BaseException:
                await socket.close()
                raise
            return socket

    async def transcribe(self, pcm: bytes, language: str, call_id: str) -> str:
        """The words in PCM16 mono 16 kHz, of any length. Raises: SpeechToTextError."""
        words = ""
        async with translated("transcribe"), asyncio.timeout(self._deadline_s):
            for begin in range(0, len(pcm), _LONGEST_REQUEST_BYTES):
                words = joined(words, await self._request(pcm[begin : begin + _LONGEST_REQUEST_BYTES], language))
        return words

    async def _request(self, pcm: bytes, language: str) -> str:
        boundary = secrets.token_hex(16)
        fields = {"model": self._request_model, "language_code": request_language(language)}
        body, headers = recording_form(boundary, fields, pcm), {"Content-Type": content_type(boundary)}
        async with self._wire.post("/speech-to-text", body, headers) as answer:
            text = json.loads(await answer.read())["transcript"]
            if not isinstance(text, str):
                raise SpeechToTextError("sarvam_failed", "transcribe: no text in the answer", retryable=True)
            return whole(text.strip())

    async def ping(self) -> None:
        """Sarvam has no call for this: it is ready if it answers at all."""
        async with (
            translated("ping"),
            asyncio.timeout(self._deadline_s),
            self._wire.session().get(self._wire.url("/")) as answer,
        ):
            if answer.status >= 500:
                raise Refused(answer.status)

    async def close(self) -> None:
        """Close its connections."""
        await self._idle.close_all()
        await self._wire.close()


@dataclass(frozen=True, slots=True)
class _MulawSockets:
    """Fills the port `SpeechSockets`, with connections to which telephone sound goes as it came."""

    account: SarvamSpeechToText

    async def connect(self, *, language: str, call_id: str) -> SarvamSocket:
        return await self.account.connect(language=language, call_id=call_id, is_mulaw=True)
