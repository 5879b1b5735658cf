"""A call that comes by way of another provider: known beforehand, for a minute, once."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from shared.domain.call import Agent
from shared.domain.errors import NotFound, StoreError
from shared.domain.telephony.lines import Provider
from shared.use_cases.calls.gateway import Gateway, Handed
from tests.fakes.clock import FakeClock
from tests.fakes.memory import FakeOnce, FakeShortMemory
from tests.fakes.stores import FakeDirectory

NUMBER, CALLER, SYSTEM = "+15550100011", "+14155550100", "+15550100016"
HANDED = Handed("contact-1", CALLER, {"account": "42"})


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def gateway(clock: FakeClock) -> Gateway:
    nora = Agent(agent_id="nora", tenant_id="acme", name="Nora", persona="You are Nora.", greeting="Hello?")
    return Gateway(FakeDirectory(nora, numbers={NUMBER: nora}), FakeShortMemory(), FakeOnce(clock), clock)


async def claim(
    gateway: Gateway, call_id: str = "call-1", caller: str = CALLER, number: str = NUMBER
) -> Handed | None:
    await gateway.claim(Provider.TWILIO, call_id, caller=caller, number=number)
    return await gateway.handed(call_id)


@pytest.mark.parametrize("shown", [CALLER, SYSTEM])
async def test_it_is_known_by_the_number_that_it_shows(gateway: Gateway, shown: str) -> None:
    await gateway.expect(NUMBER, shown=(CALLER, SYSTEM), handed=HANDED)
    assert await claim(gateway, caller=shown) == HANDED


async def test_it_is_known_once(gateway: Gateway) -> None:
    await gateway.expect(NUMBER, shown=(CALLER,), handed=HANDED)
    assert await claim(gateway) == HANDED
    assert await claim(gateway, "call-2") is None
    assert await claim(gateway) == HANDED, "the same call may be announced again"


async def test_two_who_show_the_same_number_are_not_taken_for_each_other(gateway: Gateway, clock: FakeClock) -> None:
    other = Handed("contact-2", "+14155550102", {"account": "43"})
    await gateway.expect(NUMBER, shown=(CALLER, SYSTEM), handed=HANDED)
    await gateway.expect(NUMBER, shown=(other.caller, SYSTEM), handed=other)
    await gateway.expect(NUMBER, shown=(other.caller, SYSTEM), handed=other)
    assert await claim(gateway, "call-1", caller=SYSTEM) is None
    assert await claim(gateway, "call-2", caller=SYSTEM) is None
    assert await claim(gateway, "call-3", caller=CALLER) == HANDED, "who shows an own number is known"
    assert await claim(gateway, "call-4", caller=other.caller) == other
    await clock.sleep_ms(60_001)
    await gateway.expect(NUMBER, shown=(CALLER, SYSTEM), handed=Handed("contact-3", CALLER, {}))
    assert await claim(gateway, "call-5", caller=SYSTEM) == Handed("contact-3", CALLER, {})


async def test_one_after_the_other_may_show_the_same_number(gateway: Gateway) -> None:
    other = Handed("contact-2", "+14155550102", {"account": "43"})
    await gateway.expect(NUMBER, shown=(CALLER, SYSTEM), handed=HANDED)
    assert await claim(gateway, "call-1", caller=SYSTEM) == HANDED
    await gateway.expect(NUMBER, shown=(other.caller, SYSTEM), handed=other)
    assert await claim(gateway, "call-2", caller=SYSTEM) == other


async def test_it_is_expected_for_a_minute(gateway: Gateway, clock: FakeClock) -> None:
    await gateway.expect(NUMBER, shown=(CALLER,), handed=HANDED)
    await clock.sleep_ms(60_001)
    assert await claim(gateway) is None


@pytest.mark.parametrize("changes", [{"caller": "+14155550101"}, {"number": "+15550100012"}, {"caller": ""}])
async def test_another_call_is_not_it(gateway: Gateway, changes: dict[str, str]) -> None:
    await gateway.expect(NUMBER, shown=(CALLER, ""), handed=HANDED)
    assert await claim(gateway, **changes) is None


async def test_a_number_where_nobody_answers_by_sound(gateway: Gateway) -> None:
    with pytest.raises(NotFound):
        await gateway.expect("+15550100099", shown=(CALLER,), handed=HANDED)


async def test_a_store_that_is_away_costs_the_context_and_not_the_call(gateway: Gateway, clock: FakeClock) -> None:
    class Away(FakeShortMemory):
        async def facts(self, name: str) -> Mapping[str, str]:
            raise StoreError("redis_unavailable", "x", retryable=True)

    broken = Gateway(gateway.directory, Away(), FakeOnce(clock), clock)
    await broken.claim(Provider.TWILIO, "call-1", caller=CALLER, number=NUMBER)
