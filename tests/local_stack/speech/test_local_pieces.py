"""The parts of the local models that need no model."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from local_stack.speech.backend import Asking, Tool, ToolCall
from local_stack.speech.local.chat import read_tool_call
from local_stack.speech.local.hibari_voice import split_text
from local_stack.speech.local.moonshine import (
    RATE_HZ,
    SEGMENT_SECONDS,
    decode_tokens,
    read_vocabulary,
    split_segments,
)
from local_stack.speech.local.prompts import grammar_of, render_messages
from local_stack.speech.local.tool_choice import Choice

ORDER = Tool("get_order", "Look up an order", {"type": "object", "properties": {"id": {"type": "string"}}})


def test_vocabulary_with_short_and_long_pieces() -> None:
    long_piece = b"x" * 200
    content = (
        b"\x03<s>" + b"\x05\xe2\x96\x81hi" + b"\x06<0xC3>" + b"\x06<0xA9>" + bytes([128 + 200 % 128, 1]) + long_piece
    )
    vocabulary = read_vocabulary(content)
    assert vocabulary[-1] == long_piece
    assert decode_tokens([0, 1, 2, 3, 99], vocabulary) == "hié"


def test_long_recordings_are_cut_where_it_is_quiet() -> None:
    samples = np.ones(RATE_HZ * 45, np.float32)
    quiet_s = 17
    samples[quiet_s * RATE_HZ : quiet_s * RATE_HZ + RATE_HZ // 4] = 0
    pieces = split_segments(samples)
    assert sum(len(piece) for piece in pieces) == len(samples)
    assert all(len(piece) <= SEGMENT_SECONDS * RATE_HZ for piece in pieces)
    assert quiet_s <= len(pieces[0]) / RATE_HZ <= quiet_s + 0.25


def test_the_first_piece_of_speech_is_short() -> None:
    long = "Well, " + ", ".join(f"this is clause number {number}" for number in range(12)) + "."
    pieces = list(split_text([long, "Short one."]))
    assert "".join(pieces).replace(" ", "") == (long + "Short one.").replace(" ", "")
    assert len(pieces[0]) <= 90
    assert pieces[-1] == "Short one."


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('{"name": "a", "arguments": {"b": 1}}', ToolCall("a", '{"b": 1}')),
        ('{"name": "a"}', ToolCall("a", "{}")),
        ('{"name": "a", "argum', None),
        ('["a"]', None),
        ("Hello.", None),
    ],
)
def test_tool_calls_are_read_from_text(text: str, wanted: ToolCall | None) -> None:
    assert read_tool_call(text) == wanted


def test_tools_stand_in_the_first_message_and_results_are_answers() -> None:
    call = {"id": "1", "type": "function", "function": {"name": "get_order", "arguments": '{"id": "7"}'}}
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": [{"type": "text", "text": "Order "}, {"type": "text", "text": "seven?"}]},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "1", "content": "shipped"},
    ]
    rendered = render_messages(Asking(messages, tools=(ORDER,)))
    assert [message["role"] for message in rendered] == ["system", "user", "assistant", "user"]
    assert rendered[0]["content"].startswith("Be kind.\n\n# Tools")
    assert '"get_order"' in rendered[0]["content"]
    assert rendered[1]["content"] == "Order seven?"
    assert json.loads(rendered[2]["content"]) == {"name": "get_order", "arguments": {"id": "7"}}
    assert rendered[3]["content"].startswith("<tool_response>\nshipped\n</tool_response>")


def test_a_conversation_keeps_its_prefix() -> None:
    messages: list[dict[str, Any]] = [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}]
    longer = [*messages, {"role": "assistant", "content": "a"}, {"role": "user", "content": "v"}]
    first, second = (render_messages(Asking(part, tools=(ORDER,))) for part in (messages, longer))
    assert second[: len(first)] == first


def test_grammar_follows_the_choice() -> None:
    asking = Asking([{"role": "user", "content": "x"}], tools=(ORDER,))
    assert grammar_of(Asking(asking.messages), Choice((), text=True)) is None
    assert "start: text\n" in (grammar_of(asking, Choice((), text=True)) or "")
    assert "start: text | call\n" in (grammar_of(asking, Choice((ORDER,), text=True)) or "")
    assert "start: call\n" in (grammar_of(asking, Choice((ORDER,), text=False)) or "")
    schema = grammar_of(Asking(asking.messages, json_schema={"type": "object"}), Choice((), text=True))
    assert schema == '%llguidance {}\nstart: %json {"type": "object"}\n'
