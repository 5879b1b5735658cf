"""What every language model does: tokens as they come, and how it fails."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest
from aiohttp import web

from shared.adapters.langchain.language_model import ChatModel, LangChainLanguageModel
from shared.domain.errors import LanguageModelError
from shared.ports.language_model import LanguageModel, Message
from tests.contracts.speech_service import Service, scripted_service, stub_service
from tests.fakes.clock import FakeClock
from tests.fakes.models import Answer, FakeLanguageModel
from tests.services import free_port

REPLY = "Let me look. It is on its way to you now."
TOKENS = ["Let", " me", " look.", " It", " is", " on", " its", " way", " to", " you", " now."]
MESSAGES = [Message("system", "You are Nora."), Message("user", "Where is my order?")]


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    async with scripted_service([{"heard": "Where is my order?", "reply": REPLY}]) as service:
        yield service


def adapter_of(service: Service, **deadlines: float) -> LangChainLanguageModel:
    return LangChainLanguageModel(ChatModel("scripted", base_url=f"{service.url}/v1", api_key="local"), **deadlines)


@pytest.fixture(params=["langchain", "fake"])
def model(request: pytest.FixtureRequest) -> LanguageModel:
    if request.param == "langchain":
        return adapter_of(request.getfixturevalue("service"))
    return FakeLanguageModel(FakeClock(), Answer(TOKENS), Answer(TOKENS))


async def ask(model: LanguageModel, messages: list[Message] | None = None) -> list[str]:
    async with aclosing(model.answer(messages or MESSAGES, call_id="call-1")) as tokens:
        return [token async for token in tokens]


async def refused(model: LanguageModel, code: str, *, retryable: bool = True) -> list[str]:
    """What came before the error."""
    found: list[str] = []
    with pytest.raises(LanguageModelError) as error:
        async with aclosing(model.answer(MESSAGES, call_id="call-1")) as tokens:
            async for token in tokens:
                found.append(token)
    assert (error.value.code, error.value.retryable) == (code, retryable)
    return found


async def test_tokens_come_as_they_are(model: LanguageModel) -> None:
    assert await ask(model) == TOKENS
    assert "".join(await ask(model)) == REPLY


async def test_a_fake_keeps_to_its_script() -> None:
    fake = FakeLanguageModel(FakeClock(), Answer(["No."], error=LanguageModelError("x", "y")), Answer([]))
    assert await refused(fake, "x", retryable=False) == ["No."]
    with pytest.raises(AssertionError, match="never asked"):
        fake.assert_complete()
    assert await ask(fake) == []
    fake.assert_complete()
    with pytest.raises(AssertionError, match="again"):
        await ask(fake)


async def test_closing_early_cancels_the_answer(service: Service) -> None:
    async with scripted_service([{"heard": "Where is my order?", "reply": REPLY}], token_ms=200) as slow:
        async with aclosing(adapter_of(slow).answer(MESSAGES, call_id="c")) as tokens:
            assert await anext(tokens) == "Let"
        async with asyncio.timeout(3):
            while not any(entry.get("aborted_ms") for entry in await slow.timeline()):
                await asyncio.sleep(0.02)


async def test_cancelling_the_task_cancels_the_answer(service: Service) -> None:
    async with scripted_service([{"heard": "Where is my order?", "reply": REPLY}], ttft_ms=5_000) as slow:
        task = asyncio.create_task(ask(adapter_of(slow)))
        async with asyncio.timeout(5):
            while not await slow.timeline():
                await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with asyncio.timeout(3):
            while not any(entry.get("aborted_ms") for entry in await slow.timeline()):
                await asyncio.sleep(0.02)


# OpenAI's protocol


async def test_what_is_sent() -> None:
    asked: dict[str, Any] = {}

    async def provider(request: web.Request) -> web.Response:
        asked.update(await request.json(), path=request.path, call=request.headers["x-call-id"])
        chunk = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
        choice = {"index": 0, "delta": {"role": "assistant", "content": "Yes."}, "finish_reason": "stop"}
        body = f"data: {json.dumps({**chunk, 'choices': [choice]})}\n\ndata: [DONE]\n\n"
        return web.Response(text=body, content_type="text/event-stream")

    messages = [*MESSAGES, Message("assistant", "Here."), Message("user", "Where?")]
    async with stub_service(provider) as service:
        assert await ask(adapter_of(service), messages) == ["Yes."]
    assert (asked["path"], asked["call"], asked["model"]) == ("/v1/chat/completions", "call-1", "scripted")
    assert asked["messages"] == [{"role": message.role, "content": message.text} for message in messages]
    assert asked["stream"] is True
    assert asked.get("max_tokens", asked.get("max_completion_tokens")) == 300


async def test_the_first_token_comes_long_before_the_last() -> None:
    async with scripted_service([{"heard": "Where is my order?", "reply": REPLY}], token_ms=40) as service:
        model = adapter_of(service)
        await ask(model)
        began, first = time.monotonic(), 0.0
        async with aclosing(model.answer(MESSAGES, call_id="c")) as tokens:
            async for _ in tokens:
                first = first or time.monotonic() - began
        assert first < (time.monotonic() - began) / 2


@pytest.mark.parametrize("kind", ["http_500", "http_429"])
async def test_one_hiccup_is_not_noticed(service: Service, kind: str) -> None:
    await service.order(step="llm", kind=kind)
    assert await ask(adapter_of(service)) == TOKENS


@pytest.mark.parametrize("kind", ["http_500", "http_429"])
async def test_a_provider_that_keeps_failing(service: Service, kind: str) -> None:
    await service.order(step="llm", kind=kind, count=9)
    assert await refused(adapter_of(service), "llm_refused") == []


@pytest.mark.parametrize("status", [400, 401, 404])
async def test_a_provider_that_refuses_for_good(status: int) -> None:
    async def provider(request: web.Request) -> web.Response:
        return web.json_response({"error": {"message": "no"}}, status=status)

    async with stub_service(provider) as service:
        await refused(adapter_of(service), "llm_refused", retryable=False)


async def test_an_empty_answer_is_no_token(service: Service) -> None:
    await service.order(step="llm", kind="empty")
    assert await ask(adapter_of(service)) == []


@pytest.mark.parametrize("at", [1, 4])
async def test_a_provider_that_breaks_off(service: Service, at: int) -> None:
    await service.order(step="llm", kind="cut", at=at, count=9)
    found = await refused(adapter_of(service), "llm_unavailable")
    assert found == TOKENS[: len(found)]
    assert len(found) <= at


@pytest.mark.parametrize(
    ("at", "deadlines"), [(0, {"first_token_s": 0.3}), (3, {"first_token_s": 5.0, "next_token_s": 0.3})]
)
async def test_a_provider_that_stalls_costs_the_deadline_and_no_more(
    service: Service, at: int, deadlines: dict[str, float]
) -> None:
    model = adapter_of(service, **deadlines)
    model.warm_up()
    await service.order(step="llm", kind="stall", at=at, count=9)
    began = time.monotonic()
    assert await refused(model, "llm_stalled") == TOKENS[:at]
    assert time.monotonic() - began < 2.0


async def test_a_slow_listener_is_not_the_providers_fault(service: Service) -> None:
    model = adapter_of(service, first_token_s=2.0, next_token_s=0.3)
    async with aclosing(model.answer(MESSAGES, call_id="c")) as tokens:
        await anext(tokens)
        await asyncio.sleep(0.6)
        assert [token async for token in tokens] == TOKENS[1:]


async def test_a_provider_that_is_not_there() -> None:
    model = LangChainLanguageModel(ChatModel("m", base_url=f"http://127.0.0.1:{free_port()}/v1", api_key="local"))
    assert await refused(model, "llm_unavailable") == []
