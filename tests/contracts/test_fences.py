"""Of two executions of one step, only the newer one writes: on every pipe."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from shared.adapters.redis.connection import KEY_LIFETIME_S
from shared.domain import pipe_names
from shared.domain.errors import Overtaken
from shared.ports.pipes import Entry
from shared.ports.pipes_and_frames import PipesAndFrames
from tests.contracts.redis_pipes import redis_adapters
from tests.fakes.clock import FakeClock
from tests.fakes.pipes import FakePipes


@pytest.fixture(params=["redis", "fake"])
async def pipes(request: pytest.FixtureRequest) -> AsyncIterator[PipesAndFrames]:
    if request.param == "fake":
        yield FakePipes(FakeClock())
        return
    async with redis_adapters(request.getfixturevalue("redis_url")) as adapters:
        yield adapters.pipes


@pytest.fixture
def pipe() -> str:
    return pipe_names.turn(uuid4().hex, 1, pipe_names.SENT)


def values(entries: list[Entry]) -> list[bytes]:
    return [entry.fields[b"v"] for entry in entries]


async def test_who_was_overtaken_writes_nothing_more(pipes: PipesAndFrames, pipe: str) -> None:
    key = f"{pipe}:epoch"
    first = await pipes.fence(key)
    await pipes.append(pipe, {"v": b"1"}, position="1-0", fence=first)
    await pipes.check(first)
    second = await pipes.fence(key)
    assert second.epoch > first.epoch
    with pytest.raises(Overtaken):
        await pipes.append(pipe, {"v": b"of the first"}, position="2-0", fence=first)
    with pytest.raises(Overtaken):
        await pipes.check(first)
    await pipes.append(pipe, {"v": b"2"}, position="2-0", fence=second)
    await pipes.append(pipe, {"v": b"again"}, position="2-0", fence=second)
    await pipes.append(f"{pipe}:none", {"v": b"3"}, must_exist=True, fence=second)
    await pipes.check(second)
    assert values(await pipes.read(pipe)) == [b"1", b"2"]
    assert await pipes.read(f"{pipe}:none") == []


async def test_however_many_write_at_once_nothing_of_the_older_ones_follows_a_newer_one(
    pipes: PipesAndFrames, pipe: str
) -> None:
    async def execution(number: int) -> None:
        await asyncio.sleep(0.003 * number)
        fence = await pipes.fence(f"{pipe}:epoch")
        try:
            for _ in range(50):
                await pipes.append(pipe, {"v": b"%d" % fence.epoch}, fence=fence)
        except Overtaken:
            return

    await asyncio.gather(*(execution(number) for number in range(5)))
    epochs = [int(value) for value in values(await pipes.read(pipe))]
    assert epochs == sorted(epochs)
    assert epochs.count(5) == 50


async def test_fences_go_with_their_call_and_expire(redis_url: str) -> None:
    async with redis_adapters(redis_url) as adapters:
        call_id = uuid4().hex
        keys = [pipe_names.turn(call_id, 1, name) for name in pipe_names.EPOCHS]
        for key in keys:
            fence = await adapters.pipes.fence(key)
            await adapters.pipes.append(f"{key}:pipe", {"v": b"1"}, fence=fence)
            assert 0 < await adapters.commands.ttl(key) <= KEY_LIFETIME_S
            assert 0 < await adapters.commands.ttl(f"{key}:pipe") <= KEY_LIFETIME_S
        await adapters.live_calls.close(call_id, 1)
        assert not await adapters.commands.exists(*keys)
        await adapters.pipes.check(fence)
        await adapters.pipes.append(pipe_names.turn(call_id, 1, "sent"), {"v": b"1"}, fence=fence)
