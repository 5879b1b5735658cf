"""What every language model does besides talking: tools that it wants called, answers of a form, what is filtered."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aiohttp import web

from shared.adapters.openai.chat_request import is_strict
from shared.domain.errors import ContentRefused
from shared.ports.language_model import PLAIN, Message, ToolCall, ToolOffer, Usage, Wish
from tests.contracts.language_models import MESSAGES, REPLY, Adapter, items_of
from tests.contracts.speech_service import scripted_service, stub_service


@pytest.fixture(params=["langchain", "openai", "sarvam"])
def adapter(request: pytest.FixtureRequest) -> Adapter:
    return Adapter(request.param)


OFFER = ToolOffer("look_up", "Looks an order up.", {"type": "object", "properties": {"order": {"type": "integer"}}})
CALL = ToolCall("call_7", "look_up", '{"order": 7}')


def delta(content: dict[str, Any], reason: str | None = None, **more: Any) -> dict[str, Any]:
    chunk = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return {**chunk, "choices": [{"index": 0, "delta": content, "finish_reason": reason}], **more}


def called(arguments: str, index: int = 0, **begin: str) -> dict[str, Any]:
    """A piece of a call."""
    name = {"name": begin["name"]} if "name" in begin else {}
    key = {"id": begin["key"], "type": "function"} if "key" in begin else {}
    return delta({"tool_calls": [{"index": index, **key, "function": {**name, "arguments": arguments}}]})


async def streamed(
    adapter: Adapter, chunks: list[dict[str, Any]], wish: Wish = PLAIN, asked: dict[str, Any] | None = None
) -> list[str | ToolCall | Usage]:
    async def provider(request: web.Request) -> web.Response:
        if asked is not None:
            asked.update(await request.json())
        body = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"
        return web.Response(text=body, content_type="text/event-stream")

    async with stub_service(provider) as service:
        return await items_of(adapter.of(service), wish=wish)


async def test_tool_calls_come_whole_after_the_words(adapter: Adapter) -> None:
    chunks = [
        delta({"role": "assistant", "content": "One moment."}),
        called("", key="call_7", name="look_up"),
        called('{"or'),
        called("{}", 1, key="call_8", name="opening_hours"),
        called('der": 7}'),
        delta({}, "tool_calls"),
        {**delta({}), "choices": [], "usage": {"prompt_tokens": 30, "completion_tokens": 9, "total_tokens": 39}},
    ]
    asked: dict[str, Any] = {}
    items = await streamed(adapter, chunks, Wish(tools=(OFFER,)), asked)
    assert items[:-1] == ["One moment.", CALL, ToolCall("call_8", "opening_hours", "{}")]
    assert isinstance(items[-1], Usage)
    assert asked["tools"] == [
        {
            "type": "function",
            "function": {"name": OFFER.name, "description": OFFER.description, "parameters": OFFER.parameters},
        }
    ]
    assert "tool_choice" not in asked


async def test_a_tool_that_is_called_at_the_local_service(adapter: Adapter) -> None:
    exchange = {
        "heard": "Where is my order?",
        "reply": REPLY,
        "tool_call": {"name": "look_up", "arguments": {"order": 7}},
    }
    async with scripted_service([exchange]) as service:
        items = await items_of(adapter.of(service), wish=Wish(tools=(OFFER,)))
    (call,) = [item for item in items if isinstance(item, ToolCall)]
    assert (call.name, json.loads(call.arguments), bool(call.call_key)) == ("look_up", {"order": 7}, True)


async def test_what_a_tool_gave_is_sent_as_its_answer(adapter: Adapter) -> None:
    messages = [
        *MESSAGES,
        Message("assistant", "", calls=(CALL,)),
        Message("tool", '{"on": "way"}', answers="call_7"),
    ]
    asked: dict[str, Any] = {}

    async def provider(request: web.Request) -> web.Response:
        asked.update(await request.json())
        return web.Response(text=f"data: {json.dumps(delta({'content': 'Yes.'}, 'stop'))}\n\n")

    wish = Wish(tools=(OFFER,), may_call=False)
    async with stub_service(provider) as service:
        assert await items_of(adapter.of(service), messages, wish) == ["Yes."]
    wanted, given = asked["messages"][-2:]
    (call,) = wanted["tool_calls"]
    assert (wanted["role"], wanted["content"] or None, call["id"], call["type"]) == (
        "assistant",
        None,
        "call_7",
        "function",
    )
    assert (call["function"]["name"], json.loads(call["function"]["arguments"])) == ("look_up", {"order": 7})
    assert (given["role"], given["tool_call_id"], given["content"]) == ("tool", "call_7", '{"on": "way"}')
    assert asked["tool_choice"] == "none"


async def test_an_answer_of_a_form(adapter: Adapter) -> None:
    schema = {"type": "object", "properties": {"topic": {"type": "string"}}}
    asked: dict[str, Any] = {}
    text = '{"topic": "order"}'
    chunks = [delta({"role": "assistant", "content": text}), delta({}, "stop")]
    items = await streamed(adapter, chunks, Wish(schema=schema), asked)
    assert "".join(item for item in items if isinstance(item, str)) == text
    form = asked["response_format"]
    assert (form["type"], form["json_schema"]["schema"], form["json_schema"]["strict"]) == (
        "json_schema",
        schema,
        False,
    )


@pytest.mark.parametrize(
    ("schema", "strict"),
    [
        ({"type": "object", "properties": {"a": {}}, "required": ["a"], "additionalProperties": False}, True),
        ({"type": "object", "properties": {"a": {}}, "additionalProperties": False}, False),
        ({"type": "object", "properties": {}, "required": []}, False),
        ({"type": "array", "items": {"type": "object"}}, False),
        ({"type": "string"}, True),
    ],
)
def test_a_model_is_held_to_what_leaves_nothing_open(schema: dict[str, Any], strict: bool) -> None:
    assert is_strict(schema) is strict


@pytest.mark.parametrize("text", ["", "That is"])
async def test_an_answer_that_is_filtered(adapter: Adapter, text: str) -> None:
    chunks = [delta({"role": "assistant", "content": text}), delta({}, "content_filter")]
    with pytest.raises(ContentRefused):
        await streamed(adapter, chunks)


async def test_a_provider_that_counts_nothing(adapter: Adapter) -> None:
    assert await streamed(adapter, [delta({"content": "Yes."}, "stop")]) == ["Yes."]
