"""The Functions host dies in the middle of a reply and comes back: the same call goes on."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.audio import cut, stream_started_ms
from tests.end_to_end.stack import CALM, Stack
from tests.end_to_end.words import word_error_rate

pytestmark = [pytest.mark.slow, pytest.mark.end_to_end]

KILLED_AFTER_S = 0.7
"""Into the first reply."""
MAX_WORD_ERROR_RATE = 0.35
VOICE_VARIES = 0.06
"""The same words take a little more or less time, as they are cut into sentences."""
MAX_REPLY_WORD_ERROR_RATE = 0.5
"""Of a synthetic voice over a telephone line, as a small model hears it."""


async def _heard_on_the_line(stack: Stack, result: dict[str, Any], turn: dict[str, Any]) -> str:
    started_ms = stream_started_ms(result)
    part = cut(
        Path(result["files"]["agent_wav"]),
        turn["first_heard_ms"] - started_ms - 200,
        turn["last_heard_ms"] - started_ms + 200,
    )
    return await stack.transcribe(part)


async def _kill_and_start(stack: Stack) -> None:
    await asyncio.sleep(KILLED_AFTER_S)
    await asyncio.to_thread(stack.command, "kill", "app")
    await asyncio.to_thread(stack.command, "start", "app")


def _assert_pieces_were_played_in_order(events: list[dict[str, Any]]) -> None:
    """The carrier says which pieces of the reply it has played (not each bears a mark): none comes twice, and none
    was thrown away. How long the reply was heard tells whether one is missing.
    """
    echoed = [event for event in events if event["event"] == "mark_echoed" and event["mark"].startswith("1-")]
    numbers = [int(event["mark"].removeprefix("1-")) for event in echoed]
    assert numbers[0] == 1
    assert all(before < number for before, number in pairwise(numbers)), numbers
    assert not any(event["cleared"] for event in echoed)


async def test_a_call_survives_the_host(stack: Stack, operator: str) -> None:
    voices = [stack.voice("tt-weasels"), stack.voice("number-not-answering")]
    request = {
        "from": "+14155550120",
        "to": CALM,
        "utterances": [{"file": voice["file"], "text": voice["text"]} for voice in voices],
        "turns": 2,
        "quiet_ms": 8_000,  # a caller who is patient while the line is silent for the time of a restart
        "reply_timeout_ms": 60_000,
    }
    crash: asyncio.Task[None] | None = None
    heard = 0
    event: dict[str, Any] = {}
    events: list[dict[str, Any]] = []
    async for event in stack.place_call(**request):
        events.append(event)
        if event["event"] == "agent_started":
            heard += 1
            if heard == 2:  # the greeting was the first
                crash = asyncio.create_task(_kill_and_start(stack))
    assert crash is not None
    await crash
    result = event["result"]
    record = await stack.ended_call(result["call_sid"], operator)

    turns = {turn["number"]: turn for turn in record["turns"]}
    assert (record["state"], record["end_reason"]) == ("completed", "caller_hung_up")
    assert word_error_rate(voices[0]["text"], turns[1]["heard"]) <= MAX_WORD_ERROR_RATE
    assert word_error_rate(voices[1]["text"], turns[2]["heard"]) <= MAX_WORD_ERROR_RATE
    assert [turns[number]["outcome"] for number in (1, 2)] == ["completed", "completed"]

    broken = result["turns"][1]
    assert broken["underruns_ms"], "the reply was over before the host was killed"
    _assert_pieces_were_played_in_order(events)
    audible_ms = await stack.audible_ms(turns[1]["said"])
    assert abs(broken["heard_ms"] - audible_ms) <= 160 + audible_ms * VOICE_VARIES
    on_the_line = await _heard_on_the_line(stack, result, broken)
    assert word_error_rate(turns[1]["said"], on_the_line) <= MAX_REPLY_WORD_ERROR_RATE, (
        turns[1]["said"],
        on_the_line,
    )
    assert result["turns"][2]["heard_ms"] > 0
    assert "Traceback" not in stack.log_of("app")
