"""What may happen once happens once, whichever worker it comes to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, cast
from uuid import uuid4

import pytest

from shared.adapters.redis.connection import RedisConnection, connect
from shared.adapters.redis.once import RedisOnce
from shared.domain.errors import StoreError
from shared.ports.once import Once
from tests.contracts.redis_pipes import redis_adapters
from tests.fakes.clock import FakeClock
from tests.fakes.memory import FakeOnce
from tests.services import free_port


@dataclass
class Subject:
    """`here` and `there` are two workers' views; `wait` lets seconds pass."""

    here: Once
    there: Once
    wait: Callable[[float], Awaitable[None]]


@pytest.fixture(params=["redis", "fake"])
async def subject(request: pytest.FixtureRequest) -> AsyncIterator[Subject]:
    if request.param == "fake":
        clock = FakeClock()
        fake = FakeOnce(clock)

        async def move(seconds: float) -> None:
            await clock.sleep_ms(seconds * 1000)

        yield Subject(fake, fake, move)
        return
    async with redis_adapters(request.getfixturevalue("redis_url")) as adapters:
        yield Subject(RedisOnce(adapters.connection), RedisOnce(adapters.connection), asyncio.sleep)


@pytest.fixture
def name() -> str:
    return uuid4().hex


async def test_only_the_first_takes_it(subject: Subject, name: str) -> None:
    assert await subject.here.take(name, lifetime_s=60)
    assert not await subject.there.take(name, lifetime_s=60)
    assert not await subject.here.take(name, lifetime_s=60)
    assert await subject.there.take(name + "2", lifetime_s=60)


async def test_of_many_at_once_one_is_first(subject: Subject, name: str) -> None:
    taken = await asyncio.gather(*(subject.here.take(name, lifetime_s=60) for _ in range(20)))
    assert taken.count(True) == 1


async def test_what_is_given_back_may_be_taken_again(subject: Subject, name: str) -> None:
    assert await subject.here.take(name, lifetime_s=60)
    await subject.there.give_back(name)
    assert await subject.there.take(name, lifetime_s=60)
    await subject.here.give_back(name + "unknown")


async def test_it_is_forgotten_in_time(subject: Subject, name: str) -> None:
    assert await subject.here.take(name, lifetime_s=1)
    await subject.wait(1.1)
    assert await subject.here.take(name, lifetime_s=1)


class Repeating:
    """A connection that asks everything again, as is done when an answer was lost."""

    def __init__(self, connection: RedisConnection) -> None:
        self._connection = connection

    async def ask(self, what: str, command: bytes) -> Any:
        await self._connection.ask(what, command)
        return await self._connection.ask(what, command)


async def test_who_lost_the_answer_still_holds_it(redis_url: str, name: str) -> None:
    async with redis_adapters(redis_url) as adapters:
        once = RedisOnce(cast("RedisConnection", Repeating(adapters.connection)))
        assert await once.take(name, lifetime_s=60)
        assert not await once.take(name, lifetime_s=60)


async def test_a_store_that_is_away_is_told() -> None:
    connection = connect(f"redis://127.0.0.1:{free_port()}/0")
    with pytest.raises(StoreError) as error:
        await RedisOnce(connection).take("x", lifetime_s=1)
    assert error.value.retryable
    await connection.aclose()
