"""Transcription while the caller speaks, by OpenAI's realtime sessions; by requests where those fail."""

from __future__ import annotations

import asyncio

from shared.adapters.openai.realtime_socket import RealtimeSocket, session_update
from shared.adapters.openai.speech_to_text import OpenAISpeechToText, language_of
from shared.adapters.openai.wire import translated
from shared.use_cases.providers.idle_sockets import IdleSockets
from shared.use_cases.providers.streamed_transcription import StreamedTranscription

_CONNECT_S = 3.0
_CLOSE_S = 2.0
_LARGEST_EVENT_BYTES = 2**20
_PATIENCE_S = 3.0
_DEADLINE_S = 10.0
_IDLE_S = 30.0
_REST_S = 10.0


class OpenAIRealtimeTranscription:
    """Fills the port `SpeechToText`. `requests` is asked where the connection fails; both use its account.

    `model`: model, or deployment on Azure, that transcribes in realtime sessions.
    """

    def __init__(
        self,
        requests: OpenAISpeechToText,
        *,
        model: str,
        patience_s: float = _PATIENCE_S,
        deadline_s: float = _DEADLINE_S,
        idle_s: float = _IDLE_S,
        rest_s: float = _REST_S,
    ) -> None:
        self._requests = requests
        self._model = model
        self._patience_s = patience_s
        self._deadline_s = deadline_s
        self._idle = IdleSockets(idle_s=idle_s, rest_s=rest_s)

    @property
    def takes_mulaw(self) -> bool:
        return False

    def open(self, *, language: str, call_id: str, late_after_ms: int = 0) -> StreamedTranscription:
        return StreamedTranscription(
            self,
            self._idle,
            self._requests.transcribe,
            language=language,
            call_id=call_id,
            patience_s=self._patience_s,
            deadline_s=self._deadline_s,
        )

    async def connect(self, *, language: str, call_id: str) -> RealtimeSocket:
        """Fills the port `SpeechSockets`. The session's events need not be waited for: they come in order."""
        import aiohttp  # noqa: PLC0415 - slow import

        wire = self._requests.wire
        async with translated("connect"), asyncio.timeout(_CONNECT_S):
            headers = await wire.headers(call_id)
            response = await wire.session().ws_connect(
                wire.transcription_socket_url(),
                headers=headers,
                timeout=aiohttp.ClientWSTimeout(ws_close=_CLOSE_S),
                compress=0,
                max_msg_size=_LARGEST_EVENT_BYTES,
            )
            socket = RealtimeSocket(response)
            await socket.send(session_update(self._model, language_of(language)))
            return socket

    async def ping(self) -> None:
        await self._requests.ping()

    async def close(self) -> None:
        """Close its connections."""
        await self._idle.close_all()
        await self._requests.close()
