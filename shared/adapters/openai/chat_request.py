"""What is asked of `/chat/completions`. Source: https://platform.openai.com/docs/api-reference/chat/create"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from shared.ports.language_model import Message, ToolOffer, Wish

_LONGEST = ("max_completion_tokens", "max_tokens")
"""What services call the limit of an answer."""


def body_of(model: str, messages: Sequence[Message], wish: Wish, options: Mapping[str, Any]) -> bytes:
    """The request, streamed."""
    asked: dict[str, Any] = {"model": model, "messages": [_message(each) for each in messages], "stream": True}
    if wish.tools:
        asked["tools"] = [_tool(offer) for offer in wish.tools]
        if not wish.may_call:
            asked["tool_choice"] = "none"
    if wish.schema is not None:
        form = {"name": "answer", "schema": wish.schema, "strict": is_strict(wish.schema)}
        asked["response_format"] = {"type": "json_schema", "json_schema": form}
    allowed = {name: max(options[name], wish.longest_tokens) for name in _LONGEST if name in options}
    return json.dumps({**asked, **options, **allowed}).encode()


def is_strict(schema: Any) -> bool:
    """Whether the provider can hold a model to the schema: nothing in it is optional, and nothing may be added.

    Source: https://platform.openai.com/docs/guides/structured-outputs
    """
    if isinstance(schema, Mapping):
        properties = schema.get("properties")
        is_object = schema.get("type") == "object" or isinstance(properties, Mapping)
        is_closed = schema.get("additionalProperties") is False and set(schema.get("required", ())) == set(
            properties or ()
        )
        return (not is_object or is_closed) and all(is_strict(each) for each in schema.values())
    return not isinstance(schema, list | tuple) or all(is_strict(each) for each in schema)


def _message(message: Message) -> dict[str, Any]:
    if message.calls:
        calls = [
            {"id": call.call_key, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in message.calls
        ]
        return {"role": message.role, "content": message.text or None, "tool_calls": calls}
    if message.answers:
        return {"role": message.role, "tool_call_id": message.answers, "content": message.text}
    return {"role": message.role, "content": message.text}


def _tool(offer: ToolOffer) -> dict[str, Any]:
    function = {"name": offer.name, "description": offer.description, "parameters": offer.parameters}
    return {"type": "function", "function": function}
