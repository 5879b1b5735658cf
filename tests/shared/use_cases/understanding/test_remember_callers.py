"""A caller who calls again soon can go on; nobody else can, and nothing of it can be read where it lies."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.adapters.aes_gcm.vault import AesGcmVault
from shared.domain.call import OUTBOUND, Agent, Call, CallState, Turn, TurnOutcome
from shared.domain.errors import StoreError
from shared.domain.telephony.lines import Line, Provider
from shared.domain.understanding.callers import caller_keys, party_of
from shared.domain.understanding.flow import begun
from shared.domain.understanding.plan import Deed, plan_of
from shared.domain.understanding.state import Held, State
from shared.use_cases.understanding.remember_callers import RememberCallers
from tests.fakes.understanding import FakeCallerMemories, FakeConversationStates
from tests.shared.domain.understanding.clinic import CLINIC, values

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
AGENT = replace(CLINIC, memory_hours=2)
STATE = replace(
    begun(AGENT),
    intent="book",
    step="when",
    slots={"name": Held(value="Ann Secret", said="Ann Secret", turn=2, confirmed=True)},
    turns=(1, 2),
)


def _call(call_id: str = "one", **changes: object) -> Call:
    call = Call(
        call_id,
        "acme",
        "clinic",
        Provider.TWILIO,
        f"CA{call_id}",
        Line.TWILIO,
        "inbound",
        "+14155550100",
        "+14155550199",
        CallState.IN_PROGRESS,
        NOW,
        agent_version=3,
    )
    return replace(call, **changes)  # type: ignore[arg-type]


class Clock:
    def __init__(self) -> None:
        self.at = NOW
        self.meanwhile: Callable[[], Awaitable[object]] | None = None

    def now(self) -> datetime:
        return self.at

    def now_ms(self) -> float:
        return self.at.timestamp() * 1000

    async def sleep_ms(self, duration_ms: float) -> None:
        self.at += timedelta(milliseconds=duration_ms)
        if self.meanwhile is not None:
            await self.meanwhile()


class Calls:
    def __init__(self) -> None:
        self.known: dict[tuple[str, str], Call] = {}

    async def get(self, tenant_id: str, call_id: str) -> Call | None:
        return self.known.get((tenant_id, call_id))


class Agents:
    def __init__(self) -> None:
        self.one = AGENT

    async def agent(self, tenant_id: str, agent_id: str | None, version: int = 0) -> Agent | None:
        return replace(self.one, tenant_id=tenant_id) if agent_id == self.one.agent_id else None


class World:
    def __init__(self) -> None:
        self.clock, self.calls, self.agents = Clock(), Calls(), Agents()
        self.states, self.memories = FakeConversationStates(), FakeCallerMemories()
        self.vault = AesGcmVault({"k1": b"1" * 32})
        self.keys = [b"first"]

    @property
    def remember(self) -> RememberCallers:
        return RememberCallers(
            memories=self.memories,
            states=self.states,
            call_store=self.calls,  # type: ignore[arg-type]
            directory=self.agents,  # type: ignore[arg-type]
            vault=self.vault,
            clock=self.clock,  # type: ignore[arg-type]
            keys=self.keys,
        )

    async def keep(self, call: Call, state: State = STATE) -> None:
        self.calls.known[call.tenant_id, call.call_id] = call
        await self.states.write(call.call_id, state, revision=0)
        await self.remember.keep(call.tenant_id, call.call_id)

    async def recall(self, call: Call) -> State | None:
        self.calls.known[call.tenant_id, call.call_id] = call
        agent = replace(self.agents.one, tenant_id=call.tenant_id)
        return await self.remember.recall(call.tenant_id, call.call_id, agent)


@pytest.fixture
def world() -> World:
    return World()


async def test_last_words_that_are_still_being_understood_are_kept(world: World) -> None:
    turns = tuple(Turn(number, "words", "I see.", TurnOutcome.COMPLETED) for number in (1, 2, 3))
    call = _call(turns=(*turns, Turn(4, None, "Are you there?", TurnOutcome.INTERRUPTED)))
    slots = {**STATE.slots, "phone": Held(value="+14155550111", said="it is …", turn=3)}

    async def understood() -> None:
        await world.states.write("one", replace(STATE, slots=slots, turns=(1, 2, 3)), revision=1)

    world.clock.meanwhile = understood
    await world.keep(call)
    recalled = await world.recall(_call("two"))
    assert recalled is not None
    assert set(values(recalled)) == {"name", "phone"}


async def test_last_words_that_nobody_understands_keep_nothing_back(world: World) -> None:
    await world.keep(_call(turns=(Turn(7, "words", "", TurnOutcome.FAILED),)))
    assert timedelta(seconds=10) < world.clock.now() - NOW < timedelta(seconds=15)
    recalled = await world.recall(_call("two"))
    assert recalled is not None
    assert set(values(recalled)) == {"name"}


async def test_the_same_caller_is_offered_to_go_on(world: World) -> None:
    await world.keep(_call())
    world.clock.at = NOW + timedelta(minutes=119)
    state = await world.recall(_call("two"))
    assert state is not None
    assert (state.intent, state.step, state.turns, values(state)) == ("book", "when", (), {"name": "Ann Secret"})
    assert plan_of(AGENT, state).deed is Deed.RESUME
    assert not state.slots["name"].confirmed


async def test_after_the_window_nothing_is_known_and_then_nothing_is_there(world: World) -> None:
    await world.keep(_call())
    world.clock.at = NOW + timedelta(hours=2)
    assert await world.recall(_call("two")) is None
    assert await world.remember.forget_old() == 1
    assert world.memories.kept == {}


async def test_a_window_that_was_made_shorter_counts(world: World) -> None:
    await world.keep(_call())
    world.agents.one = replace(AGENT, memory_hours=1)
    world.clock.at = NOW + timedelta(minutes=61)
    assert await world.recall(_call("two")) is None


@pytest.mark.parametrize(
    "other",
    [
        {"caller": "+14155550101"},
        {"tenant_id": "globex"},
        {"caller": "anonymous"},
        {"provider": Provider.WEB},
        {"direction": OUTBOUND},
    ],
)
async def test_nobody_else_is(world: World, other: dict[str, object]) -> None:
    await world.keep(_call())
    assert await world.recall(_call("two", **other)) is None


async def test_who_is_called_back_by_us_is_the_same_caller(world: World) -> None:
    await world.keep(_call())
    back = _call("two", direction=OUTBOUND, caller="+14155550199", callee="+14155550100")
    assert await world.recall(back) is not None


@pytest.mark.parametrize("caller", ["", "anonymous", "+266696687", "Restricted", "sip:x@y", "+86282452253"])
async def test_who_hides_is_not_remembered(world: World, caller: str) -> None:
    await world.keep(_call(caller=caller))
    assert world.memories.kept == {}


async def test_who_is_signed_in_on_the_page_is_known(world: World) -> None:
    await world.keep(_call(provider=Provider.WEB, caller="user-1"))
    assert await world.recall(_call("two", provider=Provider.WEB, caller="user-1")) is not None
    assert party_of(_call(provider=Provider.WEB, caller="")) == ""


async def test_an_agent_that_does_not_remember_keeps_nothing(world: World) -> None:
    world.agents.one = replace(AGENT, memory_hours=0)
    await world.keep(_call())
    assert world.memories.kept == {}


async def test_a_call_in_which_nothing_was_said_leaves_the_memory_before(world: World) -> None:
    await world.keep(_call())
    await world.keep(_call("two"), begun(AGENT))
    [memory] = world.memories.kept.values()
    assert memory.call_id == "one"


async def test_without_keys_nothing_is_kept_and_nothing_breaks(world: World) -> None:
    world.vault, world.keys = AesGcmVault({}), []
    await world.keep(_call())
    assert world.memories.kept == {}
    assert await world.recall(_call("two")) is None


async def test_where_it_lies_nobody_can_read_it(world: World, caplog: pytest.LogCaptureFixture) -> None:
    await world.keep(_call())
    told = repr(world.memories.kept)
    assert "4155550100" not in told
    assert "Secret" not in told + caplog.text


async def test_a_new_key_knows_the_callers_of_the_one_before(world: World) -> None:
    await world.keep(_call())
    world.keys = [b"second", b"first"]
    world.vault = AesGcmVault({"k2": b"2" * 32, "k1": b"1" * 32})
    assert await world.recall(_call("two")) is not None


async def test_a_memory_put_under_another_callers_key_cannot_be_opened(world: World) -> None:
    await world.keep(_call())
    [memory] = world.memories.kept.values()
    other = caller_keys(world.keys, "acme", "+14155550101")[0]
    world.memories.kept["acme", "clinic", other] = replace(memory, caller=other)
    with pytest.raises(StoreError):
        await world.recall(_call("two", caller="+14155550101"))


async def test_what_the_agent_no_longer_declares_is_left_out(world: World) -> None:
    await world.keep(_call())
    world.agents.one = replace(AGENT, intents=(), flow=type(AGENT.flow)())
    assert await world.recall(_call("two")) is None


def test_the_same_number_has_another_key_with_another_tenant() -> None:
    keys = {caller_keys([b"k"], tenant, party)[0] for tenant, party in (("a", "1:b"), ("b", "1:b"), ("a:1", "b"))}
    assert len(keys) == 3
