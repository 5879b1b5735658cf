"""The overheard API: both sides' words, for the operators of the call's tenant."""

from __future__ import annotations

import azure.functions as func
import pytest

from functions.api import overheard
from shared.domain.call import Agent, Call, CallState
from shared.domain.overheard import Overheard, file_of, to_lines
from shared.domain.pipe_names import overheard as pipe_of
from shared.domain.telephony.lines import Line, Provider
from shared.use_cases.calls.look_up_calls import LookUpCalls
from shared.use_cases.hearing.read_overheard import ReadOverheard
from tests.fakes.clock import FakeClock
from tests.fakes.live_calls import FakeLiveCalls
from tests.fakes.pipes import FakePipes
from tests.fakes.stores import FakeCallStore, FakeFileStore
from tests.functions.conftest import Installer, assert_problem, document_of, request, user_function

NORA = Agent(agent_id="nora", tenant_id="tenant-1", name="Nora", persona="You are Nora.", greeting="Hello?")
AGENT = {"side": "agent", "text": "How can I help?", "began_ms": 1000, "ended_ms": 3000}
CALLER = {"side": "caller", "text": "My line is dead.", "began_ms": 2000, "ended_ms": 2900}


class House:
    def __init__(self) -> None:
        clock = FakeClock()
        self.pipes, self.store, self.files = FakePipes(clock), FakeCallStore(), FakeFileStore()
        look_up = LookUpCalls(self.store, FakeLiveCalls(clock, self.pipes))
        self.read = ReadOverheard(look_up, self.pipes, self.files)
        self.now = clock.now

    async def begin(self, tenant_id: str, call_id: str, state: CallState) -> None:
        call = Call(
            call_id, tenant_id, "nora", Provider.CONNECT, call_id, Line.CONNECT, "inbound", "+14155550100",
            "+15550100016", state, self.now(),
        )  # fmt: skip
        await self.store.create(call)

    async def hear(self, *speeches: dict[str, object]) -> None:
        for number, speech in enumerate(speeches, start=1):
            fields = {name: str(value) for name, value in speech.items()} | {"place": "1"}
            await self.pipes.append(pipe_of("c1"), fields, position=f"3000-{number}")
        await self.pipes.append(pipe_of("c1"), {"place": "2"}, position="3000-9")


@pytest.fixture
async def house(install: Installer) -> House:
    house = House()
    install(overheard, read_overheard=house.read)
    await house.begin("tenant-1", "c1", CallState.IN_PROGRESS)
    await house.begin("tenant-2", "c2", CallState.IN_PROGRESS)
    return house


async def ask(call_id: str = "c1", token: str | None = "operator", **params: str) -> func.HttpResponse:
    asked = request(route={"call_id": call_id}, token=token, params=params)
    response: func.HttpResponse = await user_function(overheard.get_overheard)(asked)
    return response


async def test_both_sides_in_the_order_in_which_they_began(house: House) -> None:
    await house.hear(CALLER, AGENT)
    response = await ask()
    assert response.headers["Cache-Control"] == "no-store"
    assert document_of(response) == {"call_id": "c1", "overheard": [AGENT, CALLER]}


async def test_only_what_is_new(house: House) -> None:
    await house.hear(CALLER, AGENT)
    assert document_of(await ask(after_ms="2900"))["overheard"] == [AGENT]


async def test_of_a_call_that_nobody_listened_to(house: House) -> None:
    assert document_of(await ask())["overheard"] == []


async def test_long_after_the_call(house: House) -> None:
    await house.begin("tenant-1", "c3", CallState.COMPLETED)
    content = to_lines([Overheard("agent", "How can I help?", 1000, 3000)])
    await house.files.put(file_of("tenant-1", "c3"), content, content_type="x")
    assert document_of(await ask("c3"))["overheard"] == [AGENT]


async def test_another_tenant_hears_nothing(house: House) -> None:
    assert_problem(await ask("c2"), 404, "call_unknown")


@pytest.mark.parametrize("moment", ["", "-1", "x", "1.5", "9" * 16])
async def test_what_is_no_moment(house: House, moment: str) -> None:
    assert_problem(await ask(after_ms=moment), 400, "after_ms")


async def test_operators_only(house: House) -> None:
    assert_problem(await ask(token="caller"), 403, "role_missing")
    assert_problem(await ask(token=None), 401, "token_missing")
