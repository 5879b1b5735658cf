"""What was understood outlives the worker that has understood it: two workers, one real store, one dies."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import uuid4

import pytest

from shared.adapters.redis.conversation_states import RedisConversationStates
from shared.domain.steps import TurnRequest
from shared.domain.telephony.lines import Line, Provider
from shared.ports.live_calls import LiveCall
from shared.use_cases.understanding.understand import Understand
from tests.contracts.redis_pipes import RedisAdapters, redis_adapters
from tests.fakes.clock import FakeClock
from tests.shared.domain.understanding.clinic import ACCOUNTS, CLINIC, values
from tests.shared.use_cases.understanding.test_understand import Agents, Model, output

WORDS = "well it should be this Friday if that is possible at all"


@pytest.fixture
async def adapters(redis_url: str) -> AsyncIterator[RedisAdapters]:
    async with redis_adapters(redis_url) as adapters:
        yield adapters


def _worker(adapters: RedisAdapters, model: Model) -> Understand:
    return Understand(
        RedisConversationStates(adapters.connection),
        adapters.live_calls,
        Agents(CLINIC, ACCOUNTS),  # type: ignore[arg-type]
        model,
        FakeClock(),
    )


async def _call(adapters: RedisAdapters) -> str:
    call_id = uuid4().hex
    await adapters.live_calls.open(LiveCall(call_id, "acme", "clinic", Provider.TWILIO, "CA1", Line.TWILIO))
    return call_id


async def test_a_worker_that_dies_while_the_model_thinks_leaves_the_turn_to_the_next(adapters: RedisAdapters) -> None:
    call_id = await _call(adapters)
    dying = _worker(adapters, stuck := Model([asyncio.Event()]))
    await dying.begin(TurnRequest("acme", call_id, 1), CLINIC)
    await dying.follow(TurnRequest("acme", call_id, 1), CLINIC, "book an appointment")
    dead = asyncio.create_task(dying.follow(TurnRequest("acme", call_id, 2), CLINIC, WORDS))
    while not stuck.asked:
        await asyncio.sleep(0.001)
    dead.cancel()
    await asyncio.gather(dead, return_exceptions=True)
    states = RedisConversationStates(adapters.connection)
    state, _ = await states.read(call_id)
    assert state is not None
    assert (state.turns, values(state)) == ((1,), {})

    living = _worker(adapters, Model([output(day="this Friday")]))
    await living.follow(TurnRequest("acme", call_id, 2), CLINIC, WORDS)
    state, revision = await states.read(call_id)
    assert state is not None
    assert (state.turns, state.intent, set(values(state))) == ((1, 2), "book", {"day"})
    await _worker(adapters, Model()).follow(TurnRequest("acme", call_id, 2), CLINIC, WORDS)
    assert (await states.read(call_id))[1] == revision
    context = (await living.guide(TurnRequest("acme", call_id, 3), CLINIC, "hm")).context
    assert json.loads(context.splitlines()[-1]) == values(state)


async def test_two_workers_who_run_the_same_turn_write_it_once(adapters: RedisAdapters) -> None:
    call_id = await _call(adapters)
    workers = [_worker(adapters, Model([output("book", day="this Friday")])) for _ in range(2)]
    request = TurnRequest("acme", call_id, 1)
    await asyncio.gather(*(worker.begin(request, CLINIC) for worker in workers))
    await asyncio.gather(*(worker.follow(request, CLINIC, WORDS) for worker in workers))
    state, revision = await RedisConversationStates(adapters.connection).read(call_id)
    assert state is not None
    assert (state.turns, revision) == ((1,), 2)


async def test_a_call_that_was_handed_on_stays_with_the_other_through_a_crash(adapters: RedisAdapters) -> None:
    call_id = await _call(adapters)
    words = "I have a question about my bill"
    await _worker(adapters, Model()).follow(TurnRequest("acme", call_id, 1), CLINIC, words)
    live = await adapters.live_calls.get(call_id)
    assert live is not None
    assert (live.agent_id, live.agent_version) == ("accounts", 7)
    guidance = await _worker(adapters, Model()).guide(TurnRequest("acme", call_id, 2), CLINIC, "so")
    assert guidance.agent == replace(ACCOUNTS)
