"""What every set of circuit breakers does: opens after failures in a row, lets one probe through, never raises."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from uuid import uuid4

import pytest

from shared.adapters.redis.circuit_breakers import RedisCircuitBreakers
from shared.adapters.redis.connection import connect
from shared.ports.circuit_breakers import CircuitBreakers
from tests.contracts.redis_pipes import redis_adapters
from tests.contracts.tcp_proxy import tcp_proxy
from tests.fakes.circuit_breakers import FakeCircuitBreakers
from tests.services import free_port

_WINDOW_S, _OPEN_S, _COPY_S = 0.8, 0.5, 0.03
Pass = Callable[[float], Awaitable[None]]


@dataclass
class Subject:
    """`here` and `there` are two workers' views of the same breakers; `wait` lets time pass."""

    here: CircuitBreakers
    there: CircuitBreakers
    wait: Pass

    async def fail(self, name: str, times: int) -> None:
        for _ in range(times):
            await self.here.note(name, succeeded=False)


@pytest.fixture(params=["redis", "fake"])
async def subject(request: pytest.FixtureRequest) -> AsyncIterator[Subject]:
    if request.param == "fake":
        now_s = [0.0]

        async def move(seconds: float) -> None:
            now_s[0] += seconds

        fake = FakeCircuitBreakers(lambda: now_s[0], window_s=_WINDOW_S, open_s=_OPEN_S)
        yield Subject(fake, fake, move)
        return
    async with redis_adapters(request.getfixturevalue("redis_url")) as adapters:
        here, there = (
            RedisCircuitBreakers(
                adapters.connection, window_s=_WINDOW_S, open_s=_OPEN_S, copy_s=_COPY_S, answer_within_s=2.0
            )
            for _ in range(2)
        )
        yield Subject(here, there, asyncio.sleep)


@pytest.fixture
def name() -> str:
    return f"llm:{uuid4().hex}"


async def test_an_unknown_provider_may_be_asked(subject: Subject, name: str) -> None:
    assert await subject.here.allows(name)
    await subject.here.note(name, succeeded=True)
    assert await subject.here.allows(name)


async def test_failures_in_a_row_open_it_for_all(subject: Subject, name: str) -> None:
    await subject.fail(name, 2)
    assert await subject.here.allows(name)
    assert await subject.there.allows(name)
    await subject.fail(name, 1)
    assert not await subject.here.allows(name)
    await subject.wait(_COPY_S + 0.01)
    assert not await subject.there.allows(name)
    assert await subject.there.allows(f"{name}:other")


async def test_workers_count_together(subject: Subject, name: str) -> None:
    await subject.here.note(name, succeeded=False)
    await subject.there.note(name, succeeded=False)
    await subject.here.note(name, succeeded=False)
    assert not await subject.here.allows(name)


async def test_a_success_between_them_begins_anew(subject: Subject, name: str) -> None:
    await subject.fail(name, 2)
    await subject.here.note(name, succeeded=True)
    await subject.fail(name, 2)
    assert await subject.here.allows(name)


async def test_failures_far_apart_do_not_open_it(subject: Subject, name: str) -> None:
    await subject.fail(name, 2)
    await subject.wait(_WINDOW_S + 0.05)
    await subject.fail(name, 2)
    assert await subject.here.allows(name)


async def test_one_probe_decides_for_the_better(subject: Subject, name: str) -> None:
    await subject.fail(name, 3)
    await subject.wait(_OPEN_S + 0.02)
    allowed = [await worker.allows(name) for worker in (subject.here, subject.there, subject.here, subject.there)]
    assert allowed.count(True) == 1
    await subject.here.note(name, succeeded=True)
    await subject.wait(_COPY_S + 0.01)
    assert [await worker.allows(name) for worker in (subject.here, subject.there)] == [True, True]
    await subject.fail(name, 2)
    assert await subject.here.allows(name)


async def test_one_probe_decides_for_the_worse(subject: Subject, name: str) -> None:
    await subject.fail(name, 3)
    await subject.wait(_OPEN_S + 0.02)
    assert await subject.here.allows(name)
    await subject.here.note(name, succeeded=False)
    assert not await subject.here.allows(name)
    await subject.wait(_COPY_S + 0.01)
    assert not await subject.there.allows(name)
    await subject.wait(_OPEN_S)
    assert await subject.there.allows(name)


async def test_a_probe_that_never_ends_makes_room_for_another(subject: Subject, name: str) -> None:
    await subject.fail(name, 3)
    await subject.wait(_OPEN_S + 0.02)
    assert await subject.here.allows(name)
    assert not await subject.there.allows(name)
    await subject.wait(_OPEN_S + 0.02)
    assert await subject.there.allows(name)


# Redis alone


async def test_a_closed_breaker_is_looked_up_once_in_a_while(redis_url: str, name: str) -> None:
    async with redis_adapters(redis_url) as adapters:
        now_s = [100.0]
        breakers = RedisCircuitBreakers(adapters.connection, now_s=lambda: now_s[0], answer_within_s=2.0)
        before = (await adapters.commands.info("stats"))["total_commands_processed"]
        for _ in range(50):
            assert await breakers.allows(name)
            await breakers.note(name, succeeded=True)
        after = (await adapters.commands.info("stats"))["total_commands_processed"]
        assert after - before <= 6  # connecting, one script with its commands, and the question itself
        for _ in range(3):
            await RedisCircuitBreakers(adapters.connection, answer_within_s=2.0).note(name, succeeded=False)
        assert await breakers.allows(name)
        now_s[0] += 1.0
        assert not await breakers.allows(name)


async def test_nothing_stays_for_ever(redis_url: str, name: str) -> None:
    async with redis_adapters(redis_url) as adapters:
        breakers = RedisCircuitBreakers(adapters.connection, open_s=0.05, answer_within_s=2.0)
        await breakers.note(name, succeeded=False)
        assert [0 < await adapters.commands.ttl(key) <= 60 async for key in adapters.commands.scan_iter(f"*{name}*")]
        for _ in range(2):
            await breakers.note(name, succeeded=False)
        await asyncio.sleep(0.08)
        assert await breakers.allows(name)
        lives = [await adapters.commands.ttl(key) async for key in adapters.commands.scan_iter(f"*{name}*")]
        assert len(lives) == 1
        assert 0 < lives[0] <= 3600


async def test_without_redis_all_are_closed(name: str, caplog: pytest.LogCaptureFixture) -> None:
    connection = connect(f"redis://127.0.0.1:{free_port()}/0")
    breakers = RedisCircuitBreakers(connection)
    for _ in range(4):
        await breakers.note(name, succeeded=False)
        assert await breakers.allows(name)
    assert len(caplog.records) == 1
    await connection.aclose()


async def test_a_silent_redis_holds_nobody_up(redis_url: str, name: str) -> None:
    port = int(redis_url.rsplit(":", 1)[1].split("/", maxsplit=1)[0])
    async with tcp_proxy(port) as proxy, redis_adapters(f"redis://127.0.0.1:{proxy.port}/0") as adapters:
        breakers = RedisCircuitBreakers(adapters.connection)
        assert await breakers.allows("other")
        proxy.freeze()
        began = time.monotonic()
        assert all([await breakers.allows(name) for _ in range(100)])
        assert time.monotonic() - began < 1.0
        proxy.thaw()
