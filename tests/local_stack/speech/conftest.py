"""The service on real sockets: scripted in this process, with its models as a process of its own."""

from __future__ import annotations

import asyncio
import io
import json
import urllib.error
import urllib.request
import wave
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from aiohttp import web
from openai import AsyncOpenAI, OpenAI

from local_stack.speech.scripted.backend import ScriptedBackend, add_direction
from local_stack.speech.scripted.director import Director
from local_stack.speech.scripted.recordings import Recordings
from local_stack.speech.scripted.script import read_script
from local_stack.speech.server import build_app
from local_stack.speech.timeline import Timeline
from tests.local_stack.models.fetched import fetched_state_dir
from tests.local_stack.running_part import free_ports, running, until


def wav(seconds: float = 1.0, rate_hz: int = 8000, channels: int = 1) -> bytes:
    """A tone as a PCM16 WAV file."""
    moments = np.arange(round(seconds * rate_hz)) / rate_hz
    samples = (8000 * np.sin(2 * np.pi * 300 * moments)).astype("<i2")
    content = io.BytesIO()
    with wave.open(content, "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(2)
        out.setframerate(rate_hz)
        out.writeframes(np.repeat(samples, channels).tobytes())
    return content.getvalue()


@dataclass
class Service:
    """A running scripted service with an official client and a plain one."""

    url: str
    openai: AsyncOpenAI
    http: httpx.AsyncClient

    async def timeline(self) -> list[dict[str, Any]]:
        requests: list[dict[str, Any]] = (await self.http.get("/timeline")).json()["requests"]
        return requests

    async def transcribe(self, **more: Any) -> str:
        answer = await self.openai.audio.transcriptions.create(model="m", file=("a.wav", wav()), **more)
        return answer.text

    async def say(self, text: str, **more: Any) -> list[str]:
        """The pieces of the streamed answer to one user message."""
        messages: list[Any] = [{"role": "user", "content": text}]
        stream = await self.openai.chat.completions.create(model="m", messages=messages, stream=True, **more)
        pieces = [chunk.choices[0].delta.content async for chunk in stream if chunk.choices]
        return [piece for piece in pieces if piece]

    async def speak(self, text: str, **more: Any) -> bytes:
        answer = await self.openai.audio.speech.create(
            model="m", voice="v", input=text, response_format="pcm", **more
        )
        return answer.content


@asynccontextmanager
async def scripted_service(script: Any = (), voices: Path = Path("none")) -> AsyncIterator[Service]:
    director = Director(read_script(list(script) if isinstance(script, tuple) else script), Recordings(voices))
    app = build_app(ScriptedBackend(director), Timeline(), ScriptedBackend(director.fallback))
    add_direction(app, director)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with AsyncExitStack() as stack:
        stack.push_async_callback(runner.cleanup)
        http = await stack.enter_async_context(httpx.AsyncClient(base_url=url, timeout=10))
        client = AsyncOpenAI(base_url=f"{url}/v1", api_key="local", max_retries=0, timeout=10)
        yield Service(url, await stack.enter_async_context(client), http)


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    """A scripted service with the default script, made quick."""
    quick = {"stt_ms": 5, "ttft_ms": 5, "token_ms": 1, "tts_first_byte_ms": 5, "tts_rate_x_realtime": 100}
    async with scripted_service({"latencies": quick}) as running_service:
        yield running_service


async def eventually(condition: Any, seconds: float = 5.0) -> Any:
    """The condition's first true result, asked again and again."""
    async with asyncio.timeout(seconds):
        while not (result := await condition()):
            await asyncio.sleep(0.01)
    return result


@dataclass(frozen=True)
class LocalService:
    """The running local service, its client, and the recorded voices."""

    url: str
    openai: OpenAI
    voices_dir: Path
    voices: list[dict[str, Any]]


@pytest.fixture(scope="session")
def local_service() -> Iterator[LocalService]:
    """The service with its real models; they are fetched first if they are not there."""
    state_dir = fetched_state_dir()
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"

    def ready() -> bool:
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    with running("local_stack.speech", "--port", port, "--state-dir", state_dir):
        until(ready, 60)
        index = json.loads((state_dir / "voices" / "index.json").read_text(encoding="utf-8"))
        with OpenAI(base_url=f"{url}/v1", api_key="local", max_retries=0, timeout=60) as client:
            yield LocalService(url, client, state_dir / "voices", index)
