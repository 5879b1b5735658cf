"""An administrator puts an agent on a number through the API: it answers, a running call keeps its version."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.end_to_end.outside import ask, utterances
from tests.end_to_end.stack import Stack

pytestmark = [pytest.mark.slow, pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="module")]

DESKS = "/api/agents/desk"
NUMBER = "+15550100061"
OF_ANOTHER_VERSION = "+15550100062"
DESK = {"name": "Desk", "persona": "You are the desk of a library.", "greeting": "The library, good morning."}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    stack = Stack.start(tmp_path_factory.mktemp("agents") / "state", scripted=True)
    try:
        yield stack
    finally:
        stack.stop()


async def _greeting_of_a_call(stack: Stack, number: str) -> tuple[str, dict[str, Any]]:
    wish = {"from": "+14155550123", "to": number, "utterances": utterances(stack, ["tt-weasels"])}
    result = await stack.call(provider="twilio-gather", **wish)
    record = await stack.ended_call(result["call_sid"], stack.token("operator"))
    return record["turns"][0]["said"], record


async def test_from_a_draft_to_a_call_and_back(stack: Stack) -> None:
    admin, platform = stack.token("admin"), stack.token("platform")
    status, refused = await ask(stack, admin, "PUT", DESKS + "/draft", document=DESK | {"patience_ms": "long"})
    assert (status, [fault["field"] for fault in refused["errors"]]) == (400, ["patience_ms"])
    status, drafted = await ask(stack, admin, "PUT", DESKS + "/draft", document=DESK)
    assert (status, drafted["published"]) == (200, None)
    tenant_id = "00000000-0000-4000-8000-000000000001"
    for number in (NUMBER, OF_ANOTHER_VERSION):
        allotment = f"/api/number-allotments/twilio/{number}"
        assert (await ask(stack, platform, "PUT", allotment, document={"tenant_id": tenant_id}))[0] in (200, 201)
        line = {"agent_id": "desk", "line": "twilio-gather"}
        assert (await ask(stack, admin, "PUT", f"/api/numbers/twilio/{number}", document=line))[0] in (200, 201)
    answered = await ask(stack, admin, "POST", DESKS + "/publish", document={"revision": 1})
    assert answered == (200, {"published": 1})

    said, record = await _greeting_of_a_call(stack, NUMBER)
    assert (said, record["agent_id"], record["agent_version"]) == (DESK["greeting"], "desk", 1)

    changed = DESK | {"greeting": "The library, good evening."}
    assert (await ask(stack, admin, "PUT", DESKS + "/draft", document=changed))[0] == 200
    answered = await ask(stack, admin, "POST", DESKS + "/publish", document={"revision": 2})
    assert answered == (200, {"published": 2})
    said, record = await _greeting_of_a_call(stack, OF_ANOTHER_VERSION)
    assert (said, record["agent_version"]) == (changed["greeting"], 2)

    answered = await ask(stack, admin, "POST", DESKS + "/rollback", document={"version": 1})
    assert answered == (200, {"published": 1})
    status, history = await ask(stack, admin, "GET", DESKS + "/versions")
    assert [each["version"] for each in history["publications"]] == [1, 2, 1]
