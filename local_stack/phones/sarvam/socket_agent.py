"""A voice agent on a realtime socket, from `interaction_start` to `interaction_end`."""

from __future__ import annotations

import asyncio
import base64
import json
import time
import uuid
from typing import Any, Final

import numpy as np
from aiohttp import WSMsgType, web

from local_stack.phones import g711
from local_stack.phones.phone_line import LineFrame
from local_stack.phones.playback import PlaybackBuffer
from local_stack.phones.provider_ear import HeardSpeech, ProviderEar
from local_stack.phones.provider_speech import RATE_HZ, ProviderSpeech, SpeechTrouble
from local_stack.phones.resampling import resample
from local_stack.phones.sarvam import mind

_GREETING: Final = "Hello, how can I help you?"
_PIECE_BYTES: Final = RATE_HZ // 5 * 2
_PING_S: Final = 2.0
_BARGE_IN_MS: Final = 200
_START_TIMEOUT_S: Final = 10.0


class SocketAgent:
    """`misbehave` among the variables: `drop` cuts the socket in the middle of the first answer, `hang_up` ends the
    interaction after it, `nonsense` sends what no client knows, `refuse` answers the start with an end.
    """

    def __init__(self, socket: web.WebSocketResponse, speech: ProviderSpeech, reference: str, rate_hz: int) -> None:
        self._socket = socket
        self._speech = speech
        self._reference = reference
        self._rate_hz = rate_hz
        self._ear = ProviderEar()
        self._silence = PlaybackBuffer().play()
        self._transcript: list[tuple[str, str]] = []
        self._wayward = ""
        self._speaks_until_s = 0.0
        self._answering: asyncio.Task[None] | None = None
        self._pinger: asyncio.Task[None] | None = None
        self._rest = b""
        self._heard_ms = 0.0
        self._is_speaking = False

    async def run(self) -> None:
        """Until one side ends it."""
        try:
            start = await self._start()
            if start is None:
                return
            self._pinger = asyncio.create_task(self._ping())
            self._speak_soon(str(start.get("initial_bot_message") or _GREETING))
            async for message in self._socket:
                if message.type is WSMsgType.TEXT and not await self._take(message.data):
                    break
        finally:
            tasks = [task for task in (self._answering, self._pinger) if task is not None]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._socket.close()

    async def _start(self) -> dict[str, Any] | None:
        """The first message; None where it is none."""
        try:
            async with asyncio.timeout(_START_TIMEOUT_S):
                message = await self._socket.receive()
            start = json.loads(message.data) if message.type is WSMsgType.TEXT else None
        except (TimeoutError, ValueError):
            start = None
        if not isinstance(start, dict) or start.get("type") != "client.action.interaction_start":
            return None
        self._wayward = str((start.get("agent_variables") or {}).get("misbehave", ""))
        if self._wayward == "refuse":
            await self._send("server.action.interaction_end")
            return None
        ids = {"reference_id": self._reference, "interaction_id": f"{uuid.uuid4()}"}
        await self._send("server.action.interaction_connected", **ids)
        return start

    async def _take(self, data: str) -> bool:
        """Whether the interaction goes on."""
        message = json.loads(data)
        match message.get("type"):
            case "client.media.audio_chunk":
                await self._hear(base64.b64decode(message["audio_base64"]))
            case "client.action.interaction_end":
                await self._send("server.action.interaction_end")
                return False
            case _:
                pass  # pongs, and what is not served here
        return True

    async def _hear(self, pcm: bytes) -> None:
        samples = np.frombuffer(pcm[: len(pcm) & ~1], "<i2").astype(np.float64) / 2**15
        narrow = resample(samples, self._rate_hz, g711.SAMPLE_RATE_HZ)
        self._rest += g711.encode(np.clip(np.round(narrow * 32767), -32768, 32767).astype(np.int16))
        while len(self._rest) >= g711.FRAME_BYTES:
            frame, self._rest = self._rest[: g711.FRAME_BYTES], self._rest[g711.FRAME_BYTES :]
            self._heard_ms += g711.FRAME_MS
            self._ear.take(LineFrame(self._heard_ms, frame, self._silence, None))
            await self._follow()

    async def _follow(self) -> None:
        since_ms, ear = self._ear.speaking_since_ms, self._ear
        if (since_ms is not None) != self._is_speaking:
            self._is_speaking = since_ms is not None
            await self._send(f"server.event.user_speech_{'start' if self._is_speaking else 'end'}")
        if since_ms is not None and self._heard_ms - since_ms >= _BARGE_IN_MS and self._is_heard:
            self._stop()
            await self._send("server.event.user_interrupt")
        if ear.speech:
            self._stop()
            self._answering = asyncio.create_task(self._answer(ear.speech.popleft()))

    @property
    def _is_heard(self) -> bool:
        return time.monotonic() < self._speaks_until_s

    def _stop(self) -> None:
        self._speaks_until_s = 0.0
        if self._answering is not None:
            self._answering.cancel()

    def _speak_soon(self, text: str) -> None:
        self._answering = asyncio.create_task(self._speak(text))

    async def _answer(self, heard: HeardSpeech) -> None:
        try:
            words = await self._speech.hear_line(heard.ulaw_8k)
        except SpeechTrouble:
            return
        if not words:
            return
        self._transcript.append(("user", words))
        await self._send("server.event.transcription", role="user", content=words)
        await self._speak(await mind.answer(self._speech.speech_url, self._transcript))
        if self._wayward == "hang_up":
            await self._send("server.action.interaction_end")
            await self._socket.close()

    async def _speak(self, text: str) -> None:
        try:
            pcm = await self._speech.say(text)
        except SpeechTrouble:
            return
        self._transcript.append(("agent", text))
        if self._wayward == "nonsense":
            await self._socket.send_str("}{")
            await self._send("server.event.kb_query", query=["?"])
            await self._send("server.media.audio_chunk", audio_base64="§", status="pending")
        await self._send("server.event.transcription", role="bot", content=text)
        pieces = [pcm[begin : begin + _PIECE_BYTES] for begin in range(0, len(pcm), _PIECE_BYTES)]
        for number, piece in enumerate(pieces, start=1):
            await self._send_sound(piece, "completed" if number == len(pieces) else "pending")
            if self._wayward == "drop" and number == 2 and len(self._transcript) > 1:
                await self._socket.close(code=1011)

    async def _send_sound(self, pcm: bytes, status: str) -> None:
        now_s = time.monotonic()
        self._speaks_until_s = max(self._speaks_until_s, now_s) + len(pcm) / 2 / RATE_HZ
        audio = base64.b64encode(pcm).decode()
        form = {"format": "audio/wav", "sample_rate": RATE_HZ, "status": status}
        await self._send("server.media.audio_chunk", audio_base64=audio, **form)

    async def _ping(self) -> None:
        number = 0
        while True:
            await asyncio.sleep(_PING_S)
            number += 1
            await self._send("server.system.ping", event_id=number)

    async def _send(self, kind: str, **facts: Any) -> None:
        if not self._socket.closed:
            await self._socket.send_json({"origin": "server", "type": kind, "timestamp": time.time(), **facts})
