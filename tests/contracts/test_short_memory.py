"""Small notes: what one worker writes, another reads, for as long as a call may last."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from shared.adapters.redis.connection import connect
from shared.adapters.redis.short_memory import RedisShortMemory
from shared.domain.errors import StoreError
from shared.ports.short_memory import ShortMemory
from tests.contracts.redis_pipes import redis_adapters
from tests.fakes.memory import FakeShortMemory
from tests.services import free_port


@pytest.fixture(params=["redis", "fake"])
async def memory(request: pytest.FixtureRequest) -> AsyncIterator[ShortMemory]:
    if request.param == "fake":
        yield FakeShortMemory()
        return
    async with redis_adapters(request.getfixturevalue("redis_url")) as adapters:
        yield RedisShortMemory(adapters.connection)


@pytest.fixture
def name() -> str:
    return uuid4().hex


async def test_facts_are_added_and_replaced(memory: ShortMemory, name: str) -> None:
    assert await memory.facts(name) == {}
    await memory.note(name, {"a": "1", "b": "é ✓"})
    await memory.note(name, {"b": "2", "c": ""})
    await memory.note(name, {})
    assert await memory.facts(name) == {"a": "1", "b": "2", "c": ""}
    assert await memory.facts(name + "2") == {}


async def test_what_is_to_be_forgotten_soon_is(memory: ShortMemory, name: str) -> None:
    await memory.note(name, {"a": "1"}, lifetime_s=1)
    assert await memory.facts(name) == {"a": "1"}
    async with asyncio.timeout(4):
        while await memory.facts(name):
            await asyncio.sleep(0.05)


async def test_a_store_that_is_away_is_told() -> None:
    connection = connect(f"redis://127.0.0.1:{free_port()}/0")
    memory = RedisShortMemory(connection)
    for deed in (memory.note("x", {"a": "1"}), memory.facts("x")):
        with pytest.raises(StoreError):
            await deed
    await connection.aclose()
