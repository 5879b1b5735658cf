"""Reads a chat completion request into `Asking`, and refuses what cannot be honoured."""

from __future__ import annotations

from typing import Any

from local_stack.speech.backend import Asking, Tool
from local_stack.speech.errors import ApiError
from local_stack.speech.routes.requests import number_field

_ROLES = ("system", "developer", "user", "assistant", "tool")
_SAMPLING = {
    "temperature": (0, 2),
    "top_p": (0, 1),
    "frequency_penalty": (-2, 2),
    "presence_penalty": (-2, 2),
}


def read_asking(body: dict[str, Any]) -> Asking:
    """The request as a value. Raises ApiError 400."""
    if number_field(body, "n", 1, 128) not in (None, 1.0):
        raise ApiError(400, "n must be 1", param="n")
    limit = number_field(body, "max_completion_tokens", 1, 1e6) or number_field(body, "max_tokens", 1, 1e6)
    tools = _read_tools(body.get("tools"))
    return Asking(
        messages=_read_messages(body.get("messages")),
        tools=tools,
        tool_choice=_read_tool_choice(body.get("tool_choice"), tools),
        json_schema=_read_schema(body.get("response_format")),
        max_tokens=None if limit is None else int(limit),
        sampling=_read_sampling(body),
        call_key=str(body.get("user") or ""),
    )


def _read_messages(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not value:
        raise ApiError(400, "messages must be a list that is not empty", param="messages")
    for index, message in enumerate(value):
        if not isinstance(message, dict) or message.get("role") not in _ROLES:
            raise ApiError(400, f"messages[{index}].role must be one of {', '.join(_ROLES)}", param="messages")
    return value


def message_text(message: dict[str, Any]) -> str:
    """The text of a message, whose content is a string, a list of parts, or null."""
    content = message.get("content")
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def _read_tools(value: Any) -> tuple[Tool, ...]:
    if value is None:
        return ()
    try:
        return tuple(_read_tool(tool["function"]) for tool in value)
    except (KeyError, TypeError, AttributeError) as error:
        raise ApiError(400, "tools must be a list of {type: function, function: {name, …}}", param="tools") from error


def _read_tool(function: dict[str, Any]) -> Tool:
    parameters = function.get("parameters") or {"type": "object", "properties": {}}
    return Tool(str(function["name"]), str(function.get("description") or ""), dict(parameters))


def _read_tool_choice(value: Any, tools: tuple[Tool, ...]) -> str:
    if value is None:
        return "auto"
    if isinstance(value, dict):
        value = (value.get("function") or {}).get("name")
    elif value in ("auto", "none", "required"):
        return str(value)
    if value not in [tool.name for tool in tools]:
        raise ApiError(400, "tool_choice names no tool of this request", param="tool_choice")
    return str(value)


def _read_schema(value: Any) -> dict[str, Any] | None:
    if value is None or value == {"type": "text"}:
        return None
    if value == {"type": "json_object"}:
        return {"type": "object"}
    try:
        schema = value["json_schema"]["schema"]
    except (KeyError, TypeError) as error:
        raise ApiError(
            400, "response_format must be text, json_object or json_schema", param="response_format"
        ) from error
    if not isinstance(schema, dict):
        raise ApiError(400, "response_format.json_schema.schema must be an object", param="response_format")
    return schema


def _read_sampling(body: dict[str, Any]) -> dict[str, Any]:
    sampling: dict[str, Any] = {}
    for name, (low, high) in _SAMPLING.items():
        value = number_field(body, name, low, high)
        if value is not None:
            sampling[name] = value
    if (seed := number_field(body, "seed", -(2**63), 2**63)) is not None:
        sampling["seed"] = int(seed) & 0x7FFFFFFF
    stop = body.get("stop")
    if stop is not None:
        stops = [stop] if isinstance(stop, str) else stop
        if not isinstance(stops, list) or len(stops) > 4 or not all(isinstance(item, str) for item in stops):
            raise ApiError(400, "stop must be a string or up to four strings", param="stop")
        sampling["stop"] = stops
    return sampling
