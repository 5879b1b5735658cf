"""No call stays open for ever because somebody's last word was lost."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.domain.call import EndReason
from shared.domain.errors import TelephonyError
from shared.domain.limits import CallLimits
from shared.domain.steps import CallRequest
from shared.domain.telephony.lines import Provider
from shared.domain.telephony.outbound import AttemptState
from shared.domain.telephony.progress import CallState
from shared.use_cases.calls.close_unreported import CloseUnreported
from shared.use_cases.calls.end_overdue import EndOverdue
from tests.fakes.call import CALL_ID, CALL_SID, TENANT_ID
from tests.shared.use_cases.calls.outbound_house import OutboundHouse

MINUTE_MS = 60_000


@pytest.fixture
def house() -> OutboundHouse:
    return OutboundHouse()


async def close(house: OutboundHouse, *, after_min: int) -> int:
    await house.clock.sleep_ms(after_min * MINUTE_MS)
    closing = CloseUnreported(
        house.call_store, house.controls, house.dial_out, house.end_call, CallLimits(longest_call_s=3600), house.clock
    )
    return await closing(house.orchestrations)


async def ended(house: OutboundHouse, call_id: str = CALL_ID) -> tuple[CallState, EndReason | None]:
    call = await house.call(call_id)
    return call.state, call.end_reason


async def test_a_call_whose_conversation_could_not_be_begun_does_not_ring_for_ever(house: OutboundHouse) -> None:
    await house.ring()
    assert await close(house, after_min=9) == 0
    assert await close(house, after_min=2) == 1
    assert await ended(house) == (CallState.FAILED, EndReason.UNREPORTED)
    assert await close(house, after_min=5) == 0


async def test_a_running_call_is_left_alone(house: OutboundHouse) -> None:
    await house.ring()
    house.orchestrations.running.add(CALL_ID)
    assert await close(house, after_min=600) == 0
    assert await ended(house) == (CallState.RINGING, None)


async def test_a_call_in_progress_has_as_long_as_a_call_may_last(house: OutboundHouse) -> None:
    await house.connect()
    assert await close(house, after_min=74) == 0
    assert await close(house, after_min=2) == 1
    assert await ended(house) == (CallState.FAILED, EndReason.UNREPORTED)


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (CallState.COMPLETED, EndReason.CALLER_HUNG_UP),
        (CallState.BUSY, EndReason.BUSY),
        (CallState.NO_ANSWER, EndReason.NO_ANSWER),
        (CallState.CANCELED, EndReason.CANCELED),
        (CallState.FAILED, EndReason.FAILED),
    ],
)
async def test_the_provider_knows_how_it_ended(house: OutboundHouse, state: CallState, reason: EndReason) -> None:
    await house.ring()
    house.carrier.states[CALL_SID] = state
    assert await close(house, after_min=11) == 1
    assert await ended(house) == (state, reason)
    assert house.carrier.hung_up == []


async def test_a_line_on_which_nobody_of_ours_talks_is_hung_up(house: OutboundHouse) -> None:
    await house.ring()
    house.carrier.states[CALL_SID] = CallState.IN_PROGRESS
    assert await close(house, after_min=11) == 1
    assert house.carrier.hung_up == [CALL_SID]
    live = await house.live_calls.get(CALL_ID)
    assert live is not None
    assert live.end_reason == EndReason.UNREPORTED, "a step that still waits learns it"


async def test_a_provider_that_is_away_is_asked_next_time_but_not_for_ever(house: OutboundHouse) -> None:
    await house.ring()
    house.carrier.errors = [TelephonyError("away", "away", retryable=True) for _ in range(2)]
    assert await close(house, after_min=11) == 0
    assert await ended(house) == (CallState.RINGING, None)
    assert await close(house, after_min=400) == 1
    assert await ended(house) == (CallState.FAILED, EndReason.UNREPORTED)


async def test_one_call_that_cannot_be_settled_does_not_keep_the_others_open(house: OutboundHouse) -> None:
    await house.ring()
    other = replace(await house.call(CALL_ID), call_id="call-2", provider_call_id="CA2")
    await house.call_store.create(other)
    house.carrier.errors = [TelephonyError("away", "away", retryable=True)]
    assert await close(house, after_min=11) == 1


async def test_an_outbound_call_that_was_never_dialled_is_not_dialled_any_more(house: OutboundHouse) -> None:
    call_id = await house.place()
    assert await close(house, after_min=11) == 0
    assert await ended(house, call_id) == (CallState.FAILED, EndReason.FAILED)
    assert await house.dial_out(CallRequest(TENANT_ID, call_id)) is AttemptState.FAILED
    assert house.carrier.dials == 0


async def test_an_outbound_call_of_which_we_lost_the_answer_is_looked_for(house: OutboundHouse) -> None:
    call_id = await house.place()
    house.carrier.loses_answers = True
    await house.dial_out(CallRequest(TENANT_ID, call_id))
    house.carrier.states["CA1"] = CallState.NO_ANSWER
    assert await close(house, after_min=11) == 1
    assert await ended(house, call_id) == (CallState.NO_ANSWER, EndReason.NO_ANSWER)
    assert (await house.attempt(call_id)).state is AttemptState.DIALLED


async def test_a_call_that_lasts_longer_than_it_may_cost_is_ended(house: OutboundHouse) -> None:
    call_id = await house.place()
    await house.dial_out(CallRequest(TENANT_ID, call_id))
    await house.answer_call.by_call(Provider.TWILIO, call_id, "CA1", house.orchestrations)
    end_overdue = EndOverdue(house.call_store, house.outbound_calls, house.end_call, house.clock)
    await house.clock.sleep_ms(16 * MINUTE_MS)
    await end_overdue()
    assert house.carrier.hung_up == []
    await house.clock.sleep_ms(MINUTE_MS)
    house.carrier.error = TelephonyError("away", "away", retryable=True)
    await end_overdue()
    house.carrier.error = None
    await end_overdue()
    assert house.carrier.hung_up == ["CA1"]
    live = await house.live_calls.get(call_id)
    assert live is not None
    assert live.end_reason == EndReason.SPENT
