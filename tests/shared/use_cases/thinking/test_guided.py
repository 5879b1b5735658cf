"""Answers are guided by where the conversation stands; their words are understood beside them, for the next one."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from shared.domain import pipe_names, takes
from shared.domain.agents.tools import HttpTool, Tools
from shared.domain.call import Agent
from shared.domain.understanding.state import State
from shared.ports.live_calls import LiveCall
from shared.ports.tool_box import Tool
from shared.use_cases.thinking.briefing import Sources
from shared.use_cases.thinking.think import Think
from shared.use_cases.understanding.understand import Understand
from tests.fakes.call import CALL_ID, CALL_SID, TENANT_ID, House, turn_request
from tests.fakes.models import Answer, FakeLanguageModel
from tests.fakes.understanding import FakeConversationStates
from tests.shared.domain.understanding.clinic import ACCOUNTS, CLINIC, values
from tests.shared.use_cases.thinking.tooled_house import CANCEL, LOOK_UP, FakeToolBox, tell

DECLARED = Tools(http=(HttpTool(name="free_times", description="d", url="https://clinic.example/times"),))
FREE_TIMES = replace(LOOK_UP, name="free_times")
OF_A_SERVER = replace(LOOK_UP, name="calendar_day", group="free_times")
SURE = "I want to book an appointment, please"
"""What code understands without a model."""


class Scene:
    """A call to the clinic, whose agent may be followed by the one of the accounts."""

    def __init__(self, house: House, *answers: Answer, offered: tuple[Tool, ...] = ()) -> None:
        self.house = house
        self.model = FakeLanguageModel(house.clock, *answers)
        self.states = FakeConversationStates()
        self.asked = FakeLanguageModel(house.clock)
        self.box = FakeToolBox(offered or (FREE_TIMES, CANCEL, OF_A_SERVER))

    @property
    def think(self) -> Think:
        house = self.house
        understand = Understand(self.states, house.live_calls, house.directory, self.asked, house.clock)
        sources = Sources(understand=understand, tools=self.box)
        return Think(house.pipes, house.live_calls, house.directory, self.model, house.clock, sources)

    async def turn(self, number: int, words: str) -> None:
        await tell(self.house, takes.Final(1, words), number)
        await self.think(turn_request(number))
        said = {"said": "I see.", "heard": words, "outcome": "completed"}
        await self.house.live_calls.note(CALL_ID, number, said)
        await self.house.write(number, pipe_names.SPOKEN, {"said": "I see."}, pipe_names.END_POSITION)

    async def state(self) -> State:
        state, _ = await self.states.read(CALL_ID)
        assert state is not None
        return state

    @property
    def rules(self) -> list[str]:
        return [messages[0].text for messages in self.model.asked]

    @property
    def offered(self) -> list[list[str]]:
        return [[offer.name for offer in wish.tools] for wish in self.model.wishes]


def of_the_tenant(agent: Agent, **changes: Any) -> Agent:
    return replace(agent, tenant_id=TENANT_ID, **changes)


@pytest.fixture
async def house() -> House:
    house = House()
    clinic = of_the_tenant(CLINIC, tools=DECLARED)
    house.agent = clinic
    house.directory.agents = [clinic, of_the_tenant(ACCOUNTS)]
    await house.live_calls.open(
        LiveCall(CALL_ID, TENANT_ID, "clinic", house.provider, CALL_SID, house.line, agent_version=3)
    )
    await house.connect()
    await house.live_calls.note(CALL_ID, 0, {"said": "Hello.", "outcome": "completed"})
    await house.write(0, pipe_names.SPOKEN, {"said": "Hello."}, pipe_names.END_POSITION)
    return house


async def test_the_words_of_a_turn_guide_its_answer_already(house: House) -> None:
    scene = Scene(house, Answer(["Which day?"]))
    await scene.turn(1, SURE)
    assert "Find a free time." in scene.rules[0]
    assert scene.offered == [["free_times", "calendar_day"]], "of the step, single tools and those of a server"
    assert (await scene.state()).step == "when"


async def test_without_a_step_that_says_so_all_tools_may_be_used(house: House) -> None:
    scene = Scene(house, Answer(["We open at nine."]))
    await scene.turn(1, "when are you open")
    assert scene.offered == [["free_times", "cancel", "calendar_day"]]


async def test_what_was_understood_is_told_in_the_next_turn(house: House) -> None:
    scene = Scene(house, Answer(["Which day?"]), Answer(["At what time?"]))
    await scene.turn(1, SURE)
    await scene.turn(2, "tomorrow")
    assert set(values(await scene.state())) == {"day"}
    assert "day" in scene.rules[1]


async def test_the_answer_never_waits_for_what_is_asked_of_a_model(house: House) -> None:
    scene = Scene(house, Answer(["I see."]))
    scene.asked = FakeLanguageModel(house.clock, Answer(["{}"], stall_ms=5_000))
    await tell(house, takes.Final(1, "hm, so, it is about my knee, really"))
    task = asyncio.create_task(scene.think(turn_request(1)))
    await house.clock.sleep_ms(200)
    assert {"event": "end"} in await house.pipe(1, pipe_names.SENTENCES)
    assert not task.done(), "it is understood before the step ends"
    await house.clock.sleep_ms(10_000)
    await task
    assert (await scene.state()).has_understood(1)


async def test_words_that_were_withdrawn_change_nothing(house: House) -> None:
    scene = Scene(house, Answer(["Which day?"]), Answer(["We open at nine."]))
    await tell(house, takes.Tentative(1, SURE))
    task = asyncio.create_task(scene.think(turn_request(1)))
    await house.clock.sleep_ms(500)
    assert "Find a free time." in scene.rules[0]
    await tell(house, takes.Final(2, "when are you open"))
    await task
    state = await scene.state()
    assert state.intent == "hours"


async def test_another_agent_goes_on_with_the_conversation(house: House) -> None:
    scene = Scene(house, Answer(["About which bill?"]), Answer(["I look it up."]))
    await scene.turn(1, "I have a question about my bill")
    assert scene.rules[0].startswith("You are the accounts.")
    live = await house.live_calls.get(CALL_ID)
    assert live is not None
    assert (live.agent_id, live.agent_version) == ("accounts", 7)
    scene.asked = FakeLanguageModel(house.clock, Answer(["{}"]))
    await scene.turn(2, "the one of May")
    assert scene.rules[1].startswith("You are the accounts.")


async def test_tools_that_are_listed_slowly_are_listed_once(house: House) -> None:
    """A take that is given up meanwhile must not take them from the one after it."""
    listing = asyncio.Event()

    class Slow(FakeToolBox):
        async def tools(self, agent: Agent) -> tuple[Tool, ...]:
            await listing.wait()
            return (CANCEL,)

    scene = Scene(house, Answer(["We open at nine."]))
    scene.box = Slow()
    await tell(house, takes.Tentative(1, "when"))
    task = asyncio.create_task(scene.think(turn_request(1)))
    await house.clock.sleep_ms(100)
    await tell(house, takes.Final(2, "when are you open"))
    await house.clock.sleep_ms(100)
    listing.set()
    await task
    assert scene.offered == [["cancel"]]
