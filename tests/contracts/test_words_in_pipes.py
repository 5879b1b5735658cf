"""A pipe in which entries stand at their turn, until one stands at its time: each turn once, and none after that."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from shared.domain import pipe_names
from shared.ports.pipes import Pipes
from tests.contracts.redis_pipes import redis_adapters
from tests.fakes.clock import FakeClock
from tests.fakes.pipes import FakePipes


@pytest.fixture(params=["redis", "fake"])
async def pipes(request: pytest.FixtureRequest) -> AsyncIterator[Pipes]:
    if request.param == "fake":
        yield FakePipes(FakeClock())
        return
    async with redis_adapters(request.getfixturevalue("redis_url")) as adapters:
        yield adapters.pipes


async def test_turns_and_times(pipes: Pipes) -> None:
    words = pipe_names.words(uuid4().hex)
    for position, value in (("0-1", "begin"), ("1-1", "one"), ("1-1", "again"), ("0-1", "late"), ("2-1", "two")):
        await pipes.append(words, {"v": value}, position=position)
    await pipes.append(words, {"v": "end"})
    await pipes.append(words, {"v": "three"}, position="3-1")
    assert [entry.fields[b"v"] for entry in await pipes.read(words)] == [b"begin", b"one", b"two", b"end"]
    newest = await pipes.last(words)
    assert newest is not None
    assert newest.fields == {b"v": b"end"}
