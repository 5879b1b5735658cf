"""What a provider tells of a call moves it on, ends its conversation, and never does harm."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace

import pytest

from shared.domain import pipe_names
from shared.domain.call import EndReason, Provider, end_state
from shared.domain.errors import TelephonyError
from shared.domain.steps import CallRequest
from shared.domain.telephony.commands import Voicemail
from shared.domain.telephony.events import AnsweredBy, CallAnsweredBy, CallProgressed
from shared.domain.telephony.progress import CallState
from tests.fakes.call import CALL_ID, CALL_SID, TENANT_ID, texts
from tests.fakes.clock import EPOCH_MS
from tests.shared.use_cases.calls.outbound_house import WISH, OutboundHouse


@pytest.fixture
def house() -> OutboundHouse:
    return OutboundHouse()


def told(state: CallState, **more: object) -> CallProgressed:
    event = CallProgressed(Provider.TWILIO, CALL_SID, key=state, progress=state, raw=state)
    return replace(event, **more)  # type: ignore[arg-type]


def answered(by: AnsweredBy, *, beeped: bool = False) -> CallAnsweredBy:
    return CallAnsweredBy(Provider.TWILIO, "CA1", key=by, by=by, beeped=beeped)


async def ends(house: OutboundHouse) -> list[dict[str, str]]:
    return [texts(e) for e in await house.pipes.read(pipe_names.frames(CALL_ID)) if e.fields.get(b"event") == b"end"]


async def dialled(house: OutboundHouse, **wish: object) -> str:
    call_id = await house.place(replace(WISH, **wish))  # type: ignore[arg-type]
    await house.dial_out(CallRequest(TENANT_ID, call_id))
    return call_id


async def test_a_conversation_ends_when_its_caller_hangs_up_and_keeps_its_records_first(house: OutboundHouse) -> None:
    await house.connect()
    await house.note_progress(told(CallState.COMPLETED, duration_s=61.0))
    assert await ends(house) == [{"event": "end", "reason": "caller_hung_up"}]
    call = await house.call(CALL_ID)
    assert (call.state, call.duration_s) == (CallState.IN_PROGRESS, 61.0), "wrapping up closes it"


@pytest.mark.parametrize("state", [CallState.BUSY, CallState.NO_ANSWER, CallState.CANCELED, CallState.FAILED])
async def test_a_call_that_came_to_nothing_is_closed_at_once(house: OutboundHouse, state: CallState) -> None:
    await house.ring()
    await house.note_progress(told(state))
    call = await house.call(CALL_ID)
    assert (call.state, call.end_reason) == (state, EndReason(state.value))
    assert await ends(house) == [{"event": "end", "reason": state.value}]


async def test_news_that_comes_late_and_twice_moves_nothing_back(house: OutboundHouse) -> None:
    await house.connect()
    await house.live_calls.close(CALL_ID, 1)
    for state in (
        CallState.COMPLETED,
        CallState.RINGING,
        CallState.FAILED,
        CallState.IN_PROGRESS,
        CallState.COMPLETED,
    ):
        await house.note_progress(told(state))
    call = await house.call(CALL_ID)
    assert (call.state, call.end_reason) == (CallState.COMPLETED, EndReason.CALLER_HUNG_UP)


async def test_what_it_cost_may_come_after_the_end(house: OutboundHouse) -> None:
    await house.ring()
    await house.note_progress(told(CallState.BUSY))
    await house.note_progress(told(CallState.COMPLETED, duration_s=3.0, price="-0.0085 USD"))
    call = await house.call(CALL_ID)
    assert (call.state, call.duration_s, call.price) == (CallState.BUSY, 3.0, "-0.0085 USD")


@pytest.mark.parametrize(
    ("at_ms", "ended_ms"),
    [(EPOCH_MS + 5000, 5000), (EPOCH_MS + 1e9, 9000), (1.0, 0), (1e18, 9000), (-1e18, 0)],
)
async def test_the_providers_clock_is_believed_within_reason(
    house: OutboundHouse, at_ms: float, ended_ms: float
) -> None:
    began_ms = house.clock.now_ms()
    await house.ring()
    await house.clock.sleep_ms(9000)
    await house.note_progress(told(CallState.NO_ANSWER, at_ms=at_ms + began_ms - EPOCH_MS))
    call = await house.call(CALL_ID)
    assert call.ended_at is not None
    assert (call.ended_at - call.started_at).total_seconds() * 1000 == pytest.approx(ended_ms, abs=1)


async def test_an_unknown_call_is_passed_over(house: OutboundHouse) -> None:
    await house.note_progress(told(CallState.COMPLETED))
    await house.note_progress(told(CallState.COMPLETED), call_id="no such call")
    await house.note_progress(answered(AnsweredBy.MACHINE))
    assert house.pipes.names == set()


async def test_another_providers_call_of_the_same_id_is_another_call(house: OutboundHouse) -> None:
    await house.ring()
    await house.note_progress(replace(told(CallState.BUSY), provider=Provider.VONAGE))
    await house.note_progress(replace(told(CallState.BUSY), provider=Provider.VONAGE), call_id=CALL_ID)
    assert (await house.call(CALL_ID)).state is CallState.RINGING


async def test_news_of_our_own_call_may_come_before_the_provider_has_named_it(house: OutboundHouse) -> None:
    call_id = await house.place()
    await house.note_progress(told(CallState.RINGING), call_id=call_id)
    call = await house.call(call_id)
    assert (call.state, call.provider_call_id) == (CallState.RINGING, CALL_SID)
    other = replace(told(CallState.BUSY), provider_call_id="CAother")
    await house.note_progress(other, call_id=call_id)
    assert (await house.call(call_id)).state is CallState.RINGING, "it is known by another id"


async def test_a_machine_is_talked_to_where_nobody_asked_otherwise(house: OutboundHouse) -> None:
    call_id = await dialled(house)
    await house.note_progress(answered(AnsweredBy.MACHINE, beeped=True))
    call = await house.call(call_id)
    assert (call.answered_by, call.state) == (AnsweredBy.MACHINE, CallState.QUEUED)
    assert house.carrier.hung_up == []


async def test_a_machine_is_hung_up_on(house: OutboundHouse) -> None:
    call_id = await dialled(house, voicemail=Voicemail.HANG_UP)
    await house.note_progress(answered(AnsweredBy.HUMAN))
    assert house.carrier.hung_up == []
    for _ in range(2):
        await house.note_progress(answered(AnsweredBy.MACHINE))
    assert house.carrier.hung_up == ["CA1"]
    call = await house.call(call_id)
    assert (call.end_reason, call.answered_by) == (EndReason.VOICEMAIL, AnsweredBy.MACHINE)


async def test_in_a_conversation_the_wrapping_up_follows(house: OutboundHouse) -> None:
    call_id = await dialled(house, voicemail=Voicemail.HANG_UP)
    await house.answer_call.by_call(Provider.TWILIO, call_id, "CA1", house.orchestrations)
    await house.note_progress(answered(AnsweredBy.FAX))
    live = await house.live_calls.get(call_id)
    assert live is not None
    assert live.end_reason == EndReason.VOICEMAIL
    assert house.carrier.hung_up == ["CA1"]
    assert (await house.call(call_id)).state is CallState.IN_PROGRESS


async def test_a_message_is_left_once_after_the_beep_and_the_line_is_the_providers(house: OutboundHouse) -> None:
    call_id = await dialled(house, voicemail=Voicemail.LEAVE_MESSAGE, message="Please call back.")
    await house.answer_call.by_call(Provider.TWILIO, call_id, "CA1", house.orchestrations)
    house.carrier.told.clear()
    await house.note_progress(answered(AnsweredBy.MACHINE))
    assert house.carrier.told == []
    for _ in range(2):
        await house.note_progress(answered(AnsweredBy.MACHINE, beeped=True))
    assert house.carrier.told == [("CA1", ("Please call back.", "en"))]
    live = await house.live_calls.get(call_id)
    assert live is not None
    assert live.end_reason == EndReason.MESSAGE_LEFT
    await house.end_call.hang_up(call_id)
    assert house.carrier.hung_up == []


async def test_a_beep_may_be_told_while_the_conversation_is_only_beginning(house: OutboundHouse) -> None:
    call_id = await dialled(house, voicemail=Voicemail.LEAVE_MESSAGE, message="Please call back.")
    meet_machine = replace(house.meet_machine, begins_within_s=30)
    call = replace(await house.call(call_id), provider_call_id="CA1")
    meeting = asyncio.create_task(meet_machine(call, beeped=True))
    await asyncio.sleep(0)
    await house.answer_call.by_call(Provider.TWILIO, call_id, "CA1", house.orchestrations)
    await meeting
    live = await house.live_calls.get(call_id)
    assert live is not None
    assert live.end_reason == EndReason.MESSAGE_LEFT, "or its end would be taken for a caller's"
    assert house.carrier.told[-1] == ("CA1", ("Please call back.", "en"))


async def test_a_message_that_could_not_be_left_leaves_the_call_as_it_was(house: OutboundHouse) -> None:
    call_id = await dialled(house, voicemail=Voicemail.LEAVE_MESSAGE, message="Please call back.")
    await house.answer_call.by_call(Provider.TWILIO, call_id, "CA1", house.orchestrations)
    house.carrier.errors = [TelephonyError("away", "away", retryable=True)]
    with pytest.raises(TelephonyError):
        await house.note_progress(answered(AnsweredBy.MACHINE, beeped=True))
    live = await house.live_calls.get(call_id)
    assert live is not None
    assert (live.end_reason, live.leaving) == ("", "")


@pytest.mark.parametrize("seed", range(30))
async def test_in_any_order_and_however_often_a_call_comes_to_stand_at_the_same_place(
    house: OutboundHouse, seed: int
) -> None:
    rng = random.Random(seed)
    end = rng.choice([state for state in CallState if state.is_end])
    course = [CallState.CREATED, CallState.QUEUED, CallState.RINGING, CallState.IN_PROGRESS, end]
    news = [told(state, provider_call_id="CA1") for state in course]
    news.append(replace(news[-1], duration_s=61.0, price="-0.02 USD"))
    telling = [*news, answered(AnsweredBy.HUMAN), answered(AnsweredBy.MACHINE), *rng.choices(news, k=5)]
    rng.shuffle(telling)
    call_id = await dialled(house)
    for event in telling:
        await house.note_progress(event, call_id=call_id)
    call = await house.call(call_id)
    assert (call.state, call.answered_by, call.duration_s, call.price) == (end, AnsweredBy.MACHINE, 61.0, "-0.02 USD")
    assert call.end_reason is not None
    assert end_state(call.end_reason) is end
