"""States of conversations: one of several writers at once is first, and what is there goes with the call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import uuid4

import pytest

from shared.adapters.redis.connection import connect
from shared.adapters.redis.conversation_states import RedisConversationStates
from shared.adapters.redis.live_calls import RedisLiveCalls
from shared.adapters.redis.wire import pack
from shared.domain import pipe_names
from shared.domain.errors import StoreError
from shared.domain.understanding.state import Doubt, Held, State
from shared.ports.conversation_states import ConversationStates
from tests.contracts.redis_pipes import redis_adapters
from tests.fakes.understanding import FakeConversationStates
from tests.services import free_port

STATE = State(
    agent_id="first",
    intent="book",
    step="when",
    slots={"name": Held(value="अंजलि \ud800", said="x", turn=1)},
    doubts={"day": Doubt(why="ambiguous", said="the 3rd", turn=2, candidates=("a", "b"))},
    turns=(1, 2),
)


@pytest.fixture(params=["redis", "fake"])
async def states(request: pytest.FixtureRequest) -> AsyncIterator[ConversationStates]:
    if request.param == "fake":
        yield FakeConversationStates()
        return
    async with redis_adapters(request.getfixturevalue("redis_url")) as adapters:
        yield RedisConversationStates(adapters.connection)


@pytest.fixture
def call_id() -> str:
    return uuid4().hex


async def test_what_was_written_is_read(states: ConversationStates, call_id: str) -> None:
    assert await states.read(call_id) == (None, 0)
    state = replace(STATE, slots={})
    assert await states.write(call_id, state, revision=0)
    assert await states.read(call_id) == (state, 1)
    changed = replace(state, step="who")
    assert await states.write(call_id, changed, revision=1)
    assert await states.read(call_id) == (changed, 2)


async def test_who_has_read_something_older_is_refused(states: ConversationStates, call_id: str) -> None:
    assert await states.write(call_id, STATE, revision=0)
    other = replace(STATE, intent="other")
    assert not await states.write(call_id, other, revision=0)
    assert not await states.write(call_id, other, revision=2)
    assert (await states.read(call_id))[1] == 1


async def test_who_writes_the_same_again_has_written_it(states: ConversationStates, call_id: str) -> None:
    assert await states.write(call_id, STATE, revision=0)
    assert await states.write(call_id, STATE, revision=0)
    assert (await states.read(call_id))[1] == 1


async def test_of_many_at_once_one_is_first(states: ConversationStates, call_id: str) -> None:
    written = await asyncio.gather(
        *(states.write(call_id, replace(STATE, step=f"s{i}"), revision=0) for i in range(20))
    )
    assert sum(written) == 1


async def test_redis_keeps_it_as_long_as_the_call(redis_url: str, call_id: str) -> None:
    async with redis_adapters(redis_url) as adapters:
        states = RedisConversationStates(adapters.connection)
        await states.write(call_id, STATE, revision=0)
        ttl = await adapters.connection.ask("ttl", pack(("TTL", pipe_names.state(call_id))))
        assert ttl > 0
        found, _ = await states.read(call_id)
        assert found is not None
        assert found.slots["name"].value == "अंजलि ?", "halves of characters can be written nowhere"
        await RedisLiveCalls(adapters.connection).close(call_id, 3)
        assert await states.read(call_id) == (None, 0)


async def test_what_another_release_wrote_unreadably_can_be_replaced(redis_url: str, call_id: str) -> None:
    async with redis_adapters(redis_url) as adapters:
        states = RedisConversationStates(adapters.connection)
        for document in ("[]", "{", '{"agent_id": 1, "slots": [1]}'):
            await adapters.connection.ask(
                "spoil", pack(("HSET", pipe_names.state(call_id), "revision", 7, "document", document))
            )
            assert await states.read(call_id) == (None, 7)
        assert await states.write(call_id, STATE, revision=7)


async def test_a_store_that_is_away_is_told(call_id: str) -> None:
    connection = connect(f"redis://127.0.0.1:{free_port()}/0")
    states = RedisConversationStates(connection)
    with pytest.raises(StoreError):
        await states.read(call_id)
    with pytest.raises(StoreError):
        await states.write(call_id, STATE, revision=0)
    await connection.aclose()
