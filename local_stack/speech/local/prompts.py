"""Writes tools, tool results and JSON wishes into the messages in the form that Qwen was trained on."""

from __future__ import annotations

import json
from typing import Any

from local_stack.speech.backend import Asking, Tool
from local_stack.speech.local.tool_choice import Choice
from local_stack.speech.routes.chat_request import message_text

_TOOLS_HEAD = (
    "# Tools\n\nYou may call one or more functions to assist with the user query.\n\n"
    "You are provided with function signatures within <tools></tools> XML tags:\n<tools>\n"
)
_TOOLS_TAIL = (
    "\n</tools>\n\nFor each function call, return a json object with function name and arguments "
    "within <tool_call></tool_call> XML tags:\n<tool_call>\n"
    '{"name": <function-name>, "arguments": <args-json-object>}\n</tool_call>\n'
    "Use a function only when the user asks for what it does. "
    "Answer greetings, thanks and general questions in plain words."
)
_AFTER_TOOL = "Tell the caller this result in one short spoken sentence."


def render_messages(asking: Asking) -> list[dict[str, str]]:
    """Plain system, user and assistant messages; the same history always gives the same prefix."""
    additions = _additions(asking)
    rendered = [_render(message) for message in asking.messages]
    if not additions:
        return rendered
    if rendered[0]["role"] == "system":
        first = {"role": "system", "content": "\n\n".join([rendered[0]["content"], *additions])}
        return [first, *rendered[1:]]
    return [{"role": "system", "content": "\n\n".join(additions)}, *rendered]


def _additions(asking: Asking) -> list[str]:
    additions = []
    if asking.tools and asking.tool_choice != "none":
        lines = "\n".join(json.dumps(_signature(tool), ensure_ascii=False) for tool in asking.tools)
        additions.append(_TOOLS_HEAD + lines + _TOOLS_TAIL)
    if asking.json_schema is not None:
        additions.append("Reply with JSON of this schema: " + json.dumps(asking.json_schema, ensure_ascii=False))
    return additions


def _signature(tool: Tool) -> dict[str, Any]:
    return {"name": tool.name, "description": tool.description, "parameters": tool.parameters}


def _render(message: dict[str, Any]) -> dict[str, str]:
    role, text = message["role"], message_text(message)
    if role == "developer":
        return {"role": "system", "content": text}
    if role == "tool":
        return {"role": "user", "content": f"<tool_response>\n{text}\n</tool_response>\n{_AFTER_TOOL}"}
    calls = message.get("tool_calls") or []
    if role == "assistant" and calls:
        lines = [
            f'{{"name": {json.dumps(call["function"]["name"])}, "arguments": {call["function"]["arguments"]}}}'
            for call in calls
        ]
        return {"role": "assistant", "content": "\n".join([text, *lines] if text else lines)}
    return {"role": role, "content": text}


def grammar_of(asking: Asking, choice: Choice) -> str | None:
    """A grammar that admits only valid calls of the chosen tools, plain text, or JSON of the wanted schema.

    Without it the small model invents names and arguments.
    Source: https://github.com/guidance-ai/llguidance/blob/main/docs/syntax.md
    """
    if asking.json_schema is not None:
        return f"%llguidance {{}}\nstart: %json {json.dumps(asking.json_schema)}\n"
    if not asking.tools or asking.tool_choice == "none":
        return None
    rules = {}
    if choice.text:
        rules["text"] = r"/[^{<`*#\s][^{<`*#]*/"
    if choice.tools:
        rules["call"] = "%json " + json.dumps({"anyOf": [_call_schema(tool) for tool in choice.tools]})
    lines = [f"start: {' | '.join(rules)}", *(f"{name}: {rule}" for name, rule in rules.items())]
    return "\n".join(["%llguidance {}", *lines, ""])


def _call_schema(tool: Tool) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            "name": {"const": tool.name},
            "arguments": {"additionalProperties": False, **tool.parameters},
        },
        "required": ["name", "arguments"],
        "additionalProperties": False,
    }
