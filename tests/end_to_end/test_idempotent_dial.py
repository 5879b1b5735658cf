"""A provider that knows a request again by its token: one whose answer is lost does not call anybody twice."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest

from shared.domain.telephony.lines import Capability, Line
from tests.end_to_end.capabilities import lines_with
from tests.end_to_end.line_calls import CALLED, POLICY, number_of
from tests.end_to_end.outside import ask, introduce, utterances
from tests.end_to_end.stack import Stack
from tests.end_to_end.words import words

pytestmark = [pytest.mark.slow, pytest.mark.end_to_end]

LINES = lines_with(Capability.IDEMPOTENT_DIAL)
ENDS_WITHIN_S = 90
PATIENT = {"reply_timeout_ms": 30_000, "quiet_ms": 1800}


async def contacts(stack: Stack) -> dict[str, str]:
    """The simulator's calls so far, by id, with how they stand."""
    url = f"http://localhost:{stack.ports['phones']}/_local/calls"
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return {call["call_sid"]: call["status"] for call in (await response.json())["calls"]}


def events_of(stack: Stack, contact_id: str) -> list[dict[str, Any]]:
    kept = stack.state_dir / "calls" / contact_id / "events.json"
    events: list[dict[str, Any]] = json.loads(kept.read_text())["events"]
    return events


async def ended(stack: Stack, call_id: str, operator: str) -> dict[str, Any]:
    async with asyncio.timeout(ENDS_WITHIN_S):
        while (record := await stack.get(f"/api/calls/{call_id}", operator))["state"] not in ("completed", "failed"):
            await asyncio.sleep(0.3)
        return record


@pytest.mark.parametrize("line", LINES, ids=str)
async def test_a_dial_whose_answer_is_lost_is_one_call(
    stack: Stack, operator: str, line: Line, proved: Callable[[], None]
) -> None:
    person = f"+141555590{LINES.index(line):02d}"
    status, document = await ask(stack, stack.token("admin"), "PUT", "/api/outbound-policy", document=POLICY)
    assert status == 200, document
    talk = {"utterances": utterances(stack, CALLED), **PATIENT}
    await introduce(stack, person, **talk, ring_ms=300, misbehaviours=["dial-answer-lost"])
    before = await contacts(stack)
    wish = {"to": person, "agent_id": "calm", "caller_id": number_of(line), "line": line.value}
    status, placed = await ask(
        stack, operator, "POST", "/api/calls", document=wish, headers={"Idempotency-Key": f"lost-{line}"}
    )
    assert status == 202, placed
    record = await ended(stack, placed["call_id"], operator)
    assert (record["line"], record["direction"]) == (line, "outbound")
    assert (record["state"], record["end_reason"]) == ("completed", "caller_hung_up")
    assert words(record["turns"][1]["heard"]), "the call that was begun is the one in which they talk"
    begun = (await contacts(stack)).keys() - before.keys()
    assert begun == {record["provider_call_id"]}
    asked = [
        event["answered"] for event in events_of(stack, record["provider_call_id"]) if event["event"] == "dial_asked"
    ]
    assert asked == [False, True], "the first request's answer was lost, the second one's came"
    proved()
