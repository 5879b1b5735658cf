"""A voice agent made with livekit-agents, as a Twilio Media Streams server; runs in livekit's own environment.

There is no LiveKit server: the session's audio goes straight to and from the carrier's WebSocket. Settings are
environment variables: PEER_PORT, PEER_VARIANT (`default`: the session's defaults, but without the warm-up of an echo
canceller, during which nobody can interrupt; `lowlat`: the quickest that its options allow) and SPEECH_URL (a
service with OpenAI's protocol).
"""

# mypy: disable-error-code="import-not-found, misc, no-any-return"
# livekit-agents is installed for itself, not beside the code that is checked.

from __future__ import annotations

import asyncio
import audioop
import base64
import json
import logging
import os
import time
from typing import Any

from aiohttp import WSMsgType, web
from livekit import rtc
from livekit.agents import Agent, AgentSession, inference
from livekit.agents.voice import io
from livekit.plugins import openai

VARIANT = os.environ.get("PEER_VARIANT", "default")
SERVICES = {"api_key": "local", "base_url": os.environ.get("SPEECH_URL", "http://127.0.0.1:7081") + "/v1"}
RATE_HZ, FRAME_BYTES, AHEAD_S = 8000, 160, 0.2
"""Sound is sent at most so far ahead of its being heard."""


class CallerAudio(io.AudioInput):
    """What the caller says."""

    def __init__(self) -> None:
        super().__init__(label="carrier")
        self.frames: asyncio.Queue[rtc.AudioFrame | None] = asyncio.Queue()

    def hear(self, payload: bytes) -> None:
        pcm = audioop.ulaw2lin(payload, 2)
        self.frames.put_nowait(rtc.AudioFrame(pcm, RATE_HZ, 1, len(payload)))

    async def __anext__(self) -> rtc.AudioFrame:
        frame = await self.frames.get()
        if frame is None:
            raise StopAsyncIteration
        return frame


class AgentAudio(io.AudioOutput):
    """What the agent says: frames of 20 ms as soon as they are there, but not too far ahead."""

    def __init__(self, socket: web.WebSocketResponse, stream_sid: str) -> None:
        super().__init__(label="carrier", capabilities=io.AudioOutputCapabilities(pause=False), sample_rate=RATE_HZ)
        self._socket, self._stream_sid = socket, stream_sid
        self._waiting = bytearray()
        self._speaking = self._complete = False
        self._sent_s = self._heard_until_s = 0.0
        self._news = asyncio.Event()
        self._clearing: asyncio.Future[None] | None = None
        self.sending = asyncio.create_task(self._send())

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        await super().capture_frame(frame)
        if not self._speaking:
            self._begin()
        self._waiting += audioop.lin2ulaw(bytes(frame.data), 2)
        self._news.set()

    def flush(self) -> None:
        super().flush()
        self._complete = True
        self._news.set()

    def clear_buffer(self) -> None:
        if self._speaking:
            unheard_s = max(0.0, self._heard_until_s - time.monotonic())
            self._waiting.clear()
            self._clearing = asyncio.ensure_future(self._tell({"event": "clear"}))
            self._end(self._sent_s - min(unheard_s, self._sent_s), interrupted=True)

    def _begin(self) -> None:
        self._speaking, self._complete = True, False
        self._sent_s = self._heard_until_s = 0.0
        self._waiting.clear()

    def _end(self, heard_s: float, *, interrupted: bool) -> None:
        self._speaking = self._complete = False
        self._heard_until_s = 0.0
        self.on_playback_finished(playback_position=heard_s, interrupted=interrupted)

    async def _send(self) -> None:
        while not self._socket.closed:
            if self._speaking and (len(self._waiting) >= FRAME_BYTES or (self._complete and self._waiting)):
                await self._send_frame()
            elif self._speaking and self._complete and not self._waiting:
                await self._hear_out()
            else:
                await self._news.wait()
                self._news.clear()

    async def _send_frame(self) -> None:
        ahead_s = self._heard_until_s - time.monotonic()
        if ahead_s > AHEAD_S:
            await asyncio.sleep(ahead_s - AHEAD_S)
            return
        frame = bytes(self._waiting[:FRAME_BYTES])
        del self._waiting[: len(frame)]
        if self._sent_s == 0.0:
            self.on_playback_started(created_at=time.time())
        seconds = len(frame) / RATE_HZ
        self._sent_s += seconds
        self._heard_until_s = max(self._heard_until_s, time.monotonic()) + seconds
        await self._tell({"event": "media", "media": {"payload": base64.b64encode(frame).decode()}})

    async def _hear_out(self) -> None:
        """Waits until all is heard, unless something new comes."""
        left_s = self._heard_until_s - time.monotonic()
        if left_s > 0:
            self._news.clear()
            try:
                async with asyncio.timeout(left_s):
                    await self._news.wait()
            except TimeoutError:
                return
        else:
            self._end(self._sent_s, interrupted=False)

    async def _tell(self, message: dict[str, Any]) -> None:
        await self._socket.send_str(json.dumps({**message, "streamSid": self._stream_sid}))


def new_session() -> AgentSession:
    """Hearing, thinking and speaking by the scripted service; turn-taking by the variant."""
    settings: dict[str, Any] = {"aec_warmup_duration": None}
    if VARIANT == "lowlat":
        settings["vad"] = inference.VAD(model="silero", min_silence_duration=0.1)
        settings["turn_handling"] = {
            "turn_detection": "vad",
            "endpointing": {"min_delay": 0.0, "max_delay": 0.5},
            "interruption": {"min_duration": 0.1, "resume_false_interruption": False},
            "preemptive_generation": {"enabled": True, "preemptive_tts": True},
        }
    speaking = openai.TTS(**SERVICES, response_format="pcm")
    return AgentSession(stt=openai.STT(**SERVICES), llm=openai.LLM(**SERVICES), tts=speaking, **settings)


async def media(request: web.Request) -> web.WebSocketResponse:
    """One call."""
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    caller, session, agent = CallerAudio(), new_session(), None
    try:
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                break
            event = json.loads(message.data)
            if event["event"] == "start":
                agent = AgentAudio(socket, event["start"]["streamSid"])
                session.input.audio, session.output.audio = caller, agent
                starting = asyncio.ensure_future(
                    session.start(Agent(instructions="You look up orders."), record=False)
                )
            elif event["event"] == "media":
                caller.hear(base64.b64decode(event["media"]["payload"]))
            elif event["event"] == "stop":
                break
    finally:
        caller.frames.put_nowait(None)
        if agent is not None:
            await asyncio.gather(starting, return_exceptions=True)
            agent.sending.cancel()
            await session.aclose()
    return socket


if __name__ == "__main__":
    logging.basicConfig(level=logging.ERROR)
    try:
        import uvloop

        uvloop.install()
    except ImportError:
        logging.info("uvloop is not there; the loop of the standard library does it")
    app = web.Application()
    app.router.add_get("/media", media)
    web.run_app(app, host="127.0.0.1", port=int(os.environ["PEER_PORT"]), access_log=None, print=None)
