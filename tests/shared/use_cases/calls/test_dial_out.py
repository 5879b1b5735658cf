"""A number is dialled once, whatever becomes of who dials it and of the provider's answer."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from shared.domain.call import EndReason
from shared.domain.errors import NotFound, TelephonyError
from shared.domain.steps import CallRequest
from shared.domain.telephony.commands import Dial
from shared.domain.telephony.lines import Capability, Provider
from shared.domain.telephony.outbound import AttemptState
from shared.domain.telephony.progress import CallState
from shared.use_cases.calls.dial_out import DialOut
from tests.fakes.call import TENANT_ID
from tests.shared.use_cases.calls.outbound_house import OURS, THEIRS, OutboundHouse


@pytest.fixture
def house() -> OutboundHouse:
    return OutboundHouse()


async def planned(house: OutboundHouse) -> CallRequest:
    return CallRequest(TENANT_ID, await house.place())


async def test_the_provider_is_told_once(house: OutboundHouse) -> None:
    request = await planned(house)
    for _ in range(3):
        assert await house.dial_out(request) is AttemptState.DIALLED
    ((_, dial),) = house.carrier.told
    attempt = await house.attempt(request.call_id)
    call = await house.call(request.call_id)
    assert dial == attempt.dial(call)
    assert isinstance(dial, Dial)
    assert (dial.to, dial.caller_id, dial.call_id, dial.longest_s) == (THEIRS, OURS, request.call_id, 900)
    assert dial.asked_ms == call.started_at.timestamp() * 1000
    assert (call.state, call.provider_call_id) == (CallState.QUEUED, "CA1")


async def test_a_lost_answer_is_cleared_up_and_not_dialled_again(house: OutboundHouse) -> None:
    house.carrier.loses_answers = True
    request = await planned(house)
    assert await house.dial_out(request) is AttemptState.UNCERTAIN
    assert await house.dial_out(request) is AttemptState.UNCERTAIN, "run again after a crash"
    assert await house.dial_out.reconcile(request) is AttemptState.DIALLED
    assert house.carrier.dials == 1
    assert (await house.call(request.call_id)).provider_call_id == "CA1"


async def test_who_dies_while_dialling_leaves_it_uncertain(house: OutboundHouse) -> None:
    request = await planned(house)
    assert await house.outbound_calls.move(await house.attempt(request.call_id), AttemptState.DIALLING)
    assert await house.dial_out(request) is AttemptState.UNCERTAIN
    assert await house.dial_out.reconcile(request) is AttemptState.UNCERTAIN
    assert await house.dial_out.give_up(request) is AttemptState.FAILED
    assert house.carrier.dials == 0
    call = await house.call(request.call_id)
    assert (call.state, call.end_reason) == (CallState.FAILED, EndReason.FAILED)


async def test_a_provider_that_cannot_be_asked_leaves_it_uncertain(house: OutboundHouse) -> None:
    house.carrier.loses_answers = True
    request = await planned(house)
    await house.dial_out(request)
    house.carrier.errors = [TelephonyError("away", "away", retryable=True)]
    with pytest.raises(TelephonyError):
        await house.dial_out.reconcile(request)
    assert (await house.attempt(request.call_id)).state is AttemptState.UNCERTAIN


async def test_who_answers_clears_it_up_as_well(house: OutboundHouse) -> None:
    house.carrier.loses_answers = True
    request = await planned(house)
    await house.dial_out(request)
    await house.answer_call.by_call(Provider.TWILIO, request.call_id, "CA1", house.orchestrations)
    house.carrier.dialled.clear()
    assert await house.dial_out.reconcile(request) is AttemptState.DIALLED
    assert await house.dial_out.give_up(request) is AttemptState.DIALLED


async def test_a_busy_provider_is_asked_again(house: OutboundHouse) -> None:
    request = await planned(house)
    house.carrier.errors = [TelephonyError("busy", "HTTP 429", retryable=True)]
    with pytest.raises(TelephonyError):
        await house.dial_out(request)
    assert (await house.attempt(request.call_id)).state is AttemptState.PLANNED
    assert await house.dial_out(request) is AttemptState.DIALLED
    assert house.carrier.dials == 1


async def test_a_refusal_fails_the_call(house: OutboundHouse) -> None:
    request = await planned(house)
    house.carrier.errors = [TelephonyError("refused", "HTTP 400")]
    assert await house.dial_out(request) is AttemptState.FAILED
    assert (await house.call(request.call_id)).state is CallState.FAILED
    assert await house.dial_out(request) is AttemptState.FAILED


async def test_a_call_that_was_called_off_is_not_dialled(house: OutboundHouse) -> None:
    request = await planned(house)
    await house.end_call.by_operator(TENANT_ID, request.call_id)
    assert await house.dial_out(request) is AttemptState.FAILED
    assert house.carrier.dials == 0
    call = await house.call(request.call_id)
    assert (call.state, call.end_reason) == (CallState.CANCELED, EndReason.OPERATOR_HUNG_UP)


async def test_a_call_that_is_called_off_while_it_is_dialled_is_hung_up(
    house: OutboundHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = await planned(house)
    honest = house.carrier.dial

    async def dial(asked: object) -> str:
        await house.end_call.by_operator(TENANT_ID, request.call_id)
        return await honest(asked)  # type: ignore[arg-type]

    monkeypatch.setattr(house.carrier, "dial", dial)
    assert await house.dial_out(request) is AttemptState.DIALLED
    assert house.carrier.hung_up == ["CA1"]
    assert (await house.call(request.call_id)).state is CallState.CANCELED


async def test_another_tenant_dials_nothing(house: OutboundHouse) -> None:
    request = await planned(house)
    with pytest.raises(NotFound):
        await house.dial_out(replace(request, tenant_id="tenant-2"))


@pytest.mark.parametrize("is_called_off", [False, True])
async def test_a_provider_that_is_asked_by_dialling_again_is_not_asked_late(
    house: OutboundHouse, is_called_off: bool
) -> None:
    house.carrier.capabilities |= {Capability.IDEMPOTENT_DIAL}
    house.carrier.loses_answers = True
    request = await planned(house)
    await house.dial_out(request)
    if is_called_off:
        await house.end_call.by_operator(TENANT_ID, request.call_id)
    else:
        await house.clock.sleep_ms(10 * 60_000)
    assert await house.dial_out.reconcile(request) is AttemptState.UNCERTAIN
    assert await house.dial_out.give_up(request) is AttemptState.FAILED
    assert (await house.call(request.call_id)).provider_call_id == ""


async def test_a_provider_that_is_asked_by_dialling_again_is_asked_soon(house: OutboundHouse) -> None:
    house.carrier.capabilities |= {Capability.IDEMPOTENT_DIAL}
    house.carrier.loses_answers = True
    request = await planned(house)
    await house.dial_out(request)
    assert await house.dial_out.reconcile(request) is AttemptState.DIALLED


class _Crash(BaseException):
    """The worker is gone."""


class _Crashing:
    """Stands before a store or a provider; the worker dies over its n-th question (`left`), or over the answer."""

    def __init__(self, inner: Any, fuse: dict[str, int], *, after: bool) -> None:
        self._inner, self._fuse, self._after = inner, fuse, after

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)
        if not inspect.iscoroutinefunction(method):
            return method

        async def asked(*arguments: Any, **named: Any) -> Any:
            self._fuse["left"] -= 1
            if not self._fuse["left"] and not self._after:
                raise _Crash
            answer = await method(*arguments, **named)
            if not self._fuse["left"]:
                raise _Crash
            return answer

        return asked


@pytest.mark.parametrize("loses_answers", [False, True])
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("number", range(1, 14))
async def test_a_worker_that_dies_at_any_point(
    house: OutboundHouse, number: int, after: bool, loses_answers: bool
) -> None:
    """As the engine has it: who has died is run again, with what the orchestrator does then."""
    house.carrier.loses_answers = loses_answers
    request, fuse = await planned(house), {"left": number}
    call_store, outbound_calls, carrier = (
        _Crashing(each, fuse, after=after) for each in (house.call_store, house.outbound_calls, house.carrier)
    )
    dial_out = DialOut(call_store, outbound_calls, {Provider.TWILIO: carrier}, house.clock)

    async def run(step: Callable[[CallRequest], Awaitable[AttemptState]]) -> AttemptState:
        try:
            return await step(request)
        except _Crash:
            return await step(request)

    state = await run(dial_out)
    if state is AttemptState.UNCERTAIN:
        state = await run(dial_out.reconcile)
    if state not in (AttemptState.DIALLED, AttemptState.FAILED):
        state = await run(dial_out.give_up)
    call, attempt = await house.call(request.call_id), await house.attempt(request.call_id)
    assert house.carrier.dials <= 1
    assert (state, state) == (attempt.state, AttemptState.DIALLED if house.carrier.dials else AttemptState.FAILED)
    assert (call.provider_call_id, call.state) == (
        ("CA1", CallState.QUEUED) if house.carrier.dials else ("", CallState.FAILED)
    )


async def test_a_call_that_was_called_off_is_hung_up_by_who_takes_over(house: OutboundHouse) -> None:
    """Its worker has died before it could do so."""
    request = await planned(house)
    await house.outbound_calls.move(await house.attempt(request.call_id), AttemptState.DIALLING)
    await house.end_call.by_operator(TENANT_ID, request.call_id)
    await house.call_store.name(TENANT_ID, request.call_id, "CA1")
    assert await house.dial_out(request) is AttemptState.UNCERTAIN
    assert await house.dial_out.reconcile(request) is AttemptState.DIALLED
    assert house.carrier.hung_up == ["CA1"]
