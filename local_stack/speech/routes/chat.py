"""`POST /v1/chat/completions`. Source: https://platform.openai.com/docs/api-reference/chat/create"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from local_stack.speech.backend import ChatEvent, Finished, TextDelta, ToolCall
from local_stack.speech.errors import ApiError
from local_stack.speech.routes.chat_request import message_text, read_asking
from local_stack.speech.routes.requests import context_of, read_json, ready_backend, text_field, timed
from local_stack.speech.timeline import Entry


@dataclass(frozen=True, slots=True)
class _Envelope:
    """What every chunk of one completion repeats."""

    model: str
    completion_id: str = field(default_factory=lambda: f"chatcmpl-{secrets.token_hex(12)}")
    created: int = field(default_factory=lambda: int(time.time()))

    def wrap(self, kind: str, choices: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
        head = {"id": self.completion_id, "object": kind, "created": self.created, "model": self.model}
        return {**head, "choices": choices, **more}


async def complete(request: web.Request) -> web.StreamResponse:
    """One completion, whole or as server-sent events."""
    async with timed(request, "llm") as entry:
        backend = ready_backend(request)
        body = await read_json(request)
        asking = read_asking(body)
        entry.call_key = asking.call_key
        entry.details["messages"] = len(asking.messages)
        entry.details["tools"] = len(asking.tools)
        first = next(iter(asking.messages), {})
        if first.get("role") == "system":
            entry.details["instructions"] = message_text(first)
        envelope = _Envelope(text_field(body, "model", request.match_info.get("deployment", backend.model_ids()[0])))
        entry.details["model"] = envelope.model
        events = backend.chat_model.reply(asking, context_of(request, entry))
        async with aclosing(events):
            if not body.get("stream"):
                return await _whole(events, envelope, entry)
            usage = bool((body.get("stream_options") or {}).get("include_usage"))
            return await _stream(request, events, envelope, entry, usage)


async def _whole(events: AsyncGenerator[ChatEvent, None], envelope: _Envelope, entry: Entry) -> web.Response:
    text, calls = "", list[dict[str, Any]]()
    finished = Finished("stop", 0, 0)
    async for event in events:
        match event:
            case TextDelta():
                text += event.text
            case ToolCall():
                calls.append(_call(event))
            case Finished():
                finished = event
    entry.mark_first_byte()
    message: dict[str, Any] = {
        "role": "assistant",
        "content": text if text or not calls else None,
        "refusal": None,
    }
    if calls:
        message["tool_calls"] = calls
    choice = {"index": 0, "message": message, "finish_reason": finished.reason, "logprobs": None}
    return web.json_response(envelope.wrap("chat.completion", [choice], usage=_usage(finished)))


async def _stream(
    request: web.Request,
    events: AsyncGenerator[ChatEvent, None],
    envelope: _Envelope,
    entry: Entry,
    with_usage: bool,
) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"})
    usage_field: dict[str, Any] = {"usage": None} if with_usage else {}

    async def send(delta: dict[str, Any], reason: str | None = None) -> None:
        choice = {"index": 0, "delta": delta, "finish_reason": reason, "logprobs": None}
        await response.write(_sse(envelope.wrap("chat.completion.chunk", [choice], **usage_field)))

    calls = 0
    async for event in events:
        if not response.prepared:  # an error before the first token still has its own status
            await response.prepare(request)
            await send({"role": "assistant", "content": "" if isinstance(event, TextDelta) else None})
        match event:
            case TextDelta():
                await send({"content": event.text})
                entry.mark_first_byte()
            case ToolCall():
                await send({"tool_calls": [{"index": calls, **_call(event)}]})
                entry.mark_first_byte()
                calls += 1
            case Finished():
                await send({}, event.reason)
                entry.details["tokens"] = event.completion_tokens
                if with_usage:
                    await response.write(_sse(envelope.wrap("chat.completion.chunk", [], usage=_usage(event))))
    if not response.prepared:
        raise ApiError(500, "the model gave no answer")
    await response.write(b"data: [DONE]\n\n")
    await response.write_eof()
    return response


def _call(call: ToolCall) -> dict[str, Any]:
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": f"call_{secrets.token_hex(12)}", "type": "function", "function": function}


def _usage(finished: Finished) -> dict[str, Any]:
    return {
        "prompt_tokens": finished.prompt_tokens,
        "completion_tokens": finished.completion_tokens,
        "total_tokens": finished.prompt_tokens + finished.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": finished.cached_tokens},
    }


def _sse(content: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(content, ensure_ascii=False)}\n\n".encode()
