"""One WebSocket to Sarvam's realtime transcription, with utterances that begin and end where we say.

Source: https://docs.sarvam.ai/api-reference/speech-to-text/transcribe/realtime/ws and `types/realtime_*.py` of
https://pypi.org/project/sarvamai/0.1.39; that `speech_end` alone finalises an utterance:
https://github.com/pipecat-ai/pipecat/pull/5301
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
from collections import deque
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from shared.adapters.sarvam.languages import language_of
from shared.adapters.sarvam.wire import is_passing
from shared.domain.errors import SpeechToTextError
from shared.domain.json_text import whole

if TYPE_CHECKING:
    import aiohttp

logger = logging.getLogger(__name__)

PATH = "/speech-to-text-realtime/ws"


def query(model: str, language_code: str, *, is_mulaw: bool = False) -> str:
    """`fast` is about partial transcripts, which nobody reads here: a final one is made apart from them.

    `is_mulaw`: telephone sound comes as it is, at 8 kHz.
    """
    return urlencode(
        {
            "language_code": language_code,
            "model": model,
            "stream_type": "fast",
            "endpointing": "manual",
            "encoding": "mulaw" if is_mulaw else "linear16",
            "sample_rate": "8000" if is_mulaw else "16000",
        }
    )


class SarvamSocket:
    """Fills the port `SpeechSocket`. Transcripts come in the order of the utterances."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._language = ""
        self._speaking = False
        self._begun = asyncio.get_running_loop().create_future()
        self._utterances: deque[asyncio.Future[str]] = deque()
        self._reader = asyncio.create_task(self._read())

    @property
    def usable(self) -> bool:
        return not self._socket.closed and not self._reader.done()

    @property
    def language(self) -> str:
        """It is told where it was to be detected."""
        return self._language

    async def begun(self) -> None:
        """The session is accepted. Raises: SpeechToTextError."""
        await asyncio.shield(self._begun)

    async def append(self, pcm: bytes) -> None:
        """In the encoding that the session was begun with."""
        if not self._speaking:
            self._speaking = True
            await self._send('{"event":"speech_start"}')
        await self._send(f'{{"event":"audio_input","audio":"{base64.b64encode(pcm).decode()}"}}')

    async def commit(self) -> asyncio.Future[str]:
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        answer.add_done_callback(_retrieved)
        self._utterances.append(answer)
        self._speaking = False
        await self._send('{"event":"speech_end"}')
        return answer

    async def clear(self) -> None:
        """There is no event for it: the utterance is ended, and its transcript left."""
        if self._speaking:
            await self.commit()

    async def close(self) -> None:
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)
        await self._socket.close()

    async def _send(self, message: str) -> None:
        try:
            await self._socket.send_str(message)
        except (OSError, RuntimeError) as error:
            raise _lost(type(error).__name__) from error

    async def _read(self) -> None:
        """Until the connection is gone; then nobody waits any longer."""
        problem = _lost("closed")
        try:
            async for message in self._socket:
                if message.type.name == "TEXT":
                    self._hear(json.loads(message.data))
        except SpeechToTextError as error:
            problem = error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            problem = _lost(f"an event made no sense: {type(error).__name__}")
        finally:
            for waiting in (self._begun, *self._utterances):
                if not waiting.done():
                    waiting.set_exception(problem)
            _retrieved(self._begun)
            await self._socket.close()

    def _hear(self, event: dict[str, Any]) -> None:
        """Raises: SpeechToTextError when the session is refused or over."""
        match event["event"]:
            case "session.begin":
                if not self._begun.done():
                    self._begun.set_result(None)
            case "transcript.final":
                words = whole(event["text"].strip())
                self._language = language_of(str(event.get("language") or ""))
                answer = self._utterances.popleft() if self._utterances else None
                if answer is not None and not answer.done():
                    answer.set_result(words)
            case "error":
                status, code = event.get("status_code") or 0, event.get("code")
                if event.get("is_fatal"):
                    retryable = is_passing(status, str(code))
                    raise SpeechToTextError("sarvam_refused", f"realtime: {code} {status}", retryable=retryable)
                logger.warning("the ear complains: %s", code)
            case _:
                pass  # partial transcripts, signs of life, what is new


def _retrieved(answer: asyncio.Future[Any]) -> None:
    if answer.done() and not answer.cancelled():
        answer.exception()  # it may be that nobody waits any longer


def _lost(reason: str) -> SpeechToTextError:
    return SpeechToTextError("sarvam_unavailable", f"realtime: {reason}", retryable=True)
