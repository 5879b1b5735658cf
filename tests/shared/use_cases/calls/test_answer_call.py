"""A call comes in: once, however often its webhook does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.domain import pipe_names, takes
from shared.domain.call import OUTBOUND, Call, CallState, EndReason, Provider
from shared.domain.errors import Conflict, NotFound, StoreError
from shared.domain.steps import CallRequest
from shared.domain.telephony.lines import Line
from shared.use_cases.calls.answer_call import AnswerCall, CallOffered, call_id_of
from tests.fakes.call import NORA, TENANT_ID, House, texts

OFFER = CallOffered(Provider.TWILIO, "CA1", "+14155550100", "+15550100001")
CALL_ID = call_id_of(Provider.TWILIO, "CA1")


@pytest.fixture
def house() -> House:
    return House()


def answering(house: House) -> AnswerCall:
    return AnswerCall(house.directory, house.call_store, house.live_calls, house.pipes, house.clock)


async def test_a_call_to_a_number(house: House) -> None:
    answered = await answering(house).by_number(OFFER, house.orchestrations)
    assert (answered.call_id, answered.agent, answered.line) == (CALL_ID, NORA, Line.TWILIO)
    assert await house.live_calls.redeem_ticket(answered.ticket, connection_id="x") == CALL_ID
    assert house.orchestrations.started == [CallRequest(TENANT_ID, CALL_ID)]
    call = await house.call_store.get(TENANT_ID, CALL_ID)
    assert call is not None
    assert (call.state, call.agent_id, call.caller, call.callee) == (
        CallState.RINGING, "nora", "+14155550100", "+15550100001",
    )  # fmt: skip
    live = await house.live_calls.get(CALL_ID)
    assert live is not None
    assert (live.provider_call_id, live.connection_id) == ("CA1", "")


async def test_an_account_brings_no_calls_to_another_tenants_number(house: House) -> None:
    with pytest.raises(NotFound, match="number_unknown"):
        await answering(house).by_number(replace(OFFER, tenants=frozenset({"other"})), house.orchestrations)
    assert not house.orchestrations.started
    own = replace(OFFER, tenants=frozenset({"other", TENANT_ID}))
    assert (await answering(house).by_number(own, house.orchestrations)).call_id == CALL_ID


ANSWER_END = {"event": "answer_end", "outcome": ""}


async def test_the_greeting_is_turn_zeros_answer(house: House) -> None:
    await answering(house).by_number(OFFER, house.orchestrations)
    sentences = await house.pipes.read(pipe_names.turn(CALL_ID, 0, pipe_names.SENTENCES))
    assert [texts(entry) for entry in sentences] == [{"text": NORA.greeting}, ANSWER_END, {"event": "end"}]
    (final,) = await house.pipes.read(pipe_names.turn(CALL_ID, 0, pipe_names.TRANSCRIPT))
    assert takes.read(final.position, final.fields) == takes.Final(1, ""), "it may be heard at once"


async def test_an_agent_without_a_greeting_waits(house: House) -> None:
    house.change_agent(greeting="")
    house.directory.numbers = {"+15550100001": house.agent}
    await answering(house).by_number(OFFER, house.orchestrations)
    sentences = await house.pipes.read(pipe_names.turn(CALL_ID, 0, pipe_names.SENTENCES))
    assert [texts(entry) for entry in sentences] == [ANSWER_END, {"event": "end"}]


async def test_a_webhook_that_comes_again_gets_a_ticket_for_the_same_call(house: House) -> None:
    tickets = {(await answering(house).by_number(OFFER, house.orchestrations)).ticket for _ in range(3)}
    assert len(tickets) == 3
    for ticket in tickets:
        assert await house.live_calls.redeem_ticket(ticket, connection_id="x") == CALL_ID
    assert len(house.orchestrations.started) == 1
    assert len(await house.call_store.find(TENANT_ID)) == 1
    assert len(await house.pipes.read(pipe_names.turn(CALL_ID, 0, pipe_names.SENTENCES))) == 3


async def test_a_webhook_that_comes_again_while_the_call_runs_moves_nothing_back(house: House) -> None:
    await answering(house).by_number(OFFER, house.orchestrations)
    await house.call_store.advance(TENANT_ID, CALL_ID, CallState.IN_PROGRESS, at=house.clock.now())
    await answering(house).by_number(OFFER, house.orchestrations)
    call = await house.call_store.get(TENANT_ID, CALL_ID)
    assert call is not None
    assert call.state is CallState.IN_PROGRESS


@pytest.mark.parametrize("state", [CallState.COMPLETED, CallState.FAILED])
async def test_a_call_that_has_ended_does_not_begin_again(house: House, state: CallState) -> None:
    await answering(house).by_number(OFFER, house.orchestrations)
    reason = EndReason.CALLER_HUNG_UP
    await house.call_store.advance(TENANT_ID, CALL_ID, state, at=house.clock.now(), reason=reason)
    house.orchestrations.started.clear()
    with pytest.raises(Conflict, match="call_ended"):
        await answering(house).by_number(OFFER, house.orchestrations)
    assert house.orchestrations.started == []


@pytest.mark.parametrize("number", ["+15550109999", "", "sip:somebody@example.com"])
async def test_an_unknown_number_leaves_nothing_behind(house: House, number: str) -> None:
    with pytest.raises(NotFound, match="number_unknown"):
        await answering(house).by_number(CallOffered(Provider.TWILIO, "CA1", "+1", number), house.orchestrations)
    assert house.pipes.names == set()
    assert await house.call_store.find(TENANT_ID) == []


async def test_each_client_gets_a_call_of_its_own(house: House) -> None:
    first = await answering(house).by_client(TENANT_ID, None, "carl", house.orchestrations)
    second = await answering(house).by_client(TENANT_ID, "nora", "carl", house.orchestrations)
    assert first != second
    call = await house.call_store.get(TENANT_ID, first)
    assert call is not None
    assert (call.provider, call.caller, call.callee) == (Provider.WEB, "carl", "nora")
    assert [request.call_id for request in house.orchestrations.started] == [first, second]


@pytest.mark.parametrize(("tenant_id", "agent_id"), [(TENANT_ID, "hugo"), ("tenant-2", None), ("tenant-2", "nora")])
async def test_no_agent_of_another_tenant(house: House, tenant_id: str, agent_id: str | None) -> None:
    with pytest.raises(NotFound, match="agent_unknown"):
        await answering(house).by_client(tenant_id, agent_id, "carl", house.orchestrations)


async def test_a_store_that_fails_once_costs_one_try(house: House) -> None:
    house.live_calls.down = True
    with pytest.raises(StoreError):
        await answering(house).by_number(OFFER, house.orchestrations)
    house.live_calls.down = False
    await answering(house).by_number(OFFER, house.orchestrations)
    assert len(house.orchestrations.started) == 1


async def test_the_number_says_on_which_line(house: House) -> None:
    house.directory.lines["+15550100001"] = Line.TWILIO_GATHER
    answered = await answering(house).by_number(OFFER, house.orchestrations)
    assert answered.line is Line.TWILIO_GATHER
    live = await house.live_calls.get(CALL_ID)
    call = await house.call_store.get(TENANT_ID, CALL_ID)
    assert live is not None
    assert call is not None
    assert (live.line, call.line) == (Line.TWILIO_GATHER, Line.TWILIO_GATHER)


async def test_another_providers_number_of_the_same_digits_is_another_number(house: House) -> None:
    house.directory.lines[OFFER.callee] = Line.TWILIO
    with pytest.raises(NotFound, match="number_unknown"):
        await answering(house).by_number(replace(OFFER, provider=Provider.VONAGE), house.orchestrations)


async def placed(house: House, **changes: object) -> AnswerCall:
    """We have dialled, and the provider has not named the call yet."""
    call = Call(
        call_id="out-1",
        tenant_id=TENANT_ID,
        agent_id="nora",
        provider=Provider.TWILIO,
        provider_call_id="",
        line=Line.TWILIO_RELAY,
        direction=OUTBOUND,
        caller="+15550100001",
        callee="+14155550100",
        state=CallState.QUEUED,
        started_at=house.clock.now(),
    )
    await house.call_store.create(replace(call, **changes))  # type: ignore[arg-type]
    return answering(house)


async def test_a_call_of_ours_is_answered_by_its_agent(house: House) -> None:
    answer = await placed(house)
    answered = [await answer.by_call(Provider.TWILIO, "out-1", "CA9", house.orchestrations) for _ in range(2)]
    assert [(one.call_id, one.agent, one.line) for one in answered] == [("out-1", NORA, Line.TWILIO_RELAY)] * 2
    assert [await house.live_calls.redeem_ticket(one.ticket, connection_id="x") for one in answered] == ["out-1"] * 2
    assert house.orchestrations.started == [CallRequest(TENANT_ID, "out-1")]
    call, live = await house.call_store.get(TENANT_ID, "out-1"), await house.live_calls.get("out-1")
    assert call is not None
    assert live is not None
    assert (call.state, call.provider_call_id, live.provider_call_id) == (CallState.IN_PROGRESS, "CA9", "CA9")


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"call_id": "another"}, NotFound),
        ({"direction": "inbound", "provider_call_id": "CA9"}, NotFound),
        ({"agent_id": "gone"}, NotFound),
        ({"provider_call_id": "CA8"}, Conflict),
        ({"state": CallState.CANCELED}, Conflict),
    ],
)
async def test_a_call_that_is_not_ours_or_over_is_not_answered(
    house: House, changes: dict[str, object], kind: type[Exception]
) -> None:
    answer = await placed(house, **changes)
    with pytest.raises(kind):
        await answer.by_call(Provider.TWILIO, "out-1", "CA9", house.orchestrations)
    assert house.orchestrations.started == []


@pytest.mark.parametrize("provider", [one for one in Provider if one is not Provider.TWILIO])
async def test_another_provider_does_not_answer_it(house: House, provider: Provider) -> None:
    answer = await placed(house)
    with pytest.raises(NotFound, match="call_unknown"):
        await answer.by_call(provider, "out-1", "CA9", house.orchestrations)
    call = await house.call_store.get(TENANT_ID, "out-1")
    assert call is not None
    assert (call.provider_call_id, house.orchestrations.started) == ("", []), "nothing was done to the call"


async def test_an_account_of_nobodys_brings_no_calls(house: House) -> None:
    with pytest.raises(NotFound, match="number_unknown"):
        await answering(house).by_number(replace(OFFER, tenants=frozenset()), house.orchestrations)


async def test_another_calls_id_is_not_taken(house: House) -> None:
    answer = await placed(house)
    await answer.by_number(OFFER, house.orchestrations)
    with pytest.raises(Conflict, match="call_mixed_up"):
        await answer.by_call(Provider.TWILIO, "out-1", "CA1", house.orchestrations)


def test_ids_tell_calls_apart_and_stay_the_same() -> None:
    ids = {call_id_of(provider, sid) for provider in Provider for sid in ("CA1", "CA2")}
    assert len(ids) == 2 * len(Provider)
    assert call_id_of(Provider.TWILIO, "CA1") == CALL_ID
