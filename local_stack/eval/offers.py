"""What the app offers of what scenarios need; the app itself is asked, by its API and by a call."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from local_stack.eval.app_door import AppDoor
from local_stack.eval.callers import PlacedCall, TypingCaller
from local_stack.eval.observed import Observed
from local_stack.eval.phone import Phone
from local_stack.eval.scenario import Caller, CallerLine, Scenario
from local_stack.eval.speech_door import SpeechDoor

_HELLO: Final = "Hello, is anybody there?"
_PROBE: Final[Mapping[str, Any]] = {
    "name": "Probe",
    "persona": "You answer with one short sentence.",
    "greeting": "Hello.",
    "after_call": {"analyses": True},
    "tools": {
        "http": [
            {
                "name": "probe",
                "description": "Never to be used.",
                "url": "http://127.0.0.1:9/probe",
                "method": "GET",
                "effect": "reads",
            }
        ]
    },
}


async def offered(wanted: set[str], app: AppDoor, phone: Phone, speech: SpeechDoor, is_scripted: bool) -> set[str]:
    """Which of the needs the app meets. Raises: CannotEvaluate."""
    found: set[str] = set()
    if "knowledge" in wanted and await app.status_of("GET", "/api/knowledge/eval/documents") == 200:
        found.add("knowledge")
    if wanted & {"tools", "analysis"}:
        found |= await _by_call(app, phone, speech, is_scripted)
    return found & wanted


async def _by_call(app: AppDoor, phone: Phone, speech: SpeechDoor, is_scripted: bool) -> set[str]:
    """An agent with a tool is called: was the model told of the tool, and is there an analysis?"""
    await app.publish("eval-probe", _PROBE)
    number = await app.give_number("twilio-relay", "eval-probe")
    lines = (CallerLine(_HELLO, "Yes."),)
    if is_scripted:
        await speech.direct(lines, [None])
    before = len(await speech.requests())
    placed: PlacedCall = await TypingCaller(phone).call(_scenario(lines), number)
    record = await app.ended_call(placed.call_sid)
    seen = Observed(record, requests=(await speech.requests())[before:])
    tools = any(request["details"].get("tools") for request in seen.requests if request["kind"] == "llm")
    return ({"tools"} if tools else set()) | ({"analysis"} if "analysis" in record else set())


def _scenario(lines: tuple[CallerLine, ...]) -> Scenario:
    return Scenario("probe", "Probe", Path("probe"), _PROBE, "eval-probe", "text", Caller(lines))
