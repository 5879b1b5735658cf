"""What every record of running calls does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import uuid4

import pytest

from shared.adapters.redis.connection import KEY_LIFETIME_S
from shared.domain import pipe_names
from shared.domain.ledger import Cost, cost_entry, read_costs
from shared.domain.telephony.lines import Line, Provider
from shared.ports.live_calls import LiveCall, LiveCalls
from shared.ports.pipes import Pipes
from tests.contracts.redis_pipes import redis_adapters
from tests.fakes.clock import FakeClock
from tests.fakes.live_calls import FakeLiveCalls
from tests.fakes.pipes import FakePipes


@pytest.fixture(params=["redis", "fake"])
async def stores(request: pytest.FixtureRequest) -> AsyncIterator[tuple[LiveCalls, Pipes]]:
    if request.param == "fake":
        pipes = FakePipes(FakeClock())
        yield FakeLiveCalls(FakeClock(), pipes), pipes
        return
    async with redis_adapters(request.getfixturevalue("redis_url")) as adapters:
        yield adapters.live_calls, adapters.pipes


@pytest.fixture
def live_calls(stores: tuple[LiveCalls, Pipes]) -> LiveCalls:
    return stores[0]


@pytest.fixture
async def call(live_calls: LiveCalls) -> LiveCall:
    call = LiveCall(uuid4().hex, "tenant", "nora", Provider.TWILIO, "CA1", Line.TWILIO_GATHER)
    await live_calls.open(call)
    return call


async def attach(live_calls: LiveCalls, call_id: str, connection_id: str, at_ms: int = 5) -> bool:
    return await live_calls.attach(call_id, hub="carriers", connection_id=connection_id, stream_id="MZ", at_ms=at_ms)


async def test_a_call_comes_back_as_it_was_opened(live_calls: LiveCalls, call: LiveCall) -> None:
    assert await live_calls.get(call.call_id) == call
    assert await live_calls.get("another") is None


async def test_opening_again_changes_nothing(live_calls: LiveCalls, call: LiveCall) -> None:
    await attach(live_calls, call.call_id, "conn-1")
    await live_calls.end(call.call_id, "silent")
    await live_calls.open(replace(call, agent_id="hugo", tenant_id="other"))
    found = await live_calls.get(call.call_id)
    assert found == replace(
        call, hub="carriers", connection_id="conn-1", stream_id="MZ", started_ms=5, end_reason="silent"
    )


async def test_a_call_goes_on_with_the_agent_of_the_latest_turn(live_calls: LiveCalls, call: LiveCall) -> None:
    assert await live_calls.pass_on(call.call_id, "hugo", 4, turn=3)
    assert await live_calls.pass_on(call.call_id, "hugo", 4, turn=3), "said again it is the same"
    assert not await live_calls.pass_on(call.call_id, "late", 9, turn=2)
    await live_calls.open(call)
    assert await live_calls.get(call.call_id) == replace(call, agent_id="hugo", agent_version=4, agent_since=3)
    assert await live_calls.pass_on(call.call_id, "nora", 1, turn=5)
    await live_calls.end(call.call_id, "silent")
    assert not await live_calls.pass_on(call.call_id, "hugo", 4, turn=6)
    assert not await live_calls.pass_on("another", "hugo", 4, turn=6)
    assert await live_calls.get("another") is None


async def test_one_connection_gets_the_call(live_calls: LiveCalls, call: LiveCall) -> None:
    won = await asyncio.gather(*(attach(live_calls, call.call_id, f"conn-{n}", n) for n in range(1, 9)))
    assert won.count(True) == 1
    found = await live_calls.get(call.call_id)
    assert found is not None
    assert (found.connection_id, found.started_ms) == (f"conn-{won.index(True) + 1}", won.index(True) + 1)


async def test_another_connection_takes_the_place_of_one_that_is_gone(live_calls: LiveCalls, call: LiveCall) -> None:
    await attach(live_calls, call.call_id, "conn-1", 5)
    await live_calls.detach(call.call_id, connection_id="conn-2")
    await live_calls.detach(call.call_id, connection_id="")
    assert not await attach(live_calls, call.call_id, "conn-2", 7), "only its own connection lets go of a call"
    await live_calls.detach(call.call_id, connection_id="conn-1")
    known = await live_calls.get(call.call_id)
    assert known is not None
    assert (known.connection_id, known.stream_id, known.started_ms) == ("", "", 5)
    assert await attach(live_calls, call.call_id, "conn-2", 9)
    known = await live_calls.get(call.call_id)
    assert known is not None
    assert (known.connection_id, known.started_ms) == ("conn-2", 5), "the call has begun when its first one came"
    await live_calls.detach("another", connection_id="conn-1")
    assert await live_calls.get("another") is None


async def test_the_same_connection_may_attach_again_and_time_stands(live_calls: LiveCalls, call: LiveCall) -> None:
    assert await attach(live_calls, call.call_id, "conn-1", 5)
    assert await attach(live_calls, call.call_id, "conn-1", 99)
    assert not await attach(live_calls, call.call_id, "conn-2", 100)
    found = await live_calls.get(call.call_id)
    assert found is not None
    assert found.started_ms == 5


async def test_no_connection_gets_a_call_that_is_not_there(live_calls: LiveCalls) -> None:
    assert not await attach(live_calls, "another", "conn-1")
    assert await live_calls.get("another") is None


async def test_the_first_end_stands(live_calls: LiveCalls, call: LiveCall) -> None:
    won = await asyncio.gather(*(live_calls.end(call.call_id, f"reason-{n}") for n in range(5)))
    assert won.count(True) == 1
    found = await live_calls.get(call.call_id)
    assert found is not None
    assert found.end_reason == f"reason-{won.index(True)}"


async def test_what_is_not_there_cannot_end(live_calls: LiveCalls) -> None:
    assert not await live_calls.end("another", "error")
    assert await live_calls.get("another") is None


async def test_for_what_a_call_is_left(live_calls: LiveCalls, call: LiveCall) -> None:
    assert await live_calls.leave(call.call_id, "transferred")
    assert await live_calls.get(call.call_id) == replace(call, leaving="transferred")
    assert await live_calls.leave(call.call_id, "")
    assert await live_calls.get(call.call_id) == call
    await live_calls.end(call.call_id, "silent")
    assert not await live_calls.leave(call.call_id, "transferred")
    assert not await live_calls.leave("another", "transferred")
    assert await live_calls.get("another") is None


async def test_of_several_who_put_a_call_through_one_does(live_calls: LiveCalls, call: LiveCall) -> None:
    for _ in range(20):
        told = await asyncio.gather(*(live_calls.leave(call.call_id, "transferred") for _ in range(8)))
        assert told.count(True) == 1
        assert await live_calls.leave(call.call_id, "")


async def test_a_ticket_belongs_to_the_connection_that_used_it_first(live_calls: LiveCalls, call: LiveCall) -> None:
    ticket = await live_calls.issue_ticket(call.call_id)
    found = await asyncio.gather(*(live_calls.redeem_ticket(ticket, connection_id=f"conn-{n}") for n in range(5)))
    assert sorted(found, key=str) == [None] * 4 + [call.call_id] or found.count(call.call_id) == 1
    holder = f"conn-{found.index(call.call_id)}"
    assert await live_calls.redeem_ticket(ticket, connection_id=holder) == call.call_id


@pytest.mark.parametrize("ticket", ["", "unknown", "*", "call:{x}"])
async def test_an_unknown_ticket(live_calls: LiveCalls, ticket: str) -> None:
    assert await live_calls.redeem_ticket(ticket, connection_id="conn-1") is None
    assert await live_calls.redeem_ticket(ticket, connection_id="conn-1") is None


async def test_tickets_differ(live_calls: LiveCalls, call: LiveCall) -> None:
    assert len({await live_calls.issue_ticket(call.call_id) for _ in range(20)}) == 20


async def test_a_journal(live_calls: LiveCalls, call: LiveCall) -> None:
    assert await live_calls.journal(call.call_id, 1) == {}
    await live_calls.note(call.call_id, 1, {"heard": "Grüße, नमस्ते", "speech_ended_ms": 1700000000123.25})
    await live_calls.note(call.call_id, 1, {"heard": "Hi."})
    await live_calls.note_once(call.call_id, 1, "first_token_ms", 5.5)
    await live_calls.note_once(call.call_id, 1, "first_token_ms", 9.5)
    journal = await live_calls.journal(call.call_id, 1)
    assert journal == {"heard": "Hi.", "speech_ended_ms": "1700000000123.25", "first_token_ms": "5.5"}


async def test_journals_in_order(live_calls: LiveCalls, call: LiveCall) -> None:
    for turn in (0, 2):
        await live_calls.note(call.call_id, turn, {"said": str(turn)})
    assert await live_calls.journals(call.call_id, range(3)) == [{"said": "0"}, {}, {"said": "2"}]
    assert await live_calls.journals(call.call_id, range(0)) == []


async def test_costs_add_up(live_calls: LiveCalls, call: LiveCall) -> None:
    await live_calls.note(call.call_id, 1, {"heard": "Hi."})
    await live_calls.count(call.call_id, 1, {Cost.TOKENS: 12, Cost.TAKES: 1})
    await live_calls.count(call.call_id, 1, {Cost.TOKENS: 0.5})
    await live_calls.count(call.call_id, 1, {})
    journal = await live_calls.journal(call.call_id, 1)
    assert read_costs(journal) == {"tokens": 12.5, "takes": 1.0}
    assert journal["heard"] == "Hi."
    assert journal[cost_entry(Cost.TAKES)] == "1"
    await live_calls.count(call.call_id, 2, {})
    assert await live_calls.journal(call.call_id, 2) == {}


async def test_numbers_are_drawn_in_order(live_calls: LiveCalls, call: LiveCall) -> None:
    drawn = await asyncio.gather(*(live_calls.draw(call.call_id, "fillers") for _ in range(8)))
    assert sorted(drawn) == list(range(8))
    assert [await live_calls.draw(call.call_id, "other"), await live_calls.draw("another", "fillers")] == [0, 0]
    assert await live_calls.get("another") is None
    await live_calls.close(call.call_id, 0)
    assert await live_calls.draw(call.call_id, "fillers") == 0


async def test_a_closed_call_is_forgotten_with_everything(stores: tuple[LiveCalls, Pipes], call: LiveCall) -> None:
    live_calls, pipes = stores
    names = [*pipe_names.of_call(call.call_id)]
    names += [pipe_names.turn(call.call_id, turn, pipe) for turn in range(4) for pipe in pipe_names.TURN_PIPES]
    for name in names:
        await pipes.append(name, {"v": b"1"})
    for turn in range(4):
        await live_calls.note(call.call_id, turn, {"said": "x"})
    await live_calls.close(call.call_id, 2)
    assert await live_calls.get(call.call_id) is None
    assert await live_calls.journals(call.call_id, range(4)) == [{}] * 4
    assert [await pipes.read(name) for name in names] == [[]] * len(names)
    await live_calls.close(call.call_id, 2)


async def test_calls_do_not_touch_each_other(live_calls: LiveCalls, call: LiveCall) -> None:
    other = replace(call, call_id=uuid4().hex)
    await live_calls.open(other)
    await live_calls.note(other.call_id, 1, {"heard": "mine"})
    await live_calls.end(call.call_id, "silent")
    await live_calls.close(call.call_id, 5)
    assert await live_calls.get(other.call_id) == other
    assert await live_calls.journal(other.call_id, 1) == {"heard": "mine"}


async def test_ready(live_calls: LiveCalls) -> None:
    await live_calls.ping()


# Redis alone


async def test_everything_expires(redis_url: str) -> None:
    async with redis_adapters(redis_url) as adapters:
        live_calls, commands = adapters.live_calls, adapters.commands
        call_id = uuid4().hex
        await live_calls.open(LiveCall(call_id, "t", "a", Provider.WEB, "x", Line.WEB))
        await live_calls.note(call_id, 0, {"a": "b"})
        await live_calls.note_once(call_id, 1, "a", "b")
        await live_calls.count(call_id, 2, {Cost.TAKES: 1})
        await live_calls.draw(call_id, "fillers")
        async for key in commands.scan_iter(f"*{call_id}*"):
            assert KEY_LIFETIME_S - 60 < await commands.ttl(key) <= KEY_LIFETIME_S, key
        ticket = await live_calls.issue_ticket(call_id)
        assert 0 < await commands.ttl(f"ticket:{ticket}") <= 60
        await live_calls.redeem_ticket(ticket, connection_id="conn-1")
        assert 0 < await commands.ttl(f"ticket:{ticket}") <= 60


async def test_nothing_is_left_of_a_closed_call(redis_url: str) -> None:
    async with redis_adapters(redis_url) as adapters:
        call_id = uuid4().hex
        await adapters.live_calls.open(LiveCall(call_id, "t", "a", Provider.WEB, "x", Line.WEB))
        await adapters.pipes.append(pipe_names.frames(call_id), {"event": "started"})
        await adapters.live_calls.note(call_id, 0, {"a": "b"})
        await adapters.live_calls.draw(call_id, "fillers")
        await adapters.live_calls.close(call_id, 0)
        await adapters.pipes.append_frame(call_id, "conn", "1", b"late")
        assert [key async for key in adapters.commands.scan_iter(f"*{call_id}*")] == []


async def test_a_field_of_a_later_release_is_passed_over(redis_url: str) -> None:
    async with redis_adapters(redis_url) as adapters:
        call = LiveCall(uuid4().hex, "t", "a", Provider.WEB, "x", Line.WEB)
        await adapters.live_calls.open(call)
        await adapters.commands.hset(pipe_names.call_prefix(call.call_id), "mood", "sunny")
        assert await adapters.live_calls.get(call.call_id) == call


async def test_a_call_of_an_earlier_release_is_on_its_providers_first_line(redis_url: str) -> None:
    async with redis_adapters(redis_url) as adapters:
        call = LiveCall(uuid4().hex, "t", "a", Provider.TWILIO, "x", Line.TWILIO_RELAY)
        await adapters.live_calls.open(call)
        await adapters.commands.hdel(pipe_names.call_prefix(call.call_id), "line", "leaving")
        assert await adapters.live_calls.get(call.call_id) == replace(call, line=Line.TWILIO)


async def test_the_language_that_was_ordered_and_its_phrases(live_calls: LiveCalls, call: LiveCall) -> None:
    assert await live_calls.order_language(call.call_id, "hi-IN", order="1")
    assert await live_calls.order_language(call.call_id, "en", order="2")
    assert await live_calls.keep_phrases(call.call_id, '{"apology": "क्षमा करें"}')
    expected = replace(call, language="en", language_order="2", phrases='{"apology": "क्षमा करें"}')
    assert await live_calls.get(call.call_id) == expected
    await live_calls.end(call.call_id, "silent")
    assert not await live_calls.order_language(call.call_id, "hi-IN", order="3")
    assert not await live_calls.keep_phrases(call.call_id, "{}")
    assert not await live_calls.order_language("another", "hi-IN", order="1")
    assert await live_calls.get("another") is None
