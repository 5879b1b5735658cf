"""One WebSocket to OpenAI's realtime transcription: sound goes in as it comes, a commit brings the words of an item.

Source: https://developers.openai.com/api/docs/guides/realtime-transcription and the events of
https://github.com/openai/openai-python/tree/main/src/openai/types/realtime (the shapes since general availability).
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
from collections import deque
from typing import TYPE_CHECKING, Any

from shared.domain.audio import BYTES_PER_MS, SAMPLE_RATE_HZ, samples_of
from shared.domain.errors import SpeechToTextError
from shared.domain.json_text import whole
from shared.domain.resampling import Resampler

if TYPE_CHECKING:
    import aiohttp

logger = logging.getLogger(__name__)

_WIRE_RATE_HZ = 24_000
"""The only rate of `audio/pcm`. The other formats are G.711 at 8 kHz, which a browser's sound is too good for."""
_SHORTEST_ITEM_BYTES = 100 * BYTES_PER_MS
"""A commit of less is an error."""
_SESSION_S = 20 * 60.0
"""A session may last an hour, and its items pile up; an older one is not used for a further turn."""
_TRANSCRIPTION = "conversation.item.input_audio_transcription."


def session_update(model: str, language: str) -> str:
    """Transcribes only, what the client commits, nothing on its own."""
    transcription = {"model": model} | ({"language": language} if language else {})
    audio_format = {"type": "audio/pcm", "rate": _WIRE_RATE_HZ}
    audio = {"input": {"format": audio_format, "transcription": transcription, "turn_detection": None}}
    session = {"type": "transcription", "audio": audio}
    return json.dumps({"type": "session.update", "event_id": "session", "session": session})


class RealtimeSocket:
    """Fills the port `SpeechSocket`."""

    language = ""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._began_s = asyncio.get_running_loop().time()
        self._resampler = Resampler(SAMPLE_RATE_HZ, _WIRE_RATE_HZ)
        self._appended_bytes = 0
        self._commits = 0
        self._uncommitted: deque[tuple[str, asyncio.Future[str]]] = deque()
        """Commits, by their event id, of which no item is known yet."""
        self._items: dict[str, asyncio.Future[str]] = {}
        self._reader = asyncio.create_task(self._read())

    @property
    def usable(self) -> bool:
        is_young = asyncio.get_running_loop().time() - self._began_s < _SESSION_S
        return is_young and not self._socket.closed and not self._reader.done()

    async def append(self, pcm: bytes) -> None:
        self._appended_bytes += len(pcm)
        await self._append(self._resampler.push(samples_of(pcm)).tobytes())

    async def commit(self) -> asyncio.Future[str]:
        missing = bytes(max(0, _SHORTEST_ITEM_BYTES - self._appended_bytes))
        rest = self._resampler.push(samples_of(missing)).tobytes() + self._resampler.flush().tobytes()
        self._begin_item()
        self._commits += 1
        event_id = f"commit-{self._commits}"
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        answer.add_done_callback(_retrieved)
        self._uncommitted.append((event_id, answer))
        await self._append(rest)
        await self._send(f'{{"type":"input_audio_buffer.commit","event_id":"{event_id}"}}')
        return answer

    async def clear(self) -> None:
        self._begin_item()
        await self._send('{"type":"input_audio_buffer.clear"}')

    async def send(self, message: str) -> None:
        await self._send(message)

    async def close(self) -> None:
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)
        await self._socket.close()

    def _begin_item(self) -> None:
        self._resampler = Resampler(SAMPLE_RATE_HZ, _WIRE_RATE_HZ)
        self._appended_bytes = 0

    async def _append(self, wire: bytes) -> None:
        if wire:
            audio = base64.b64encode(wire).decode()
            await self._send(f'{{"type":"input_audio_buffer.append","audio":"{audio}"}}')

    async def _send(self, message: str) -> None:
        try:
            await self._socket.send_str(message)
        except (OSError, RuntimeError) as error:  # aiohttp's errors of a closing connection are among them
            raise _lost(type(error).__name__) from error

    async def _read(self) -> None:
        """Until the connection is gone; then nobody waits any longer."""
        reason = "closed"
        try:
            async for message in self._socket:
                if message.type.name == "TEXT":
                    self._hear(json.loads(message.data))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            reason = f"an event made no sense: {type(error).__name__}"
        finally:
            waiting = [answer for _, answer in self._uncommitted] + list(self._items.values())
            for answer in waiting:
                if not answer.done():
                    answer.set_exception(_lost(f"{reason} ({self._socket.close_code})"))
            await self._socket.close()

    def _hear(self, event: dict[str, Any]) -> None:
        kind = event["type"]
        if kind == "input_audio_buffer.committed":
            if self._uncommitted:
                self._items[event["item_id"]] = self._uncommitted.popleft()[1]
        elif kind == f"{_TRANSCRIPTION}completed":
            self._resolve(event["item_id"], whole(event["transcript"].strip()))
        elif kind == f"{_TRANSCRIPTION}failed":
            self._resolve(event["item_id"], _failed(event.get("error") or {}))
        elif kind == "error":
            self._complain(event["error"])

    def _resolve(self, item_id: str, words: str | SpeechToTextError) -> None:
        answer = self._items.pop(item_id, None)
        if answer is None or answer.done():
            return
        if isinstance(words, str):
            answer.set_result(words)
        else:
            answer.set_exception(words)

    def _complain(self, error: dict[str, Any]) -> None:
        """Most errors leave the session as it is; that of a commit is its answer, that of the session is the end."""
        caused_by = error.get("event_id")
        for number, (event_id, answer) in enumerate(self._uncommitted):
            if event_id == caused_by:
                del self._uncommitted[number]
                answer.set_exception(_failed(error))
                return
        logger.warning("the ear complains: %s %s", error.get("type"), error.get("code"))
        if caused_by == "session":
            raise TypeError("the session was not accepted")


def _retrieved(answer: asyncio.Future[str]) -> None:
    if not answer.cancelled():
        answer.exception()  # it may be that nobody waits any longer


def _lost(reason: str) -> SpeechToTextError:
    return SpeechToTextError("openai_unavailable", f"realtime: {reason}", retryable=True)


def _failed(error: dict[str, Any]) -> SpeechToTextError:
    return SpeechToTextError("openai_failed", f"realtime: {error.get('code') or error.get('type')}", retryable=True)
