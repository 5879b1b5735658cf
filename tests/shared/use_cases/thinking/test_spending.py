"""A tenant whose money for the day is spent: callers are told so politely, and then the call ends."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from shared.domain import pipe_names, takes
from shared.domain.errors import StoreError
from shared.domain.refusals import farewell_in
from shared.use_cases.thinking.spend_guard import SpendGuard
from shared.use_cases.thinking.think import Think
from tests.fakes.call import CALL_ID, TENANT_ID, House, turn_request
from tests.fakes.model_usages import FakeModelUsages
from tests.fakes.models import Answer, FakeLanguageModel
from tests.shared.use_cases.thinking.tooled_house import FakeToolBox, said, spoken, tell, thinking, tooled_house

FAREWELL = farewell_in("en", "en")


class Scene:
    """A turn in which the caller has asked something."""

    def __init__(self, house: House, usages: FakeModelUsages, *answers: Answer) -> None:
        self.house, self.ended = house, list[str]()
        self.model = FakeLanguageModel(house.clock, *answers)
        self.guard = SpendGuard(usages, house.clock)

    def think(self) -> Think:
        async def end(call_id: str) -> None:
            self.ended.append(call_id)

        plain = thinking(self.house, self.model, FakeToolBox())
        return replace(plain, sources=replace(plain.sources, guard=self.guard), end_spent=end)


@pytest.fixture
async def house() -> House:
    house = await tooled_house()
    await tell(house, takes.Final(1, "Where is my order?"))
    return house


async def test_who_has_nothing_left_is_told_and_the_call_ends(house: House) -> None:
    usages = FakeModelUsages(TENANT_ID)
    await usages.set_cap(TENANT_ID, 0)
    scene = Scene(house, usages)
    task = asyncio.create_task(scene.think()(turn_request(1)))
    await house.clock.sleep_ms(1_000)
    assert await house.pipe(1, pipe_names.SENTENCES) == said(FAREWELL)
    assert scene.ended == [], "the caller has not heard it yet"
    await spoken(house)
    await task
    assert scene.ended == [CALL_ID]


async def test_a_worker_that_dies_after_the_farewell_ends_the_call_later(house: House) -> None:
    usages = FakeModelUsages(TENANT_ID)
    await usages.set_cap(TENANT_ID, 0)
    scene = Scene(house, usages)
    task = asyncio.create_task(scene.think()(turn_request(1)))
    await house.clock.sleep_ms(1_000)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await spoken(house)
    await scene.think()(turn_request(1))
    assert scene.ended == [CALL_ID]
    assert await house.pipe(1, pipe_names.SENTENCES) == said(FAREWELL)


async def test_who_may_spend_is_answered(house: House) -> None:
    usages = FakeModelUsages(TENANT_ID)
    await usages.set_cap(TENANT_ID, 5)
    scene = Scene(house, usages, Answer(["Soon."]))
    await scene.think()(turn_request(1))
    assert await house.pipe(1, pipe_names.SENTENCES) == said("Soon.")
    assert scene.ended == []


async def test_a_store_that_is_away_ends_no_call(house: House) -> None:
    class Away(FakeModelUsages):
        async def is_spent(self, *_: Any) -> bool:
            raise StoreError("postgres_unavailable", "away", retryable=True)

    scene = Scene(house, Away(), Answer(["Soon."]))
    await scene.think()(turn_request(1))
    assert await house.pipe(1, pipe_names.SENTENCES) == said("Soon.")


async def test_what_is_known_is_asked_again_after_a_while(house: House) -> None:
    usages = FakeModelUsages(TENANT_ID)
    guard = SpendGuard(usages, house.clock)
    assert not await guard.is_spent(TENANT_ID)
    await usages.set_cap(TENANT_ID, 0)
    assert not await guard.is_spent(TENANT_ID)
    await house.clock.sleep_ms(16_000)
    assert await guard.is_spent(TENANT_ID)
