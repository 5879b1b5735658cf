"""An operator has a call go on in another language, on every line: what each provider, or model, is told then.

The services go by a script: of the models of this machine none hears another language than English.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any

import pytest
import pytest_asyncio

from shared.domain.telephony.lines import CAPABILITIES, Capability, Line
from tests.end_to_end.capabilities import lines_with
from tests.end_to_end.line_calls import ATTEMPTS, LINES, TALK, LineCall, LineCalls, number_of
from tests.end_to_end.scripted_service import ScriptedService
from tests.end_to_end.stack import Stack

pytestmark = [pytest.mark.slow, pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="module")]

SPANISH, HINDI = "es-ES", "hi-IN"
REPLY = "I am sorry to hear that. A technician comes today."
FILLER = "Un momento."
"""Of an agent that has none in Spanish, where nobody translates into that."""
PREPARED_WITHIN_S = 20
TELL = {Line.TWILIO_RELAY: SPANISH, Line.SARVAM: "Hindi"}
"""Which lines tell the language of what was said, and how they name it."""


def _language_of(line: Line) -> str:
    """Samvaad speaks the languages of India."""
    return HINDI if line is Line.SARVAM else SPANISH


class LanguageCalls(LineCalls):
    """With an agent that speaks more than one."""

    async def follow_caller(self, line: Line) -> LineCall:
        """Nobody orders anything: the line tells which language is spoken."""
        call = LineCall(line)
        wish: dict[str, Any] = {"from": f"+141555591{LINES.index(line):02d}", "to": number_of(line, "bilingual")}
        wish |= {"reply_timeout_ms": 45_000, "quiet_ms": 1800, "language": TELL[line]}
        await self._follow(call, {}, **wish, utterances=self._utterances(TALK[:2]))
        return call

    async def switch(self, line: Line) -> LineCall:
        """The agent is asked for a language that it does not speak, and then for one that it does."""
        call, path = LineCall(line), "/api/calls/{call_id}/language"
        orders: dict[tuple[str, int], tuple[str, dict[str, str] | None]] = {
            ("agent_started", 0): (path, {"language": "fr"}),
            ("caller_started", 2): (path, {"language": _language_of(line)}),
        }
        wish: dict[str, Any] = {"from": f"+141555590{LINES.index(line):02d}", "to": number_of(line, "bilingual")}
        wish |= {"reply_timeout_ms": 45_000, "quiet_ms": 1800}
        await self._follow(call, orders, **wish, utterances=self._utterances(TALK))
        return call


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def calls(
    request: pytest.FixtureRequest, scripted_stack: Stack, scripted_operator: str
) -> AsyncIterator[LanguageCalls]:
    """Those that the selected tests look at, some at a time."""
    stack = scripted_stack
    dialogue = [{"voice": voice, "heard": stack.voice(voice)["text"], "reply": REPLY} for voice in TALK]
    await ScriptedService(stack.speech_url).give(dialogue)
    placed = LanguageCalls(stack, scripted_operator, stack.token("admin"))
    places = {
        "test_a_call_goes_on_in_another_language": placed.switch,
        "test_a_caller_who_speaks_another_language_is_answered_in_it": placed.follow_caller,
    }
    for item in request.session.items:
        if isinstance(item, pytest.Function) and item.path == request.path and item.originalname in places:
            name, line = item.originalname, item.callspec.params["line"]
            placed.begin_own(name, line, partial(_fair, places[name]))
    yield placed
    await placed.close()


@pytest_asyncio.fixture(loop_scope="module")
async def call(request: pytest.FixtureRequest, calls: LanguageCalls, line: Line) -> LineCall:
    return await calls.own(request.node.originalname, line)


async def _fair(place: Callable[[Line], Awaitable[LineCall]], line: Line) -> LineCall:
    """A call in which every answer came while the caller still waited for it, if there is one."""
    for _ in range(ATTEMPTS):
        call = await place(line)
        if not any(turn["timed_out"] for turn in call.result["turns"]):
            break
    return call


@pytest.mark.parametrize("line", [pytest.param(line, id=line) for line in lines_with(Capability.LANGUAGE_SWITCH)])
async def test_a_call_goes_on_in_another_language(
    scripted_stack: Stack, call: LineCall, line: Line, proved: Callable[[], None]
) -> None:
    stack = scripted_stack
    language = _language_of(line)
    refused, ordered = call.answers
    assert (refused[0], refused[1]["code"]) == (400, "language_unknown")
    assert ordered == (202, {"language": language})
    assert call.result["errors"] == []
    assert call.record["language"] == language
    for number, voice in enumerate(TALK, start=1):
        turn = call.turn(number)
        assert (turn["heard"], turn["said"]) == (stack.voice(voice)["text"], REPLY)
    asked = await ScriptedService(stack.speech_url).requests()
    _assert_the_model_is_told(call, language, asked)
    if Capability.AUDIO in CAPABILITIES[line]:
        _assert_the_ear_is_told(call, asked)
        await _assert_fixed_sentences_are_prepared(stack)
    else:
        _assert_the_provider_is_told(call, language)
    proved()


@pytest.mark.parametrize("line", [pytest.param(line, id=line) for line in TELL])
async def test_a_caller_who_speaks_another_language_is_answered_in_it(
    scripted_stack: Stack, call: LineCall, line: Line
) -> None:
    language = _language_of(line)
    assert call.result["errors"] == []
    assert call.record["language"] == language
    asked = _of_call(call, "llm", await ScriptedService(scripted_stack.speech_url).requests())
    assert all(f"{language}: answer in it" in one["details"]["instructions"] for one in asked), asked
    if line is Line.TWILIO_RELAY:
        assert [event["language"] for event in call.events_of("language_switched")] == [language]
        assert {event["language"] for turn in (1, 2) for event in _said(call, turn)} == {language}


def _assert_the_model_is_told(call: LineCall, language: str, asked: list[dict[str, Any]]) -> None:
    prompts = [one["details"].get("instructions", "") for one in _of_call(call, "llm", asked)]
    assert "answer in it" not in prompts[0]
    assert f"{language}: answer in it" in prompts[-1]


def _assert_the_ear_is_told(call: LineCall, asked: list[dict[str, Any]]) -> None:
    heard = [one["details"]["language"] for one in _of_call(call, "stt", asked)]
    assert (heard[0], heard[-1]) == ("", SPANISH.partition("-")[0]), heard


async def _assert_fixed_sentences_are_prepared(stack: Stack) -> None:
    async with asyncio.timeout(PREPARED_WITHIN_S):
        while FILLER not in [
            one["details"].get("text") for one in await ScriptedService(stack.speech_url).requests()
        ]:
            await asyncio.sleep(0.5)


def _assert_the_provider_is_told(call: LineCall, language: str) -> None:
    if call.line is Line.SARVAM:
        assert [event["language"] for event in call.events_of("language_changed")] == ["Hindi"]
        return
    said = {turn: {event["language"] for event in _said(call, turn)} for turn in (0, 1, len(TALK))}
    assert said == {0: {"en-US"}, 1: {"en-US"}, len(TALK): {language}}
    match call.line:
        case Line.TWILIO_RELAY:
            assert [(event["language"], event["tts_language"]) for event in call.events_of("language_switched")] == [
                (language, language)
            ]
        case Line.TWILIO_GATHER | Line.VONAGE_INPUT:
            listened = [event["language"] for event in call.events_of("provider_listens")]
            assert (listened[0], listened[-1]) == ("en-US", language)
        case _:
            chosen = [event["language"] for event in call.events_of("language_chosen")]
            assert (chosen[0], chosen[-1]) == ("en-US", language)


def _said(call: LineCall, turn: int) -> list[dict[str, Any]]:
    return [event for event in call.events_of("provider_says") if event["turn"] == turn]


def _of_call(call: LineCall, kind: str, asked: list[dict[str, Any]]) -> list[dict[str, Any]]:
    call_id = call.record["call_id"]
    return [one for one in asked if one["kind"] == kind and one["details"].get("call_id") == call_id]
