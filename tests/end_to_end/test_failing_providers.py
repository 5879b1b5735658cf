"""Services of speech and language that stall, break down or give nothing: the caller is answered all the same."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from shared.domain.conversation import APOLOGY
from tests.end_to_end.scripted_service import Request, ScriptedService
from tests.end_to_end.stack import Stack

pytestmark = [pytest.mark.slow, pytest.mark.end_to_end]

CAREFUL = "+15550100008"
FILLERS = {"One moment, please.", "Let me look that up."}
FILLER_AFTER_MS, REPLY_LIMIT_MS = 600, 4000
PREPARED_WITHIN_S = 12
MS_PER_CHARACTER = 25
"""How long the voice takes for one: a quick voice, so that the tests are quick."""
HOP_MS = 1500
"""More than it takes from the service to the caller's ear, on a machine with other work, too."""

VOICES = (
    "vm-nobodyavail",
    "number-not-answering",
    "tt-monkeysintro",
    "vm-changeto",
    "vm-dialout",
    "all-circuits-busy-now",
)
MENDED = {
    "the ear stalls": {"step": "stt", "kind": "stall"},
    "the voice is silent": {"step": "tts", "kind": "silent"},
    "the model stalls": {"step": "llm", "kind": "stall"},
    "the voice gives nothing": {"step": "tts", "kind": "empty"},
    "the model gives nothing": {"step": "llm", "kind": "empty"},
}
"""What the first provider does; the second one is well."""


def _both(**fault: str) -> tuple[dict[str, str], ...]:
    return {**fault, "provider": "primary"}, {**fault, "provider": "fallback"}


BEYOND_REPAIR = {
    "both models stall": _both(step="llm", kind="stall"),
    "both voices fail": _both(step="tts", kind="http_500"),
}
WELL = "all is well again"


@dataclass(frozen=True)
class Exchange:
    """A turn as the caller saw it, as the app tells it, and what the services were asked in it."""

    line: dict[str, Any]
    turn: dict[str, Any]
    requests: list[Request]

    def of(self, step: str, provider: str) -> list[Request]:
        return [each for each in self.requests if (each["kind"], each["provider"]) == (step, provider)]


def _heard(name: str) -> str:
    return f"What do you do when {name}?"


def _reply(name: str) -> str:
    return f"I am still here when {name}."


async def _forget_breakers(stack: Stack) -> None:
    redis = Redis(port=stack.ports["redis"])
    try:
        async for key in redis.scan_iter("breaker:*"):
            await redis.delete(key)
    finally:
        await redis.aclose()


async def _call(
    stack: Stack, operator: str, faults: Mapping[str, Sequence[dict[str, str]]], **wish: Any
) -> dict[str, Exchange]:
    """One call in which something else goes wrong in each turn, and nothing in the last one."""
    service, names = ScriptedService(stack.speech_url), [*faults, WELL]
    await _forget_breakers(stack)
    voices = dict(zip(names, VOICES, strict=False))
    dialogue = [{"voice": voices[name], "heard": _heard(name), "reply": _reply(name)} for name in names]
    await service.give(dialogue, tts_ms_per_char=MS_PER_CHARACTER)
    utterances = [{"file": stack.voice(voices[name])["file"], "text": _heard(name)} for name in names]
    asked: list[list[Request]] = []
    event: dict[str, Any] = {}
    async for event in stack.place_call(to=CAREFUL, utterances=utterances, **wish):
        if event["event"] == "caller_started":
            asked.append(await service.take_requests())
            await service.break_down(*faults.get(names[event["turn"] - 1], ()))
    asked.append(await service.take_requests())
    result = event["result"]
    record = await stack.ended_call(result["call_sid"], operator)
    assert (record["state"], record["end_reason"]) == ("completed", "caller_hung_up")
    turns = {turn["number"]: turn for turn in record["turns"]}
    return {
        name: Exchange(result["turns"][number], turns.get(number, {}), asked[number])
        for number, name in enumerate(names, start=1)
    }


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def prepared(scripted_stack: Stack) -> set[str]:
    """What the voice was asked for during the first call of the agent, and for a while after it."""
    service = ScriptedService(scripted_stack.speech_url)
    dialogue = [{"voice": VOICES[0], "heard": _heard(WELL), "reply": _reply(WELL)}]
    await service.give(dialogue, tts_ms_per_char=MS_PER_CHARACTER)
    voice = scripted_stack.voice(VOICES[0])
    await scripted_stack.call(to=CAREFUL, utterances=[{"file": voice["file"]}])
    made: set[str] = set()
    with suppress(TimeoutError):
        async with asyncio.timeout(PREPARED_WITHIN_S):
            while not made >= FILLERS:
                await asyncio.sleep(0.2)
                asked = await service.requests()
                made = {each["details"]["text"] for each in asked if each["kind"] == "tts" and each["status"] == 200}
    return made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def mended(scripted_stack: Stack, scripted_operator: str, prepared: set[str]) -> dict[str, Exchange]:
    faults = {name: [fault] for name, fault in MENDED.items()}
    return await _call(scripted_stack, scripted_operator, faults)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def beyond_repair(
    scripted_stack: Stack, scripted_operator: str, prepared: set[str], mended: dict[str, Exchange]
) -> dict[str, Exchange]:
    """A caller who also waits between the fillers."""
    return await _call(scripted_stack, scripted_operator, BEYOND_REPAIR, quiet_ms=2300)


def _longest_silence_ms(line: dict[str, Any]) -> float:
    """Between the caller's last word and the end of what the agent said then."""
    longest: float = max(line["response_ms"], *line["underruns_ms"], 0.0)
    return longest


def _assert_answered(name: str, exchange: Exchange) -> None:
    turn = exchange.turn
    assert (turn["heard"], turn["said"], turn["outcome"]) == (_heard(name), _reply(name), "completed")
    assert exchange.line["heard_ms"] >= len(_reply(name)) * MS_PER_CHARACTER - 200
    assert _longest_silence_ms(exchange.line) < REPLY_LIMIT_MS


async def test_fillers_are_there_before_they_are_needed(prepared: set[str]) -> None:
    assert prepared >= FILLERS


@pytest.mark.parametrize("name", MENDED)
async def test_the_second_provider_stands_in(mended: dict[str, Exchange], name: str) -> None:
    exchange, fault = mended[name], MENDED[name]
    _assert_answered(name, exchange)
    assert fault["kind"] in [each["details"].get("fault") for each in exchange.of(fault["step"], "primary")]
    answers = [each for each in exchange.of(fault["step"], "fallback") if each["first_byte_ms"] is not None]
    assert answers, "the second provider gave nothing"


@pytest.mark.parametrize("name", ["the ear stalls", "the model stalls"])
async def test_who_stalls_is_let_go(mended: dict[str, Exchange], name: str) -> None:
    stalled = [each for each in mended[name].of(MENDED[name]["step"], "primary") if each["details"].get("fault")]
    assert all(each["aborted_ms"] is not None for each in stalled)


async def test_when_no_model_answers_a_filler_comes_and_then_an_apology(beyond_repair: dict[str, Exchange]) -> None:
    exchange = beyond_repair["both models stall"]
    turn, line = exchange.turn, exchange.line
    assert turn["heard"] == _heard("both models stall")
    assert (turn["said"], turn["outcome"]) == (APOLOGY, "failed")
    assert turn["costs"]["fillers"] >= 1
    assert turn["moments"]["turn_ended_ms"] < turn["moments"]["filler_ms"] < turn["moments"]["rescued_ms"]
    assert line["response_ms"] < FILLER_AFTER_MS + 500 + HOP_MS
    assert _longest_silence_ms(line) < REPLY_LIMIT_MS


async def test_when_no_voice_speaks_prepared_sound_is_heard(beyond_repair: dict[str, Exchange]) -> None:
    exchange = beyond_repair["both voices fail"]
    assert exchange.turn["heard"] == _heard("both voices fail")
    assert exchange.turn["outcome"] == "failed"
    assert exchange.turn["said"] == APOLOGY
    assert exchange.line["heard_ms"] >= len(APOLOGY) * MS_PER_CHARACTER - 200
    assert _longest_silence_ms(exchange.line) < REPLY_LIMIT_MS


@pytest.mark.parametrize("series", ["mended", "beyond_repair"])
async def test_the_call_goes_on(mended: dict[str, Exchange], beyond_repair: dict[str, Exchange], series: str) -> None:
    _assert_answered(WELL, {"mended": mended, "beyond_repair": beyond_repair}[series][WELL])
