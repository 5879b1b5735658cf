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

from shared.adapters.openai.account import OpenAIAccount
from shared.adapters.openai.wire import OpenAIWire
from shared.adapters.sarvam.wire import KEY_HEADER
from shared.domain.errors import LanguageModelError
from shared.ports.language_model import LanguageModel, Message, Usage, Wish
from tests.contracts.language_models import MESSAGES, REPLY, TOKENS, Adapter, ask, items_of
from tests.contracts.speech_service import Service, scripted_service, stub_service
from tests.fakes.clock import FakeClock
from tests.fakes.models import Answer, FakeLanguageModel
from tests.services import free_port


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    async with scripted_service([{"heard": "Where is my order?", "reply": REPLY}]) as service:
        yield service


@pytest.fixture(params=["langchain", "openai", "sarvam"])
def adapter(request: pytest.FixtureRequest) -> Adapter:
    return Adapter(request.param)


@pytest.fixture(params=["langchain", "openai", "sarvam", "fake"])
def model(request: pytest.FixtureRequest) -> LanguageModel:
    if request.param == "fake":
        cost = Usage("fake", "m", 7, 11)
        return FakeLanguageModel(FakeClock(), Answer([*TOKENS, cost]), Answer([*TOKENS, cost]))
    return Adapter(request.param).of(request.getfixturevalue("service"))


async def refused(model: LanguageModel, code: str, *, retryable: bool = True) -> list[str]:
    """What came before the error."""
    found: list[str] = []
    with pytest.raises(LanguageModelError) as error:
        async with aclosing(model.answer(MESSAGES, call_id="call-1")) as tokens:
            async for token in tokens:
                assert isinstance(token, str)
                found.append(token)
    assert (error.value.code, error.value.retryable) == (code, retryable)
    return found


async def test_tokens_come_as_they_are(model: LanguageModel) -> None:
    assert await ask(model) == TOKENS
    assert "".join(await ask(model)) == REPLY


async def test_what_it_cost_comes_last(model: LanguageModel) -> None:
    items = await items_of(model)
    assert items[:-1] == TOKENS
    cost = items[-1]
    assert isinstance(cost, Usage)
    assert (cost.input_tokens, cost.output_tokens) == (7, 11)


async def test_a_fake_keeps_to_its_script() -> None:
    fake = FakeLanguageModel(FakeClock(), Answer(["No."], error=LanguageModelError("x", "y")), Answer([]))
    assert await refused(fake, "x", retryable=False) == ["No."]
    with pytest.raises(AssertionError, match="never asked"):
        fake.assert_complete()
    assert await ask(fake) == []
    fake.assert_complete()
    with pytest.raises(AssertionError, match="again"):
        await ask(fake)


async def test_closing_early_cancels_the_answer(adapter: Adapter, service: Service) -> None:
    async with scripted_service([{"heard": "Where is my order?", "reply": REPLY}], token_ms=200) as slow:
        async with aclosing(adapter.of(slow).answer(MESSAGES, call_id="c")) as tokens:
            assert await anext(tokens) == "Let"
        async with asyncio.timeout(3):
            while not any(entry.get("aborted_ms") for entry in await slow.timeline()):
                await asyncio.sleep(0.02)


async def test_cancelling_the_task_cancels_the_answer(adapter: Adapter, service: Service) -> None:
    async with scripted_service([{"heard": "Where is my order?", "reply": REPLY}], ttft_ms=5_000) as slow:
        task = asyncio.create_task(ask(adapter.of(slow)))
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


async def test_what_is_sent(adapter: Adapter) -> None:
    asked: dict[str, Any] = {}

    async def provider(request: web.Request) -> web.Response:
        asked.update(await request.json(), path=request.path, call=request.headers["x-call-id"])
        asked["key"] = request.headers.get(KEY_HEADER) or request.headers["Authorization"].removeprefix("Bearer ")
        chunk = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
        choice = {"index": 0, "delta": {"role": "assistant", "content": "Yes."}, "finish_reason": "stop"}
        body = f"data: {json.dumps({**chunk, 'choices': [choice]})}\n\ndata: [DONE]\n\n"
        return web.Response(text=body, content_type="text/event-stream")

    messages = [*MESSAGES, Message("assistant", "Here."), Message("user", "Where?")]
    async with stub_service(provider) as service:
        assert await ask(adapter.of(service), messages) == ["Yes."]
    prefix, model = ("/sarvam", "sarvam-105b") if adapter.kind == "sarvam" else ("", "scripted")
    assert (asked["path"], asked["call"], asked["model"]) == (f"{prefix}/v1/chat/completions", "call-1", model)
    assert asked["key"] == "local"
    assert asked["messages"] == [{"role": message.role, "content": message.text} for message in messages]
    assert asked["stream"] is True
    assert asked.get("max_tokens", asked.get("max_completion_tokens")) == 300


@pytest.mark.parametrize(("wished", "allowed"), [(4_000, 4_000), (100, 300)])
async def test_what_nobody_hears_may_be_longer(adapter: Adapter, wished: int, allowed: int) -> None:
    asked: dict[str, Any] = {}

    async def provider(request: web.Request) -> web.Response:
        asked.update(await request.json())
        return web.Response(status=400, text='{"error": {"message": "no"}}', content_type="application/json")

    async with stub_service(provider) as service:
        with pytest.raises(LanguageModelError):
            await items_of(adapter.of(service), wish=Wish(longest_tokens=wished))
    assert asked.get("max_tokens", asked.get("max_completion_tokens")) == allowed


async def test_who_does_not_listen_waits_longer(adapter: Adapter) -> None:
    dialogue = [{"heard": "Where is my order?", "reply": REPLY}]
    async with scripted_service(dialogue, ttft_ms=600, token_ms=150) as service:
        model = adapter.of(service, first_token_s=0.2, next_token_s=0.05)
        items = await items_of(model, wish=Wish(patience_s=5))
    assert [item for item in items if isinstance(item, str)] == TOKENS


async def test_the_first_token_comes_long_before_the_last(adapter: Adapter) -> None:
    async with scripted_service([{"heard": "Where is my order?", "reply": REPLY}], token_ms=40) as service:
        model = adapter.of(service)
        await ask(model)
        began, first = time.monotonic(), 0.0
        async with aclosing(model.answer(MESSAGES, call_id="c")) as tokens:
            async for _ in tokens:
                first = first or time.monotonic() - began
        assert first < (time.monotonic() - began) / 2


@pytest.mark.parametrize("kind", ["http_500", "http_429"])
async def test_one_hiccup_is_not_noticed(adapter: Adapter, service: Service, kind: str) -> None:
    await service.order(step="llm", kind=kind)
    assert await ask(adapter.of(service)) == TOKENS


@pytest.mark.parametrize("kind", ["http_500", "http_429"])
async def test_a_provider_that_keeps_failing(adapter: Adapter, service: Service, kind: str) -> None:
    await service.order(step="llm", kind=kind, count=9)
    assert await refused(adapter.of(service), adapter.code("llm_refused")) == []


@pytest.mark.parametrize("status", [400, 401, 404])
async def test_a_provider_that_refuses_for_good(adapter: Adapter, status: int) -> None:
    async def provider(request: web.Request) -> web.Response:
        return web.json_response({"error": {"message": "no"}}, status=status)

    async with stub_service(provider) as service:
        await refused(adapter.of(service), adapter.code("llm_refused"), retryable=False)


async def test_an_empty_answer_is_no_token(adapter: Adapter, service: Service) -> None:
    await service.order(step="llm", kind="empty")
    assert await ask(adapter.of(service)) == []


@pytest.mark.parametrize("at", [1, 4])
async def test_a_provider_that_breaks_off(adapter: Adapter, service: Service, at: int) -> None:
    await service.order(step="llm", kind="cut", at=at, count=9)
    found = await refused(adapter.of(service), adapter.code("llm_unavailable"))
    assert found == TOKENS[: len(found)]
    assert len(found) <= at


@pytest.mark.parametrize(
    ("at", "deadlines"), [(0, {"first_token_s": 0.3}), (3, {"first_token_s": 5.0, "next_token_s": 0.3})]
)
async def test_a_provider_that_stalls_costs_the_deadline_and_no_more(
    adapter: Adapter, service: Service, at: int, deadlines: dict[str, float]
) -> None:
    model = adapter.of(service, **deadlines)
    await service.order(step="llm", kind="stall", at=at, count=9)
    began = time.monotonic()
    assert await refused(model, adapter.code("llm_stalled")) == TOKENS[:at]
    assert time.monotonic() - began < 2.0


async def test_a_slow_listener_is_not_the_providers_fault(adapter: Adapter, service: Service) -> None:
    model = adapter.of(service, first_token_s=2.0, next_token_s=0.3)
    async with aclosing(model.answer(MESSAGES, call_id="c")) as tokens:
        await anext(tokens)
        await asyncio.sleep(0.6)
        assert [token async for token in tokens if isinstance(token, str)] == TOKENS[1:]


async def test_a_provider_that_is_not_there(adapter: Adapter) -> None:
    model = adapter.at(f"http://127.0.0.1:{free_port()}/v1")
    assert await refused(model, adapter.code("llm_unavailable")) == []


# What only our own client does


async def answer_of(body: str, status: int = 200) -> list[str] | str:
    async def provider(request: web.Request) -> web.Response:
        return web.Response(text=body, status=status, content_type="text/event-stream")

    async with stub_service(provider) as service:
        try:
            return await ask(Adapter("openai").of(service))
        except LanguageModelError as error:
            return error.code


def event(text: str | None, reason: str | None = None, end: str = "\n\n") -> str:
    return f"data: {json.dumps({'choices': [{'delta': {'content': text}, 'finish_reason': reason}]})}{end}"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (event("Yes.") + event(None, "stop") + "data: [DONE]\n\n", ["Yes."]),
        (event("Yes.", "length", "\r\n\r\n") + "data:[DONE]\r\n\r\n", ["Yes."]),
        (": a comment\n\nevent: x\n" + event("नमस्ते", "stop"), ["नमस्ते"]),
        ('data: {"choices": [], "usage": {}}\n\n' + event("Yes.", "stop"), ["Yes."]),
        (event("", "stop"), []),
        (event("Yes."), "openai_unavailable"),
        ("", "openai_unavailable"),
        ("data: {nonsense\n\n", "openai_failed"),
        ("data: []\n\n", "openai_failed"),
        (event("Yes.") + 'data: {"error": {"message": "overloaded"}}\n\n', "openai_failed"),
    ],
)
async def test_what_may_come(body: str, expected: list[str] | str) -> None:
    assert await answer_of(body) == expected


async def test_an_answer_that_is_torn_anywhere() -> None:
    body = (event("Größe") + event(" नमस्ते", "stop")).encode()

    async def provider(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for start in range(0, len(body), 7):
            await response.write(body[start : start + 7])
            await asyncio.sleep(0)
        return response

    async with stub_service(provider) as service:
        assert await ask(Adapter("openai").of(service)) == ["Größe", " नमस्ते"]


async def test_what_a_model_does_not_know_is_left_out() -> None:
    asked: list[set[str]] = []

    async def provider(request: web.Request) -> web.Response:
        body = await request.json()
        asked.append({"temperature", "seed", "stream_options"} & set(body))
        for name in sorted(asked[-1], reverse=True):
            error = {"message": "Unsupported value", "param": name, "code": "unsupported_value"}
            return web.json_response({"error": error}, status=400)
        return web.Response(text=event("Yes.", "stop"), content_type="text/event-stream")

    async with stub_service(provider) as service:
        model = Adapter("openai").of(service)
        assert await ask(model) == ["Yes."]
        assert await ask(model) == ["Yes."]
    assert asked == [
        {"temperature", "seed", "stream_options"},
        {"seed", "stream_options"},
        {"seed"},
        set(),
        set(),
    ]


async def test_azure_is_asked_at_the_deployment() -> None:
    wire = OpenAIWire(OpenAIAccount(azure_endpoint="https://house.example/", azure_api_version="v"))
    assert wire.url("/chat/completions", "chat") == (
        "https://house.example/openai/deployments/chat/chat/completions?api-version=v"
    )


async def test_half_a_character_goes_no_further(adapter: Adapter) -> None:
    """JSON can hold it; no pipe, no provider and no voice can."""

    async def halves(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for delta, reason in ((r"\u00e9\ud83d", "null"), (r"\ude00 d\u00e9j\u00e0", '"stop"')):
            choice = f'{{"index":0,"delta":{{"content":"{delta}"}},"finish_reason":{reason}}}'
            event = f'{{"id":"1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{choice}]}}'
            await response.write(f"data: {event}\n\n".encode())
        await response.write(b"data: [DONE]\n\n")
        return response

    async with stub_service(halves) as service:
        assert await ask(adapter.of(service)) == ["é?", "? déjà"]
