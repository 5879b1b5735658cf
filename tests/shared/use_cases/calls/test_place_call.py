"""A call is placed only where everything allows it, and once however often it is asked for."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal

import pytest

from shared.domain.call import OUTBOUND, EndReason
from shared.domain.errors import Conflict, Forbidden, InvalidRequest, NotFound, StoreError
from shared.domain.steps import CallRequest
from shared.domain.telephony.commands import Voicemail
from shared.domain.telephony.lines import Capability, Line, Provider, Unsupported
from shared.domain.telephony.outbound import AttemptState, OutboundPolicy
from shared.domain.telephony.progress import CallState
from shared.domain.telephony.routes import Number
from shared.use_cases.calls.place_call import Wish
from tests.fakes.call import TENANT_ID
from tests.fakes.telephony import FakeCallControl
from tests.shared.use_cases.calls.outbound_house import OURS, POLICY, THEIRS, WISH, OutboundHouse


@pytest.fixture
def house() -> OutboundHouse:
    return OutboundHouse()


async def test_a_call_is_written_down_and_left_to_the_engine(house: OutboundHouse) -> None:
    call_id = await house.place()
    call, attempt = await house.call(call_id), await house.attempt(call_id)
    assert (call.state, call.direction, call.provider_call_id) == (CallState.CREATED, OUTBOUND, "")
    assert (call.caller, call.callee, call.agent_id, call.line) == (OURS, THEIRS, "nora", Line.TWILIO)
    assert (attempt.state, attempt.allowance.longest_s) == (AttemptState.PLANNED, 900)
    assert house.orchestrations.dials == [CallRequest(TENANT_ID, call_id)]
    assert house.carrier.told == [], "whoever asks does not wait for the provider"


async def test_the_same_key_gives_the_same_call(house: OutboundHouse) -> None:
    first = await house.place(key="k1")
    assert await house.place(key="k1") == first
    assert await house.place(key="k2") != first
    assert await house.place() != await house.place()
    assert len(await house.call_store.find(TENANT_ID)) == 4


async def test_a_key_is_good_for_one_wish(house: OutboundHouse) -> None:
    await house.place(key="k1")
    with pytest.raises(Conflict, match="idempotency_key_reused"):
        await house.place(replace(WISH, to="+14155550199"), key="k1")


async def test_an_engine_that_was_away_is_asked_again_with_the_key(
    house: OutboundHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(request: CallRequest) -> None:
        raise StoreError("engine_refused", "away", retryable=True)

    with monkeypatch.context() as patched:
        patched.setattr(house.orchestrations, "start_dial", away)
        with pytest.raises(StoreError):
            await house.place(key="k1")
    call_id = await house.place(key="k1")
    assert house.orchestrations.dials == [CallRequest(TENANT_ID, call_id)]
    assert len(await house.call_store.find(TENANT_ID)) == 1


async def test_what_is_dialled_already_is_not_started_again(house: OutboundHouse) -> None:
    call_id = await house.place(key="k1")
    await house.dial_out(house.orchestrations.dials.pop())
    assert await house.place(key="k1") == call_id
    assert house.orchestrations.dials == []


@pytest.mark.parametrize(
    ("changes", "kind", "code"),
    [
        ({"agent_id": "hugo"}, NotFound, "agent_unknown"),
        ({"caller_id": "+15550100099"}, Forbidden, "caller_id_not_yours"),
        ({"line": Line.VONAGE}, Forbidden, "caller_id_not_yours"),
        ({"to": "+15550100000"}, Forbidden, "destination_not_allowed"),
    ],
)
async def test_refusals(house: OutboundHouse, changes: dict[str, object], kind: type[Exception], code: str) -> None:
    with pytest.raises(kind, match=code):
        await house.place(replace(WISH, **changes))  # type: ignore[arg-type]
    assert await house.call_store.find(TENANT_ID) == []
    assert house.orchestrations.dials == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"to": "4155550100"},
        {"caller_id": "anonymous"},
        {"voicemail": Voicemail.LEAVE_MESSAGE},
        {"voicemail": Voicemail.LEAVE_MESSAGE, "message": " "},
        {"message": "Hello."},
        {"voicemail": Voicemail.LEAVE_MESSAGE, "message": "x" * 1001},
    ],
)
def test_a_wish_that_makes_no_sense(wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidRequest):
        Wish(**{"to": THEIRS, "agent_id": "nora", "caller_id": OURS, **wrong})  # type: ignore[arg-type]


async def test_another_tenants_number_is_not_ours(house: OutboundHouse) -> None:
    await house.numbers.put("tenant-2", Number("+15550100002", Line.TWILIO, "hugo"))
    with pytest.raises(Forbidden, match="caller_id_not_yours"):
        await house.place(replace(WISH, caller_id="+15550100002"))


async def test_a_number_at_several_providers_needs_a_line(house: OutboundHouse) -> None:
    await house.numbers.put(TENANT_ID, Number(OURS, Line.VONAGE, "nora"))
    with pytest.raises(InvalidRequest, match="name the line"):
        await house.place()
    call = await house.call(await house.place(replace(WISH, line=Line.TWILIO_RELAY)))
    assert call.line is Line.TWILIO_RELAY


async def test_a_provider_that_is_not_set_up_places_no_calls(house: OutboundHouse) -> None:
    await house.numbers.put(TENANT_ID, Number("+15550100003", Line.SARVAM, "nora"))
    with pytest.raises(InvalidRequest, match="provider_not_set_up"):
        await house.place(replace(WISH, caller_id="+15550100003"))


async def test_what_the_line_cannot_do_is_said_before_anything_is_done(house: OutboundHouse) -> None:
    await house.numbers.put(TENANT_ID, Number("+15550100004", Line.CONNECT, "nora"))
    house.controls[Provider.CONNECT] = FakeCallControl()
    wish = Wish("+14155550100", "nora", "+15550100004", voicemail=Voicemail.HANG_UP)
    with pytest.raises(Unsupported) as error:
        await house.place(wish)
    assert error.value.capability is Capability.VOICEMAIL_DETECTION
    assert error.value.alternative
    assert await house.call_store.find(TENANT_ID) == []


async def test_a_tenant_without_a_policy_dials_nobody(house: OutboundHouse) -> None:
    house.outbound_calls.policies.clear()
    with pytest.raises(Forbidden, match="destination_not_allowed"):
        await house.place()


async def test_the_limit_of_calls_at_once_holds_for_those_that_come_together(house: OutboundHouse) -> None:
    placed = await asyncio.gather(*(house.place() for _ in range(6)), return_exceptions=True)
    assert sum(isinstance(one, str) for one in placed) == POLICY.most_at_once
    assert all(isinstance(one, str) or (isinstance(one, Conflict) and one.code == "too_many_calls") for one in placed)


async def test_a_call_that_has_ended_makes_room(house: OutboundHouse) -> None:
    house.outbound_calls.policies[TENANT_ID] = replace(POLICY, most_at_once=1)
    call_id = await house.place()
    with pytest.raises(Conflict, match="too_many_calls"):
        await house.place()
    busy = CallState.BUSY
    await house.call_store.advance(TENANT_ID, call_id, busy, at=house.clock.now(), reason=EndReason.BUSY)
    await house.place()


async def test_open_calls_hold_back_what_they_may_cost(house: OutboundHouse) -> None:
    cheap: OutboundPolicy = replace(POLICY, daily_spend=Decimal("0.40"))
    house.outbound_calls.policies[TENANT_ID] = cheap
    attempts = [await house.attempt(await house.place()) for _ in range(2)]
    assert [attempt.allowance.longest_s for attempt in attempts] == [900, 300]
    with pytest.raises(Conflict, match="spend_limit"):
        await house.place()
