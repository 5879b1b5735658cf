"""A socket goes, the call stays, another socket comes; and what becomes of a transfer."""

from __future__ import annotations

import pytest

from shared.domain import pipe_names
from shared.domain.call import EndReason, Provider
from shared.domain.errors import Conflict, NotFound, TelephonyError
from shared.domain.telephony.events import TransferEnded
from shared.domain.telephony.lines import Line
from shared.ports.live_calls import LiveCall
from shared.use_cases.calls.move_media import MoveMedia
from shared.use_cases.calls.note_transfer import NoteTransfer
from tests.fakes.call import CALL_ID, CALL_SID, House


@pytest.fixture
async def house() -> House:
    house = House(provider=Provider.TWILIO)
    await house.connect()
    return house


@pytest.fixture
def move_media(house: House) -> MoveMedia:
    return MoveMedia(house.call_store, house.live_calls, house.directory, house.end_call)


async def live(house: House) -> LiveCall:
    known = await house.live_calls.get(CALL_ID)
    assert known is not None
    return known


async def test_another_socket_takes_the_place(house: House, move_media: MoveMedia) -> None:
    answered = await move_media.resume(Provider.TWILIO, CALL_SID)
    assert (answered.call_id, answered.agent, answered.line) == (CALL_ID, house.agent, Line.TWILIO)
    await house.attach_media.by_ticket(
        answered.ticket, provider_call_id=CALL_SID, hub="carriers", connection_id="connection-2", stream_id="MZ2"
    )
    assert (await live(house)).connection_id == "connection-2"
    await move_media.lost(CALL_ID, "connection-1")
    await move_media.stopped(CALL_ID, "connection-1")
    await move_media.stream_stopped(Provider.TWILIO, CALL_SID, "MZ1")
    assert ((await live(house)).connection_id, (await live(house)).end_reason) == ("connection-2", "")


async def _events(house: House) -> list[bytes]:
    return [entry.fields[b"event"] for entry in await house.pipes.read(pipe_names.events(CALL_ID))]


async def test_who_speaks_learns_of_a_socket_that_is_gone(house: House, move_media: MoveMedia) -> None:
    await move_media.lost(CALL_ID, "connection-1")
    assert await _events(house) == [b"started", b"lost"]
    answered = await move_media.resume(Provider.TWILIO, CALL_SID)
    await house.attach_media.by_ticket(
        answered.ticket, provider_call_id=CALL_SID, hub="carriers", connection_id="connection-2", stream_id="MZ2"
    )
    await move_media.lost(CALL_ID, "connection-1")
    assert (await _events(house))[-1] == b"started"


async def test_a_socket_that_goes_with_its_call(house: House, move_media: MoveMedia) -> None:
    await house.end_call.note(CALL_ID, EndReason.CALLER_HUNG_UP)
    await move_media.lost(CALL_ID, "connection-1")
    await house.end_call.note(CALL_ID, EndReason.CALLER_HUNG_UP)
    assert await _events(house) == [b"started", b"end"]
    assert not (await live(house)).connection_id


async def test_who_speaks_learns_of_a_socket_that_is_gone_for_an_errand(house: House, move_media: MoveMedia) -> None:
    async with move_media.errand(Provider.TWILIO, CALL_SID):
        assert await _events(house) == [b"started"]
    await move_media.lost(CALL_ID, "connection-1")
    assert await _events(house) == [b"started", b"lost"]


async def test_the_end_of_the_socket_is_the_end_of_the_call(house: House, move_media: MoveMedia) -> None:
    await move_media.stopped(CALL_ID, "connection-1")
    assert (await live(house)).end_reason == EndReason.CALLER_HUNG_UP


async def test_a_stream_that_stopped_by_its_webhook(house: House, move_media: MoveMedia) -> None:
    await move_media.stream_stopped(Provider.TWILIO, CALL_SID, "")
    assert not (await live(house)).end_reason
    await house.live_calls.detach(CALL_ID, connection_id="connection-1")
    await house.live_calls.attach(CALL_ID, hub="h", connection_id="connection-2", stream_id="MZ2", at_ms=1)
    await move_media.stream_stopped(Provider.TWILIO, CALL_SID, "MZ2")
    assert (await live(house)).end_reason == EndReason.CALLER_HUNG_UP


async def test_a_stream_that_broke_is_no_end_though_it_is_told_to_have_stopped(
    house: House, move_media: MoveMedia
) -> None:
    await house.live_calls.detach(CALL_ID, connection_id="connection-1")
    await house.live_calls.attach(CALL_ID, hub="h", connection_id="connection-2", stream_id="MZ2", at_ms=1)
    await move_media.stream_broke(Provider.TWILIO, CALL_SID, "MZ1")
    assert (await live(house)).connection_id == "connection-2"
    await move_media.stream_broke(Provider.TWILIO, CALL_SID, "MZ2")
    await move_media.stream_stopped(Provider.TWILIO, CALL_SID, "MZ2")
    assert ((await live(house)).connection_id, (await live(house)).end_reason) == ("", "")


async def test_an_errand_ends_nothing(house: House, move_media: MoveMedia) -> None:
    async with move_media.errand(Provider.TWILIO, CALL_SID):
        await move_media.stopped(CALL_ID, "connection-1")
    assert ((await live(house)).connection_id, (await live(house)).end_reason) == ("", "")


async def test_an_errand_that_fails_leaves_the_socket_where_it_was(house: House, move_media: MoveMedia) -> None:
    before = await live(house)
    with pytest.raises(TelephonyError):
        async with move_media.errand(Provider.TWILIO, CALL_SID):
            raise TelephonyError("refused", "no")
    assert await live(house) == before


async def test_an_errand_of_a_call_that_is_not_there(move_media: MoveMedia) -> None:
    async with move_media.errand(Provider.TWILIO, "CA0"):
        pass


async def test_a_call_that_is_over_is_not_resumed(house: House, move_media: MoveMedia) -> None:
    with pytest.raises(Conflict):
        await move_media.resume(Provider.TWILIO, "CA0")
    await house.end_call.note(CALL_ID, EndReason.OPERATOR_HUNG_UP)
    with pytest.raises(Conflict):
        await move_media.resume(Provider.TWILIO, CALL_SID)


@pytest.mark.parametrize("times", [10, 2])
async def test_a_call_is_not_resumed_for_ever(times: int) -> None:
    house = House(provider=Provider.TWILIO)
    await (house.connect() if times > 2 else house.ring())
    move_media = MoveMedia(house.call_store, house.live_calls, house.directory, house.end_call)
    for _ in range(times):
        await move_media.resume(Provider.TWILIO, CALL_SID)
    with pytest.raises(Conflict):
        await move_media.resume(Provider.TWILIO, CALL_SID)
    assert (await live(house)).end_reason == EndReason.ERROR


@pytest.mark.parametrize(
    ("call_id", "provider", "sid"),
    [("", Provider.TWILIO, CALL_SID), (CALL_ID, Provider.VONAGE, CALL_SID), (CALL_ID, Provider.TWILIO, "CA0")],
)
async def test_a_call_of_somebody_else(move_media: MoveMedia, call_id: str, provider: Provider, sid: str) -> None:
    await move_media.require(CALL_ID, Provider.TWILIO, CALL_SID)
    with pytest.raises(NotFound):
        await move_media.require(call_id, provider, sid)


class FakeOrders:
    def __init__(self) -> None:
        self.over: list[str] = []

    async def ended(self, call_id: str) -> None:
        self.over.append(call_id)


async def test_a_transfer_that_was_taken_is_the_end_of_our_part(house: House) -> None:
    orders = FakeOrders()
    note = NoteTransfer(
        house.call_store,
        house.live_calls,
        house.end_call,
        orders,  # type: ignore[arg-type]
        house.allow_transfer,
    )
    taken = TransferEnded(Provider.TWILIO, CALL_SID, "k1", was_answered=True)
    gone = TransferEnded(Provider.TWILIO, CALL_SID, "k2", was_answered=False)
    await note(taken)
    await note(gone)
    await note(TransferEnded(Provider.TWILIO, "CA0", "k", was_answered=True))
    assert (await live(house)).end_reason == EndReason.TRANSFERRED
    assert orders.over == []


async def test_a_transfer_that_nobody_takes_leaves_the_caller_with_the_agent(house: House) -> None:
    orders = FakeOrders()
    note = NoteTransfer(
        house.call_store,
        house.live_calls,
        house.end_call,
        orders,  # type: ignore[arg-type]
        house.allow_transfer,
    )
    await house.live_calls.leave(CALL_ID, EndReason.TRANSFERRED)
    await note(TransferEnded(Provider.TWILIO, CALL_SID, "k", was_answered=False))
    assert ((await live(house)).end_reason, (await live(house)).leaving) == ("", "")
    assert orders.over == [CALL_ID]


async def test_only_the_providers_own_call_will_do(move_media: MoveMedia) -> None:
    await move_media.require(CALL_ID, Provider.TWILIO, CALL_SID)
    await move_media.require(CALL_ID, Provider.TWILIO)
    for wrong in ((CALL_ID, Provider.SARVAM), (CALL_ID, Provider.TWILIO, "CA2"), ("", Provider.TWILIO)):
        with pytest.raises(NotFound):
            await move_media.require(*wrong)
