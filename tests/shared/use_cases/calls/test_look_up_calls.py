"""What an operator sees: the record, and of a running call what its journals say now."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from shared.domain.agents.after_call import AfterCall
from shared.domain.call import Agent, CallState, EndReason, Turn, TurnOutcome
from shared.domain.errors import NotFound, StoreError, VoiceAgentError
from shared.use_cases.calls.look_up_calls import LookUpCalls
from shared.use_cases.check_health import CheckHealth
from tests.fakes.call import CALL_ID, TENANT_ID, House
from tests.fakes.stores import FakeDirectory


async def looking() -> tuple[House, LookUpCalls]:
    house = House()
    await house.connect()
    return house, LookUpCalls(house.call_store, house.live_calls)


async def test_a_running_call_shows_what_is_known_by_now() -> None:
    house, look_up = await looking()
    await house.call_store.save_turn(TENANT_ID, CALL_ID, Turn(0, None, "Hello.", TurnOutcome.COMPLETED))
    await house.live_calls.note(CALL_ID, 1, {"heard": "Hi?", "saying": "Let me", "speech_ended_ms": 12.5})
    call = await look_up.one(TENANT_ID, CALL_ID)
    assert call.state is CallState.IN_PROGRESS
    assert call.turns == (
        Turn(0, None, "Hello.", TurnOutcome.COMPLETED),
        Turn(1, "Hi?", "Let me", TurnOutcome.RUNNING, {"speech_ended_ms": 12.5}),
    )


async def test_a_journal_is_newer_than_the_record() -> None:
    house, look_up = await looking()
    await house.call_store.save_turn(TENANT_ID, CALL_ID, Turn(1, "Hi?", "Let me", TurnOutcome.RUNNING))
    await house.live_calls.note(CALL_ID, 1, {"heard": "Hi?", "said": "Let me see.", "outcome": "completed"})
    assert (await look_up.one(TENANT_ID, CALL_ID)).turns == (Turn(1, "Hi?", "Let me see.", TurnOutcome.COMPLETED),)


@pytest.mark.parametrize(("redacts", "heard"), [(True, "I am [name], [phone]"), (False, "I am Ann, 98450 12345")])
async def test_what_is_personal_is_hidden_while_the_call_runs(redacts: bool, heard: str) -> None:
    house, look_up = await looking()
    await house.live_calls.note(CALL_ID, 1, {"heard": "I am Ann, 98450 12345", "said": "Hi."})
    call = await house.call_store.get(TENANT_ID, CALL_ID)
    assert call is not None
    agent = Agent(
        agent_id=call.agent_id,
        tenant_id=TENANT_ID,
        name="A",
        persona="P",
        greeting="Hello.",
        after_call=AfterCall(redacts=redacts),
    )
    shown = await replace(look_up, directory=FakeDirectory(agent)).one(TENANT_ID, CALL_ID)
    assert [turn.heard for turn in shown.turns] == [heard]


async def test_of_a_call_that_has_ended_the_record_stands() -> None:
    house, look_up = await looking()
    await house.live_calls.note(CALL_ID, 1, {"heard": "Hi?"})
    reason = EndReason.SILENT
    await house.call_store.advance(TENANT_ID, CALL_ID, CallState.COMPLETED, at=house.clock.now(), reason=reason)
    assert (await look_up.one(TENANT_ID, CALL_ID)).turns == ()


@pytest.mark.parametrize(("tenant_id", "call_id"), [("tenant-2", CALL_ID), (TENANT_ID, "another")])
async def test_no_call_of_another_tenant(tenant_id: str, call_id: str) -> None:
    _, look_up = await looking()
    with pytest.raises(NotFound, match="call_unknown"):
        await look_up.one(tenant_id, call_id)


async def test_many() -> None:
    _, look_up = await looking()
    found = await look_up.many(TENANT_ID, provider_call_id=None, state=CallState.IN_PROGRESS, before=None, limit=5)
    assert [call.call_id for call in found] == [CALL_ID]
    assert await look_up.many("tenant-2", provider_call_id=None, state=None, before=None, limit=5) == []


async def test_health_asks_all_at_once_and_waits_for_none_too_long() -> None:
    async def fine() -> None:
        await asyncio.sleep(1)

    async def down() -> None:
        raise StoreError("redis_unavailable", "away", retryable=True)

    async def silent() -> None:
        await asyncio.sleep(3600)

    began = asyncio.get_running_loop().time()
    parts = await CheckHealth({"a": fine, "b": down, "c": silent, "d": fine})()
    assert parts == {"a": "ok", "b": "redis_unavailable", "c": "no_answer", "d": "ok"}
    assert asyncio.get_running_loop().time() - began <= 6


async def test_health_of_a_part_that_refuses_for_good() -> None:
    async def refusing() -> None:
        raise VoiceAgentError("files_rejected", "wrong key")

    assert await CheckHealth({"files": refusing})() == {"files": "files_rejected"}


class Part:
    """Counts how often it is asked, and takes a moment to answer."""

    def __init__(self) -> None:
        self.asked = 0
        self.is_up = True

    async def ping(self) -> None:
        self.asked += 1
        await asyncio.sleep(0.2)
        if not self.is_up:
            raise StoreError("redis_unavailable", "away", retryable=True)


async def test_health_is_asked_once_for_all_who_come_at_the_same_moment() -> None:
    part = Part()
    check = CheckHealth({"redis": part.ping})
    assert await asyncio.gather(*(check() for _ in range(50))) == [{"redis": "ok"}] * 50
    assert part.asked == 1


async def test_the_state_of_health_holds_for_a_second() -> None:
    part = Part()
    check = CheckHealth({"redis": part.ping})
    for _ in range(10):
        assert await check() == {"redis": "ok"}
        await asyncio.sleep(0.05)
    assert part.asked == 1
    part.is_up = False
    await asyncio.sleep(1)
    assert await check() == {"redis": "redis_unavailable"}
    part.is_up = True
    await asyncio.sleep(1)
    assert await check() == {"redis": "ok"}
    assert part.asked == 3


async def test_who_goes_away_takes_the_state_of_health_from_nobody() -> None:
    part = Part()
    check = CheckHealth({"redis": part.ping})
    first, second = asyncio.create_task(check()), asyncio.create_task(check())
    await asyncio.sleep(0.1)
    first.cancel()
    assert await second == {"redis": "ok"}
    assert part.asked == 1


async def test_what_was_not_thought_of_is_asked_again() -> None:
    errors: list[Exception] = [RuntimeError("not thought of")]

    async def part() -> None:
        if errors:
            raise errors.pop()

    check = CheckHealth({"redis": part})
    with pytest.raises(RuntimeError):
        await check()
    assert await check() == {"redis": "ok"}


async def test_whose_calls_they_are() -> None:
    house, look_up = await looking()
    call = await house.call_store.get(TENANT_ID, CALL_ID)
    assert call is not None
    ours: Any = {"provider_call_ids": ("", "unknown", call.provider_call_id), "call_id": ""}
    assert await look_up.is_among({TENANT_ID}, call.provider, **ours)
    assert not await look_up.is_among({"tenant-2"}, call.provider, **ours)
    assert not await look_up.is_among(set(), call.provider, provider_call_ids=(), call_id=CALL_ID)
    assert await look_up.is_among(set(), call.provider, provider_call_ids=("unknown",), call_id="another")
