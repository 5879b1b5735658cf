"""Where a conversation stands survives a crash and the end of the call, and other agents go on with it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
import pytest_asyncio

from tests.end_to_end.outside import ask
from tests.end_to_end.scripted_service import Request, ScriptedService
from tests.end_to_end.stack import Stack
from tests.end_to_end.typed_calls import Line, TypedCall, publish, typed_call

pytestmark = [pytest.mark.slow, pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="module")]

SURGERY = "+15550100340"
ANN, BEN, CAROL = (f"+1415555060{n}" for n in range(1, 4))
WITHIN_S = 20

BOOKS, DAY, HOUR, NAMED = (
    "I want to book an appointment",
    "tomorrow",
    "at three in the afternoon",
    "It is Ann Archer, please.",
)
ASKS_A_BILL, AND_THEN = "I have a question about my bill", "It is the one of last month."
BACK, AGREES, STRANGE = "Hello, it is me again.", "Yes, please.", "Hello, who is this?"
DIALOGUE: list[dict[str, Any]] = [
    {"heard": BOOKS, "reply": "Which day?"},
    {"heard": DAY, "reply": "At what time?"},
    {"heard": HOUR, "reply": "And your name?"},
    {
        "heard": NAMED,
        "reply": "I have it.",
        "finds": {"intent": "book", "slots": [{"slot": "name", "words": "Ann Archer"}]},
    },
    {"heard": ASKS_A_BILL, "reply": "Accounts, which one?"},
    {"heard": AND_THEN, "reply": "I see it."},
    {"heard": BACK, "reply": "Shall we go on with your appointment?"},
    {"heard": AGREES, "reply": "Ann, at three."},
    {"heard": STRANGE, "reply": "This is the surgery."},
]
BILLING = {"name": "billing", "description": "A bill", "examples": [ASKS_A_BILL]}
RECEPTION: dict[str, Any] = {
    "name": "Reception",
    "persona": "You are the reception of a surgery.",
    "greeting": "The surgery, good day.",
    "memory_hours": 2,
    "manner": {"filler_after_ms": 0, "race_after_ms": 0},
    "intents": [
        {
            "name": "book",
            "description": "A new appointment",
            "examples": [BOOKS],
            "slots": [
                {"name": "day", "kind": "date", "description": "the day of the visit"},
                {"name": "hour", "kind": "time", "description": "when"},
                {"name": "name", "kind": "person_name", "description": "who comes"},
            ],
        },
        BILLING,
    ],
    "flow": {
        "steps": [
            {
                "name": "start",
                "instructions": "Find out what it is about.",
                "transitions": [
                    {"intent": "billing", "agent": "surgery-accounts"},
                    {"intent": "book", "step": "when"},
                ],
            },
            {
                "name": "when",
                "instructions": "Find a free time.",
                "transitions": [{"known": ["day", "hour"], "step": "who"}],
            },
            {"name": "who", "instructions": "Ask who comes."},
        ]
    },
}
ACCOUNTS: dict[str, Any] = {
    "name": "Accounts",
    "persona": "You are the accounts of a surgery.",
    "greeting": "Accounts.",
    "intents": [BILLING],
}


class Desk:
    """Who looks on from outside."""

    def __init__(self, stack: Stack, operator: str) -> None:
        self.stack, self.operator = stack, operator
        self.service = ScriptedService(stack.speech_url)

    async def call(self, caller: str, *lines: Line | str) -> TypedCall:
        return await typed_call(self.stack, SURGERY, lines, caller=caller, operator=self.operator)

    async def understood(self, caller: str, wanted: Callable[[dict[str, Any]], bool]) -> None:
        """Until the app shows so of the caller's running call."""
        seen: Any = None
        for _ in range(WITHIN_S * 10):
            status, found = await ask(self.stack, self.operator, "GET", "/api/calls?state=in_progress")
            assert status == 200, found
            for call in (call for call in found["calls"] if call["from"] == caller):
                _, whole = await ask(self.stack, self.operator, "GET", f"/api/calls/{call['call_id']}")
                seen = whole["understood"]
                if seen is not None and wanted(seen):
                    return
            await asyncio.sleep(0.1)
        raise AssertionError(f"it was never understood: {seen}")

    async def rules(self, heard: str) -> str:
        """What the model that answered these words was instructed to do."""
        asked = [request for request in await self.service.requests() if _answers(request, heard)]
        return str(asked[-1]["details"]["last_messages"][0]["content"])


def _answers(request: Request, heard: str) -> bool:
    return request["kind"] == "llm" and request["details"]["last_messages"][-1]["content"] == heard


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(scripted_stack: Stack, scripted_operator: str) -> Desk:
    admin = scripted_stack.token("admin")
    await publish(scripted_stack, "surgery-accounts", ACCOUNTS, on=[], admin=admin)
    await publish(scripted_stack, "surgery", RECEPTION, on=[(SURGERY, "twilio-relay")], admin=admin)
    desk = Desk(scripted_stack, scripted_operator)
    await desk.service.give(DIALOGUE)
    return desk


async def test_another_agent_goes_on_with_the_call(desk: Desk) -> None:
    handed_on = partial(desk.understood, BEN, lambda seen: seen["agent_id"] == "surgery-accounts")
    call = await desk.call(BEN, ASKS_A_BILL, Line(AND_THEN, first=handed_on))
    assert call.said == [RECEPTION["greeting"], "Accounts, which one?", "I see it."]
    for heard in (ASKS_A_BILL, AND_THEN):
        assert (await desk.rules(heard)).startswith(ACCOUNTS["persona"])


async def test_it_survives_the_death_of_the_app_and_a_call_back(desk: Desk) -> None:
    async def killed() -> None:
        await desk.understood(ANN, lambda seen: seen["step"] == "when")
        await asyncio.to_thread(desk.stack.command, "restart", "app", "--kill")

    has_day = partial(desk.understood, ANN, lambda seen: "day" in seen["slots"])
    has_hour = partial(desk.understood, ANN, lambda seen: "hour" in seen["slots"])
    call = await desk.call(
        ANN, BOOKS, Line(DAY, first=killed), Line(HOUR, first=has_day), Line(NAMED, first=has_hour)
    )
    assert call.said[1:] == ["Which day?", "At what time?", "And your name?", "I have it."]
    rules = await desk.rules(NAMED)
    assert "You are in the step who of the conversation: Ask who comes." in rules
    tomorrow = {(datetime.now(UTC) + timedelta(days=days)).date().isoformat() for days in (0, 1)}
    assert any(day in rules for day in tomorrow), "also of what was said before and after the crash"
    assert "15:00" in rules

    again, stranger = await asyncio.gather(desk.call(ANN, BACK, AGREES), desk.call(CAROL, STRANGE))
    assert again.said[1:] == ["Shall we go on with your appointment?", "Ann, at three."]
    assert stranger.said[1:] == ["This is the surgery."]
    offered, agreed, strange = [await desk.rules(heard) for heard in (BACK, AGREES, STRANGE)]
    assert "whether they want to go on with book" in offered
    assert "Ann Archer" not in offered, "before anybody has said that it is she"
    assert "Ann Archer" in agreed, "the last words before she hung up"
    assert "book." not in strange
