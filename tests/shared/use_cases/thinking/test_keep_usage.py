"""What answers cost is kept for the tenant, and no answer waits for that."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from shared.domain import takes
from shared.domain.errors import StoreError
from shared.domain.prices import Price
from shared.ports.language_model import Usage
from shared.ports.model_usage import ModelUsage
from shared.use_cases.thinking.keep_usage import KeepUsage
from tests.fakes.call import TENANT_ID, turn_request
from tests.fakes.model_usages import FakeModelUsages
from tests.fakes.models import Answer, FakeLanguageModel
from tests.shared.use_cases.thinking.tooled_house import FakeToolBox, call, tell, thinking, tooled_house

USED = Usage("openai", "chat", 100, 10)


async def test_all_that_a_turn_used_is_kept() -> None:
    house = await tooled_house()
    usages = FakeModelUsages(TENANT_ID)
    keep = KeepUsage(usages, {"chat": Price(15, 60)}, house.clock)
    model = FakeLanguageModel(house.clock, Answer([call(), USED]), Answer(["Yes.", USED]), Answer(["Yes.", USED]))
    think = replace(thinking(house, model, FakeToolBox()), keep_usage=keep)
    task = asyncio.create_task(think(turn_request(1)))
    await tell(house, takes.Tentative(1, "Where"))
    await house.clock.sleep_ms(1_000)
    await tell(house, takes.Final(2, "Where is it?"))
    await task
    await asyncio.sleep(0)
    day = house.clock.now().date()
    assert await usages.of_day(TENANT_ID, day) == [ModelUsage("openai", "chat", 3, 300, 30, 6_300)]


async def test_what_cannot_be_kept_is_a_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    class Away(FakeModelUsages):
        async def add(self, *_: Any) -> None:
            raise StoreError("postgres_unavailable", "away", retryable=True)

    house = await tooled_house()
    KeepUsage(Away(), {}, house.clock).note(TENANT_ID, [USED])
    await asyncio.sleep(0)
    assert "what 1 answers cost is not kept: postgres_unavailable" in caplog.text
