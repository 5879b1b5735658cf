"""Providers at their worst, on every line: what is forged is refused, and a call outlives what goes wrong."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from shared.domain.telephony.lines import Line
from tests.end_to_end.line_calls import number_of
from tests.end_to_end.scripted_service import ScriptedService
from tests.end_to_end.stack import Stack

pytestmark = [pytest.mark.slow, pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="module")]

VOICES = ("number-not-answering", "all-circuits-busy-now")
HEARD = ("The number is not answering.", "All circuits are busy now.")
SAID = ("I am here, and I listen to all that you say to me now.", "Then let us try it once more together.")
ENDED_WITHIN_S = 60
KEPT_WITHIN_S = 15
AT_ONCE = 4
PATIENT = {"quiet_ms": 1000, "reply_timeout_ms": 15_000}

CALLBACKS = ("duplicate-callbacks", "reordered-callbacks", "late-callbacks")
EVENTS = ("duplicate_events", "reordered_events", "late_events")
BORNE = [
    *((Line.TWILIO, way) for way in (*CALLBACKS, "repeated-webhooks", "replayed-webhook", "shared-key")),
    *((Line.TWILIO_RELAY, way) for way in (*CALLBACKS, "repeated-webhooks")),
    *((Line.TWILIO_GATHER, way) for way in (*CALLBACKS, "repeated-webhooks")),
    *((Line.VONAGE, way) for way in (*EVENTS, "replayed_webhook", "torn_frame")),
    *((Line.VONAGE_INPUT, way) for way in EVENTS),
    *((Line.CONNECT, way) for way in ("asks-twice", "throttled", "events-twice", "events-reordered")),
    (Line.CONNECT, "forged-request"),
    (Line.CONNECT_LEX, "lex-asks-twice"),
]
"""Nothing of it may be noticed by the caller, or in the call's record."""
CUT = [
    (Line.TWILIO, "socket-drops"),
    (Line.TWILIO_RELAY, "socket-drops"),
    (Line.VONAGE, "vanishes"),
]
"""A socket breaks in mid-sentence, and another is opened: the call goes on, and the caller gets an answer."""
REFUSED = [
    *((Line.TWILIO, way) for way in ("no-signature", "wrong-signature", "foreign-account")),
    *((Line.TWILIO_RELAY, way) for way in ("no-signature", "no-socket-signature", "wrong-socket-signature")),
    *((Line.VONAGE, way) for way in ("no_signature", "wrong_signature", "old_signature", "foreign_application")),
    *((Line.VONAGE, way) for way in ("other_body", "get_answer", "bare_socket", "no_ticket")),
]
"""No word is exchanged."""


class Calls:
    """Every call that the selected tests look at is begun at once, and waits for its turn."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._tasks: dict[tuple[Line, str], asyncio.Task[dict[str, Any]]] = {}

    def begin(self, line: Line, way: str) -> asyncio.Task[dict[str, Any]]:
        if (line, way) not in self._tasks:
            self._tasks[line, way] = asyncio.create_task(self._call(line, way))
        return self._tasks[line, way]

    async def _call(self, line: Line, way: str) -> dict[str, Any]:
        spoken = [
            {"file": self._stack.voice(voice)["file"], "text": text}
            for voice, text in zip(VOICES, HEARD, strict=True)
        ]
        is_refused = (line, way) in REFUSED
        plan = {"turns": 1, "greeting_timeout_ms": 3000, "reply_timeout_ms": 2000} if is_refused else PATIENT
        wish = {"from": "+14155550140", "to": number_of(line), "utterances": spoken, "misbehaviours": [way]}
        async with self._gate:
            return await self._stack.call(provider=line, max_call_ms=60_000, **wish, **plan)

    async def close(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def calls(request: pytest.FixtureRequest, scripted_stack: Stack) -> AsyncIterator[Calls]:
    dialogue = [
        {"voice": voice, "heard": heard, "reply": reply}
        for voice, heard, reply in zip(VOICES, HEARD, SAID, strict=True)
    ]
    await ScriptedService(scripted_stack.speech_url).give(dialogue)
    placed = Calls(scripted_stack)
    for item in request.session.items:
        if isinstance(item, pytest.Function) and item.path == request.path and "way" in item.fixturenames:
            placed.begin(item.callspec.params["line"], item.callspec.params["way"])
    yield placed
    await placed.close()


def _ways(known: Sequence[tuple[Line, str]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(("line", "way"), [pytest.param(*one, id="-".join(one)) for one in known])


@_ways(BORNE)
async def test_it_is_borne(scripted_stack: Stack, scripted_operator: str, calls: Calls, line: Line, way: str) -> None:
    result = await calls.begin(line, way)
    record = await scripted_stack.ended_call(result["call_sid"], scripted_operator, within_s=ENDED_WITHIN_S)
    assert (record["state"], record["end_reason"]) == ("completed", "caller_hung_up")
    assert result["errors"] == []
    turns = {turn["number"]: (turn["heard"], turn["said"], turn["outcome"]) for turn in record["turns"]}
    expected = {number: (HEARD[number - 1], SAID[number - 1], "completed") for number in (1, 2)}
    assert {number: turns.get(number) for number in expected} == expected
    assert len(turns) == len(expected) + 1


@_ways(CUT)
async def test_the_call_goes_on_over_another_socket(
    scripted_stack: Stack, scripted_operator: str, calls: Calls, line: Line, way: str
) -> None:
    result = await calls.begin(line, way)
    record = await scripted_stack.ended_call(result["call_sid"], scripted_operator, within_s=ENDED_WITHIN_S)
    assert (record["state"], record["end_reason"]) == ("completed", "caller_hung_up")
    events = json.loads((scripted_stack.state_dir / "calls" / result["call_sid"] / "events.json").read_text())
    assert len([event for event in events["events"] if event["event"] == "media_opened"]) == 2
    assert record["turns"][-1]["said"] == SAID[-1]
    assert result["turns"][-1]["heard_ms"] > 0


@_ways(REFUSED)
async def test_it_is_refused(calls: Calls, line: Line, way: str) -> None:
    result = await calls.begin(line, way)
    assert sum(turn["heard_ms"] for turn in result["turns"]) == 0


@pytest.mark.parametrize("line", [Line.TWILIO, Line.VONAGE, Line.CONNECT])
@pytest.mark.parametrize("mood", ["429", "done_500", "done_drop"])
async def test_a_dial_with_a_bad_answer_calls_once(
    scripted_stack: Stack, scripted_operator: str, calls: Calls, line: Line, mood: str
) -> None:
    """A refusal that is certain is told; what may have been done is found again, and never done twice."""
    stack, person = scripted_stack, f"+14155556{list(Line).index(line):02d}{len(mood):02d}"
    phones = f"http://localhost:{stack.ports['phones']}/_local"
    voice = stack.voice(VOICES[0])
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {scripted_operator}"}) as http:
        policy = {"prefixes": ["+1415"], "most_at_once": 20, "daily_spend": "100", "minute_prices": {"+": "0.01"}}
        admin = {"Authorization": f"Bearer {stack.token('admin')}"}
        async with http.put(f"{stack.app_url}/api/outbound-policy", json=policy, headers=admin) as answer:
            assert answer.status == 200, await answer.text()
        who = {"ring_ms": 200, "utterances": [{"file": voice["file"], "text": HEARD[0]}], "turns": 1}
        async with http.put(f"{phones}/people/{person}", json=who) as answer:
            assert answer.status == 204, await answer.text()
        async with http.put(f"{phones}/{line.provider}/moods", json=[mood]) as answer:
            assert answer.status == 204, await answer.text()
        wish = {"to": person, "agent_id": "calm", "caller_id": number_of(line), "line": line.value}
        key = {"Idempotency-Key": f"fault-{person}-{mood}"}
        async with http.post(f"{stack.app_url}/api/calls", json=wish, headers=key) as answer:
            document = await answer.json()
            assert answer.status == 202, document
        async with asyncio.timeout(ENDED_WITHIN_S):
            while (record := await stack.get(f"/api/calls/{document['call_id']}", scripted_operator))[
                "state"
            ] not in (
                "completed",
                "failed",
            ):
                await asyncio.sleep(0.3)
    wanted = 1 if record["state"] == "completed" else 0
    async with asyncio.timeout(KEPT_WITHIN_S):
        while len(found := _calls_to(stack, person)) < wanted:
            await asyncio.sleep(0.3)
    assert len(found) == wanted
    if mood.startswith("done_"):
        assert record["state"] == "completed"


def _calls_to(stack: Stack, person: str) -> list[Any]:
    kept = [json.loads(path.read_text())["events"] for path in stack.state_dir.glob("calls/*/events.json")]
    return [events for events in kept if ("call_started", person) in {(e["event"], e.get("to")) for e in events}]
