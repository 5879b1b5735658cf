"""Whatever goes wrong with one provider, the caller gets words, an answer and a voice from the other one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import numpy as np
import pytest

from shared.adapters.langchain.language_model import ChatModel, LangChainLanguageModel
from shared.adapters.openai.speech_to_text import OpenAISpeechToText
from shared.adapters.openai.text_to_speech import OpenAITextToSpeech
from shared.domain.audio import BYTES_PER_MS, duration_ms, samples_of
from shared.domain.errors import VoiceAgentError
from shared.ports.language_model import Message, Wish
from shared.use_cases.providers.failover_language_model import FailoverLanguageModel
from shared.use_cases.providers.failover_speech_to_text import FailoverSpeechToText
from shared.use_cases.providers.failover_text_to_speech import FailoverTextToSpeech
from shared.use_cases.providers.provider_health import ProviderHealth
from tests.contracts.speech_service import Service, scripted_service
from tests.fakes.circuit_breakers import FakeCircuitBreakers

HEARD, REPLY = "Where is my order?", "Let me look. It is on its way to you now."
MESSAGES = [Message("system", "You are Nora."), Message("user", HEARD)]
SPEECH = np.full(600 * BYTES_PER_MS // 2, 3_000, dtype="<i2").tobytes()
LATE_AFTER_MS = 300
DEADLINE_S = 2.5


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    dialogue = [{"heard": HEARD, "reply": REPLY}] * 8
    async with scripted_service(dialogue, tts_rate_x_realtime=10) as service:
        yield service


class Pair:
    """All three steps over the service's two providers."""

    def __init__(self, service: Service) -> None:
        self.breakers = FakeCircuitBreakers()
        health, first, second = ProviderHealth(self.breakers), service, service.fallback
        self._steps = {
            "stt": FailoverSpeechToText(
                {
                    side: OpenAISpeechToText(one.wire(retries=0), model="m")
                    for side, one in (("a", first), ("b", second))
                },
                health,
            ),
            "llm": FailoverLanguageModel(
                {
                    side: LangChainLanguageModel(ChatModel("m", base_url=f"{one.url}/v1", api_key="local", retries=0))
                    for side, one in (("a", first), ("b", second))
                },
                health,
                stalled_after_s=0.3,
            ),
            "tts": FailoverTextToSpeech(
                {
                    side: OpenAITextToSpeech(one.wire(retries=0), model="m", default_voice="alloy")
                    for side, one in (("a", first), ("b", second))
                },
                health,
                stalled_after_s=0.3,
            ),
        }

    async def run(self, step: str) -> str | bytes:
        """What the caller gets."""
        one: Any = self._steps[step]
        how = {"call_id": "c", "late_after_ms": LATE_AFTER_MS}
        if step == "stt":
            hearing = one.open(language="en", **how)
            for start in range(0, len(SPEECH), 640):
                hearing.feed(SPEECH[start : start + 640])
            text: str = await hearing.words()
            await hearing.close()
            return text
        if step == "llm":
            wish = Wish(late_after_ms=LATE_AFTER_MS)
            async with aclosing(one.answer(MESSAGES, call_id="c", wish=wish)) as tokens:
                return "".join([token async for token in tokens if isinstance(token, str)])
        async with aclosing(one.synthesize(REPLY, voice="default", **how)) as pieces:
            return b"".join([piece async for piece in pieces])


def assert_good(step: str, got: str | bytes) -> None:
    if step == "tts":
        assert isinstance(got, bytes)
        assert duration_ms(got) == pytest.approx(len(REPLY) * 45, abs=60)
        assert np.abs(samples_of(got).astype(int)).mean() > 1_000
    else:
        assert got == {"stt": HEARD, "llm": REPLY}[step]


async def asked(service: Service, step: str) -> list[str]:
    return [entry["provider"] for entry in await service.timeline() if entry["kind"] == step]


FAULTS = [
    (step, kind)
    for step in ("stt", "llm", "tts")
    for kind in ("stall", "empty", "http_500", "http_429", "cut", *(["silent"] if step == "tts" else []))
]


@pytest.mark.parametrize(("step", "kind"), FAULTS)
async def test_a_fault_of_the_first_is_not_noticed(service: Service, step: str, kind: str) -> None:
    pair = Pair(service)
    await pair.run(step)  # what is slow about a first time is not what is measured
    await service.order(step=step, kind=kind, count=9)
    began = time.monotonic()
    assert_good(step, await pair.run(step))
    assert time.monotonic() - began < DEADLINE_S
    assert "fallback" in await asked(service, step)


@pytest.mark.parametrize("step", ["stt", "llm", "tts"])
async def test_the_second_is_not_asked_without_need(service: Service, step: str) -> None:
    pair = Pair(service)
    await service.order(step=step, kind="http_500", count=9, provider="fallback")
    assert_good(step, await pair.run(step))
    assert await asked(service, step) == ["primary"]


@pytest.mark.parametrize(("step", "kind"), [("llm", "stall"), ("llm", "cut"), ("tts", "stall"), ("tts", "cut")])
@pytest.mark.parametrize("at", [1, 3])
async def test_who_breaks_off_is_finished_by_the_other(service: Service, step: str, kind: str, at: int) -> None:
    pair = Pair(service)
    await service.order(step=step, kind=kind, at=at, count=9)
    assert_good(step, await pair.run(step))
    assert set(await asked(service, step)) == {"primary", "fallback"}


@pytest.mark.parametrize(("step", "kind"), [fault for fault in FAULTS if fault[1] != "stall"])
async def test_both_fail(service: Service, step: str, kind: str) -> None:
    pair = Pair(service)
    for provider in ("primary", "fallback"):
        await service.order(step=step, kind=kind, count=9, provider=provider)
    if (step, kind) == ("stt", "empty"):
        assert await pair.run(step) == ""
        return
    with pytest.raises(VoiceAgentError) as error:
        await pair.run(step)
    assert error.value.code == "providers_failed"
    await asyncio.sleep(0)
    assert sorted(pair.breakers.noted) == [("a", False), ("b", False)]


@pytest.mark.parametrize("step", ["stt", "llm", "tts"])
async def test_the_loser_of_a_race_is_let_go(service: Service, step: str) -> None:
    pair = Pair(service)
    await pair.run(step)
    await service.order(step=step, kind="stall")
    assert_good(step, await pair.run(step))
    async with asyncio.timeout(3):
        while not any(entry["aborted_ms"] for entry in await service.timeline() if entry["provider"] == "primary"):
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("step", ["stt", "llm", "tts"])
async def test_a_provider_that_keeps_failing_is_not_asked_for_a_while(service: Service, step: str) -> None:
    pair = Pair(service)
    await service.order(step=step, kind="http_500", count=99)
    for _ in range(4):
        assert_good(step, await pair.run(step))
    before = (await asked(service, step)).count("primary")
    assert_good(step, await pair.run(step))
    assert (await asked(service, step)).count("primary") == before
