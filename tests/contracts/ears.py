"""Every adapter of the port `SpeechToText`, each before a scripted service of its own on a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from shared.adapters.openai.account import OpenAIAccount
from shared.adapters.openai.realtime_transcription import OpenAIRealtimeTranscription
from shared.adapters.openai.speech_to_text import OpenAISpeechToText
from shared.adapters.openai.wire import OpenAIWire
from shared.adapters.sarvam.speech_to_text import SarvamSpeechToText
from shared.adapters.sarvam.wire import SarvamAccount
from shared.ports.speech_to_text import SpeechToText, Transcription
from tests.contracts.speech_service import Service, scripted_service
from tests.fakes.call import voice

PROVIDERS = ("requests", "realtime", "sarvam")
STREAMING = ("realtime", "sarvam")

AnyEar = OpenAISpeechToText | OpenAIRealtimeTranscription | SarvamSpeechToText


@dataclass
class Ear:
    """An adapter and the service it asks."""

    speech_to_text: SpeechToText
    service: Service

    def open(self, call_id: str = "call-1", language: str = "en") -> Transcription:
        return self.speech_to_text.open(language=language, call_id=call_id)


def adapter(kind: str, url: str, **patience: float) -> AnyEar:
    """`patience`: deadline_s and, where there is a socket, patience_s, idle_s, rest_s."""
    if kind == "sarvam":
        return SarvamSpeechToText(SarvamAccount("local", f"{url}/sarvam"), **patience)
    wire = OpenAIWire(OpenAIAccount(base_url=f"{url}/v1", api_key="local"))
    deadline = {name: value for name, value in patience.items() if name == "deadline_s"}
    requests = OpenAISpeechToText(wire, model="scripted", **deadline)
    return requests if kind == "requests" else OpenAIRealtimeTranscription(requests, model="scripted", **patience)


@asynccontextmanager
async def asking(kind: str, url: str, **patience: float) -> AsyncIterator[AnyEar]:
    """An adapter whose connections are closed in the end."""
    made = adapter(kind, url, **patience)
    try:
        yield made
    finally:
        await made.close()


@asynccontextmanager
async def ear(
    kind: str, *heard: str, patience: dict[str, float] | None = None, **latencies: float
) -> AsyncIterator[Ear]:
    """`heard`: what the service hears in the sound of each question, in turn."""
    dialogue: list[dict[str, Any]] = [{"heard": text, "reply": ""} for text in heard]
    async with (
        scripted_service(dialogue, **latencies) as service,
        asking(kind, service.url, **patience or {}) as made,
    ):
        yield Ear(made, service)


OpenEar = Callable[..., AbstractAsyncContextManager[Ear]]


async def feed(transcription: Transcription, duration_ms: int) -> None:
    """A voice, in frames as the carrier sends them, faster than they sound."""
    for _ in range(duration_ms // 20):
        transcription.feed(voice(20))
        await asyncio.sleep(0)


async def spoken(service: Service) -> list[dict[str, Any]]:
    """The questions that the service was asked, and how much sound each had."""
    return [entry for entry in await service.timeline() if entry["kind"] == "stt"]
