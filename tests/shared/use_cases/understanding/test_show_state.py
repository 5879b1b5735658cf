"""What operators see of a running conversation, without what is personal where the agent redacts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.domain.agents.after_call import AfterCall
from shared.domain.call import Agent, Call, CallState
from shared.domain.telephony.lines import Line, Provider
from shared.use_cases.understanding.show_state import ShowState
from tests.fakes.understanding import FakeConversationStates
from tests.shared.domain.understanding.clinic import CLINIC, after, found

CALL = Call(
    "c",
    "acme",
    "clinic",
    Provider.TWILIO,
    "CA1",
    Line.TWILIO,
    "inbound",
    "+14155550100",
    "+14155550199",
    CallState.IN_PROGRESS,
    datetime(2026, 11, 23, tzinfo=UTC),
)
STATE = after(("", found("book", name="Ann", hour="3 pm")))


class Agents:
    def __init__(self, agent: Agent) -> None:
        self.one = agent

    async def agent(self, tenant_id: str, agent_id: str | None, version: int = 0) -> Agent | None:
        return self.one if agent_id == self.one.agent_id else None


async def _shown(agent: Agent, call: Call = CALL) -> dict[str, Any] | None:
    states = FakeConversationStates()
    await states.write("c", STATE, revision=0)
    return await ShowState(states, Agents(agent))(call)  # type: ignore[arg-type]


@pytest.mark.parametrize(("redacts", "name"), [(True, None), (False, "Ann")])
async def test_what_is_known_is_shown(redacts: bool, name: str | None) -> None:
    assert await _shown(replace(CLINIC, after_call=AfterCall(redacts=redacts))) == {
        "agent_id": "clinic",
        "intent": "book",
        "step": "when",
        "next": {"deed": "ask", "slot": "day"},
        "slots": {
            "name": {"value": name, "confirmed": False},
            "hour": {"value": "15:00", "confirmed": False},
        },
    }


async def test_of_a_call_that_is_over_or_an_agent_that_is_gone_nothing_is_shown() -> None:
    assert await _shown(CLINIC, replace(CALL, state=CallState.COMPLETED)) is None
    assert await _shown(replace(CLINIC, agent_id="other")) is None
