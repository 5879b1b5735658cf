"""Twilio's media sockets: what ends a call, and what only ends a socket."""

from __future__ import annotations

import pytest

from shared.adapters.twilio.media_gate import TwilioMediaGate
from shared.ports.media_gate import CONNECTED, DISCONNECTED
from tests.fakes.call import CALL_ID, CALL_SID, House
from tests.shared.adapters.twilio.media_sockets import (
    STREAM,
    Socket,
    ended,
    events_of,
    frames_of,
    make_gate,
    make_house,
    started,
)


@pytest.fixture
async def house() -> House:
    return await make_house()


@pytest.fixture
def gate(house: House) -> TwilioMediaGate:
    return make_gate(house)


@pytest.fixture
def socket(gate: TwilioMediaGate) -> Socket:
    return Socket(gate)


async def test_a_stop_ends_the_call(house: House, socket: Socket) -> None:
    await started(house, socket)
    await socket.send({"event": "stop", "streamSid": STREAM, "stop": {"callSid": CALL_SID}})
    assert await ended(house) == "caller_hung_up"
    end = {"event": "end", "reason": "caller_hung_up"}
    assert (await frames_of(house))[-1] == end
    assert (await events_of(house))[-1] == end


async def test_a_stream_that_stops_ends_the_call_once(house: House, socket: Socket) -> None:
    await started(house, socket)
    await socket.send({"event": "stop", "streamSid": STREAM})
    await socket.system(DISCONNECTED, b'{"reason":""}')
    await socket.system(DISCONNECTED, b"")
    assert await ended(house) == "caller_hung_up"
    assert [frame for frame in await frames_of(house) if frame.get("event") == "end"] == [
        {"event": "end", "reason": "caller_hung_up"}
    ]


async def test_a_socket_that_is_lost_leaves_its_place_to_another(house: House, gate: TwilioMediaGate) -> None:
    first, second = Socket(gate, "connection-1"), Socket(gate, "connection-2")
    await started(house, first)
    await first.system(DISCONNECTED, b'{"reason":""}')
    assert await ended(house) == "", "Twilio asks us what comes next"
    await second.start(await house.live_calls.issue_ticket(CALL_ID))
    await first.system(DISCONNECTED, b"")
    assert second.state == CALL_ID
    live = await house.live_calls.get(CALL_ID)
    assert live is not None
    assert (live.connection_id, live.end_reason) == ("connection-2", "")


async def test_the_stop_of_a_stream_whose_place_is_taken_ends_nothing(house: House, gate: TwilioMediaGate) -> None:
    first, second = Socket(gate, "connection-1"), Socket(gate, "connection-2")
    await started(house, first)
    await house.live_calls.detach(CALL_ID, connection_id="connection-1")
    await second.start(await house.live_calls.issue_ticket(CALL_ID))
    await first.send({"event": "stop", "streamSid": STREAM})
    assert await ended(house) == ""
    await second.send({"event": "stop", "streamSid": STREAM})
    assert await ended(house) == "caller_hung_up"


async def test_a_client_that_vanishes_before_start_leaves_nothing(house: House, socket: Socket) -> None:
    await socket.system(CONNECTED)
    await socket.system(DISCONNECTED)
    assert await ended(house) == ""
    assert house.pipes.names == set()
