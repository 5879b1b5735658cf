"""Nobody is dialled long after it was asked for: an engine that was away does not call people at night."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.call import EndReason
from shared.domain.steps import CallRequest
from shared.domain.telephony.outbound import AttemptState
from shared.domain.telephony.progress import CallState
from tests.fakes.call import TENANT_ID
from tests.fakes.clock import FakeClock
from tests.shared.use_cases.calls.outbound_house import OutboundHouse


class _Later(FakeClock):
    """The same clock, that much later."""

    def __init__(self, by: timedelta) -> None:
        self._by = by

    def now_ms(self) -> float:
        return super().now_ms() + self._by.total_seconds() * 1000

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.now_ms() / 1000, UTC)


@pytest.fixture
def house() -> OutboundHouse:
    return OutboundHouse()


async def planned(house: OutboundHouse, later: timedelta) -> CallRequest:
    request = CallRequest(TENANT_ID, await house.place())
    object.__setattr__(house.dial_out, "clock", _Later(later))
    return request


async def test_a_call_is_not_dialled_long_after_it_was_asked_for(house: OutboundHouse) -> None:
    request = await planned(house, timedelta(hours=5))
    assert await house.dial_out(request) is AttemptState.FAILED
    call = await house.call(request.call_id)
    assert (call.state, call.end_reason) == (CallState.FAILED, EndReason.FAILED)
    assert await house.dial_out(request) is AttemptState.FAILED
    assert house.carrier.dials == 0


async def test_a_moment_later_it_is(house: OutboundHouse) -> None:
    request = await planned(house, timedelta(minutes=2))
    assert await house.dial_out(request) is AttemptState.DIALLED


async def test_what_somebody_dials_at_this_moment_is_not_called_off(house: OutboundHouse) -> None:
    request = await planned(house, timedelta(hours=5))
    attempt = await house.attempt(request.call_id)
    others_of_call = house.outbound_calls.of_call

    async def of_call(tenant_id: str, call_id: str) -> object:
        """Seen before the other one moves it."""
        if (await others_of_call(tenant_id, call_id)) == attempt:
            await house.outbound_calls.move(attempt, AttemptState.DIALLING)
            return attempt
        return await others_of_call(tenant_id, call_id)

    house.outbound_calls.of_call = of_call  # type: ignore[method-assign, assignment]
    assert await house.dial_out(request) is AttemptState.UNCERTAIN
    assert (await house.attempt(request.call_id)).state is AttemptState.DIALLING
    assert not (await house.call(request.call_id)).state.is_end
