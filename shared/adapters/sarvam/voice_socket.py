"""One WebSocket to Sarvam's voice: texts go in one after the other, and the sound of each comes back in their order.

Nothing that was sent can be taken back, so the sound of a text that nobody wants any more is let pass until its end.
Source: https://pypi.org/project/sarvamai/0.1.39, `types/configure_connection.py` and those of its messages; that a
`final` answers a flush, in order: https://github.com/bolna-ai/bolna
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
from collections import deque
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any

from shared.adapters.sarvam.spoken_audio import SpokenAudio
from shared.adapters.sarvam.wire import is_passing
from shared.domain.errors import TextToSpeechError

if TYPE_CHECKING:
    import aiohttp

logger = logging.getLogger(__name__)

PATH = "/text-to-speech/ws"
_PING_S = 20.0
"""It is closed after a minute in which nothing comes."""
_LONGEST_TEXT = 500
"""One message may have five times as much, and should not."""


class _Saying:
    """One text that was sent, and what has come of it: sound, then None or an error. `is_wanted`: somebody waits."""

    def __init__(self) -> None:
        self.audio = SpokenAudio()
        self.news: asyncio.Queue[bytes | TextToSpeechError | None] = asyncio.Queue()
        self.is_wanted = True


class VoiceSocket:
    """Made of an open connection; `configure` comes first. Used by one call, with one voice."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._sayings: deque[_Saying] = deque()
        self._reader = asyncio.create_task(self._read())
        self._pinger = asyncio.create_task(self._ping())

    @property
    def is_open(self) -> bool:
        return not self._socket.closed and not self._reader.done()

    @property
    def usable(self) -> bool:
        """Whether it is open, and all sound of what was asked before has come."""
        return self.is_open and not self._sayings

    async def configure(self, voice: dict[str, Any]) -> None:
        await self._send({"type": "config", "data": voice})

    async def say(self, text: str) -> AsyncGenerator[bytes, None]:
        """PCM16 in whole samples. Raises: TextToSpeechError."""
        saying = _Saying()
        try:
            # Before anything is awaited: the answers are told apart by their order.
            self._sayings.append(saying)
            for begin in range(0, len(text), _LONGEST_TEXT):
                await self._send({"type": "text", "data": {"text": text[begin : begin + _LONGEST_TEXT]}})
            await self._send({"type": "flush"})
            while (news := await saying.news.get()) is not None:
                if isinstance(news, TextToSpeechError):
                    raise news
                yield news
        finally:
            saying.is_wanted = False

    async def close(self) -> None:
        for task in (self._reader, self._pinger):
            task.cancel()
        await asyncio.gather(self._reader, self._pinger, return_exceptions=True)
        await self._socket.close()

    async def _send(self, message: dict[str, Any]) -> None:
        try:
            await self._socket.send_str(json.dumps(message, ensure_ascii=False))
        except (OSError, RuntimeError) as error:
            raise _lost(type(error).__name__) from error

    async def _ping(self) -> None:
        while True:
            await asyncio.sleep(_PING_S)
            try:
                await self._send({"type": "ping"})
            except TextToSpeechError:
                return

    async def _read(self) -> None:
        """Until the connection is gone; then nobody waits any longer."""
        problem = _lost("closed")
        try:
            async for message in self._socket:
                if message.type.name == "TEXT":
                    self._hear(json.loads(message.data))
        except TextToSpeechError as error:
            problem = error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            problem = _lost(f"a message made no sense: {type(error).__name__}")
        finally:
            for saying in self._sayings:
                saying.news.put_nowait(problem)
            await self._socket.close()

    def _hear(self, message: dict[str, Any]) -> None:
        """Raises: TextToSpeechError, when what was asked cannot be told apart any more."""
        data = message.get("data") or {}
        match message["type"]:
            case "audio":
                if self._sayings and self._sayings[0].is_wanted:
                    saying = self._sayings[0]
                    if pcm := saying.audio.push(base64.b64decode(data["audio"], validate=True)):
                        saying.news.put_nowait(pcm)
            case "event":
                if data.get("event_type") == "final" and self._sayings:
                    self._sayings.popleft().news.put_nowait(None)
            case "error":
                code = data.get("code") or 0
                retryable = is_passing(code if isinstance(code, int) else 0, "")
                raise TextToSpeechError("sarvam_refused", f"socket: {code}", retryable=retryable)
            case _:
                logger.debug("the voice sent %r", message["type"])


def _lost(reason: str) -> TextToSpeechError:
    return TextToSpeechError("sarvam_unavailable", f"socket: {reason}", retryable=True)
