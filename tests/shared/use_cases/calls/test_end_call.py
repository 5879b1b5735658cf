"""A call ends once, everybody who waits learns it, and the line is let go."""

from __future__ import annotations

import pytest

from shared.domain import pipe_names
from shared.domain.call import CallState, EndReason, Provider
from shared.domain.errors import Conflict, MediaError, NotFound, TelephonyError
from tests.fakes.call import CALL_ID, CALL_SID, TENANT_ID, House, texts


async def running(provider: Provider = Provider.TWILIO) -> House:
    house = House(provider=provider)
    await house.connect()
    return house


async def ends(house: House) -> list[list[dict[str, str]]]:
    pipes = (pipe_names.frames(CALL_ID), pipe_names.events(CALL_ID))
    return [[texts(e) for e in await house.pipes.read(pipe) if e.fields.get(b"event") == b"end"] for pipe in pipes]


async def test_the_first_reason_stands_and_is_told_once() -> None:
    house = await running()
    await house.end_call.note(CALL_ID, EndReason.CALLER_HUNG_UP)
    await house.end_call.note(CALL_ID, EndReason.ERROR)
    end = [{"event": "end", "reason": "caller_hung_up"}]
    assert await ends(house) == [end, end]


async def test_an_end_whose_confirmation_was_lost_is_told_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked again, the store says that the call had ended before."""
    house = await running()
    honest = house.live_calls.end

    async def end(call_id: str, reason: str) -> bool:
        await honest(call_id, reason)
        return False

    monkeypatch.setattr(house.live_calls, "end", end)
    for _ in range(2):
        await house.end_call.note(CALL_ID, EndReason.ERROR)
    told = [{"event": "end", "reason": "error"}]
    assert await ends(house) == [told, told]


async def test_the_end_of_an_unknown_call_makes_no_pipe() -> None:
    house = House()
    await house.end_call.note("another", EndReason.ERROR)
    assert house.pipes.names == set()


async def test_an_operator_hangs_up() -> None:
    house = await running()
    await house.end_call.by_operator(TENANT_ID, CALL_ID)
    end = [{"event": "end", "reason": "operator_hung_up"}]
    assert await ends(house) == [end, end]
    assert house.channel.hung_up == ["operator_hung_up"]
    assert house.carrier.hung_up == [CALL_SID]
    assert house.channel.shown == [{"type": "ended", "reason": "operator_hung_up"}]


async def test_an_operator_of_another_tenant_cannot() -> None:
    house = await running()
    with pytest.raises(NotFound):
        await house.end_call.by_operator("tenant-2", CALL_ID)
    assert house.carrier.hung_up == []


async def test_what_has_ended_cannot_be_ended() -> None:
    house = await running()
    await house.call_store.advance(TENANT_ID, CALL_ID, CallState.COMPLETED, at=house.clock.now())
    with pytest.raises(Conflict):
        await house.end_call.by_operator(TENANT_ID, CALL_ID)


async def test_a_caller_who_hung_up_needs_no_hanging_up() -> None:
    house = await running()
    await house.end_call.note(CALL_ID, EndReason.CALLER_HUNG_UP)
    await house.end_call.hang_up(CALL_ID)
    assert house.carrier.hung_up == []
    assert house.channel.hung_up == ["caller_hung_up"]


async def test_a_call_whose_socket_never_came_is_ended_at_the_carrier() -> None:
    house = House(provider=Provider.TWILIO)
    await house.ring()
    await house.end_call.note(CALL_ID, EndReason.NO_MEDIA)
    await house.end_call.hang_up(CALL_ID)
    assert house.carrier.hung_up == [CALL_SID]
    assert house.channels.opened == []


async def test_a_client_has_no_carrier() -> None:
    house = await running(Provider.WEB)
    await house.end_call.by_operator(TENANT_ID, CALL_ID)
    assert house.carrier.hung_up == []
    assert house.channel.hung_up == ["operator_hung_up"]


async def test_a_socket_that_cannot_be_closed_does_not_keep_the_carrier_from_knowing() -> None:
    house = await running()
    house.channel.errors = [MediaError("connection_gone", "gone")]
    await house.end_call.by_operator(TENANT_ID, CALL_ID)
    assert house.carrier.hung_up == [CALL_SID]


async def test_a_carrier_that_is_away_is_told_but_the_socket_is_closed() -> None:
    house = await running()
    house.carrier.error = TelephonyError("twilio_unavailable", "x", retryable=True)
    with pytest.raises(TelephonyError):
        await house.end_call.by_operator(TENANT_ID, CALL_ID)
    assert house.channel.hung_up == ["operator_hung_up"]


async def test_letting_go_of_a_forgotten_call_does_nothing() -> None:
    house = await running()
    await house.live_calls.close(CALL_ID, 1)
    await house.end_call.hang_up(CALL_ID)
    assert house.channel.hung_up == []


async def test_a_call_that_rings_is_hung_up_and_closed_though_nobody_talks_yet() -> None:
    house = House(provider=Provider.TWILIO)
    await house.ring()
    await house.live_calls.close(CALL_ID, 0)
    await house.end_call.by_operator(TENANT_ID, CALL_ID)
    call = await house.call_store.get(TENANT_ID, CALL_ID)
    assert call is not None
    assert (call.state, call.end_reason) == (CallState.CANCELED, EndReason.OPERATOR_HUNG_UP)
    assert house.carrier.hung_up == [CALL_SID]


@pytest.mark.parametrize("reason", [EndReason.TRANSFERRED, EndReason.MESSAGE_LEFT, EndReason.BUSY])
async def test_a_line_that_goes_on_without_us_is_left_alone(reason: EndReason) -> None:
    house = await running()
    await house.end_call.note(CALL_ID, reason)
    await house.end_call.hang_up(CALL_ID)
    assert house.carrier.hung_up == []
    assert house.channel.hung_up == [reason], "our socket is ours to close"


@pytest.mark.parametrize("reason", [EndReason.VOICEMAIL, EndReason.SPENT, EndReason.UNREPORTED, EndReason.SILENT])
async def test_every_other_line_is_ours_to_hang_up(reason: EndReason) -> None:
    house = await running()
    await house.end_call.note(CALL_ID, reason)
    await house.end_call.hang_up(CALL_ID)
    assert house.carrier.hung_up == [CALL_SID]
