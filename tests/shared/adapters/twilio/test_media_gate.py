"""Twilio's media sockets: what is let in, and what is refused and why."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shared.adapters.twilio.media_gate import MAX_MESSAGE_BYTES, TwilioMediaGate
from shared.adapters.twilio.signature import signature
from shared.domain import pipe_names
from shared.domain.call import CallState
from shared.domain.errors import Conflict, InvalidRequest, Unauthenticated, VoiceAgentError
from shared.ports.media_gate import CONNECT, CONNECTED
from tests.fakes.call import CALL_ID, TENANT_ID, House, dumps
from tests.shared.adapters.twilio.media_sockets import (
    FORMAT,
    MESSAGE,
    QUIET,
    SOCKET,
    STREAM,
    TOKEN,
    Socket,
    events_of,
    frames_of,
    make_gate,
    make_house,
    refused,
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


# connect


@pytest.mark.parametrize("name", ["x-twilio-signature", "X-Twilio-Signature"])
async def test_a_signed_socket_is_let_in(gate: TwilioMediaGate, socket: Socket, name: str) -> None:
    body = dumps({"claims": {}, "query": {}, "headers": {name: [signature(TOKEN, SOCKET)]}})
    reply = await gate.handle(socket.upstream(CONNECT, body))
    assert reply.body == {"userId": "twilio"}
    assert reply.state == ""


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-twilio-signature": []},
        {"x-twilio-signature": ["wrong"]},
        {"x-twilio-signature": ["é"]},
        {"x-twilio-signature": [None]},
        {"x-twilio-signature": [["nested"]]},
        {"x-twilio-signature": {"a": 1}},
        {"x-twilio-signature": 5},
        {"x-twilio-signature": [signature("other", SOCKET)]},
        {"x-twilio-signature": ["wrong", signature(TOKEN, SOCKET)]},
        ["x-twilio-signature"],
        None,
    ],
    ids=repr,
)
async def test_anybody_else_is_not(socket: Socket, headers: object) -> None:
    await refused("twilio_signature", Unauthenticated, socket.system(CONNECT, dumps({"headers": headers})))


# start


async def test_a_started_stream_is_attached(house: House, socket: Socket) -> None:
    await started(house, socket)
    live = await house.live_calls.get(CALL_ID)
    assert live is not None
    assert (live.hub, live.connection_id, live.stream_id) == ("carriers", "connection-1", STREAM)
    assert socket.state == CALL_ID
    call = await house.call_store.get(TENANT_ID, CALL_ID)
    assert call is not None
    assert call.state is CallState.IN_PROGRESS
    assert {"event": "started"} in await events_of(house)


async def test_a_ticket_is_good_for_one_connection(house: House, gate: TwilioMediaGate) -> None:
    ticket = await house.live_calls.issue_ticket(CALL_ID)
    await Socket(gate, "connection-1").start(ticket)
    await refused("ticket", Unauthenticated, Socket(gate, "connection-2").start(ticket))


async def test_a_start_whose_answer_was_lost_comes_again(house: House, socket: Socket) -> None:
    ticket = await house.live_calls.issue_ticket(CALL_ID)
    await socket.start(ticket)
    socket.state = ""  # the service never got our answer, so it repeats the event without a state
    await socket.start(ticket)
    assert socket.state == CALL_ID


async def test_a_second_connection_is_refused_even_with_a_ticket(house: House, gate: TwilioMediaGate) -> None:
    await Socket(gate, "connection-1").start(await house.live_calls.issue_ticket(CALL_ID))
    second = Socket(gate, "connection-2")
    await refused("media_attached", Conflict, second.start(await house.live_calls.issue_ticket(CALL_ID)))


@pytest.mark.parametrize("ticket", ["", "unknown", None, 5, ["x"]], ids=repr)
async def test_no_or_a_wrong_ticket(socket: Socket, ticket: object) -> None:
    await refused("ticket", Unauthenticated, socket.start(ticket))
    assert socket.state == ""


async def test_a_ticket_grows_old(house: House, socket: Socket) -> None:
    ticket = await house.live_calls.issue_ticket(CALL_ID)
    await house.clock.sleep_ms(61_000)
    await refused("ticket", Unauthenticated, socket.start(ticket))


async def test_the_ticket_of_another_call(house: House, socket: Socket) -> None:
    ticket = await house.live_calls.issue_ticket(CALL_ID)
    await refused("ticket", Unauthenticated, socket.start(ticket, callSid="CA" + "2" * 32))


async def test_a_call_that_has_ended(house: House, socket: Socket) -> None:
    ticket = await house.live_calls.issue_ticket(CALL_ID)
    await house.live_calls.end(CALL_ID, "caller_hung_up")
    await refused("media_attached", Conflict, socket.start(ticket))


@pytest.mark.parametrize(
    "format_",
    [None, {}, FORMAT | {"sampleRate": 16000}, FORMAT | {"encoding": "audio/l16"}, FORMAT | {"channels": 2}],
)
async def test_another_audio_format(house: House, socket: Socket, format_: object) -> None:
    ticket = await house.live_calls.issue_ticket(CALL_ID)
    await refused("media_format", InvalidRequest, socket.start(ticket, mediaFormat=format_))
    await socket.start(ticket)
    assert socket.state == CALL_ID, "the ticket was not used up"


@pytest.mark.parametrize(
    "message",
    [
        {"event": "start"},
        {"event": "start", "start": {}},
        {"event": "start", "streamSid": STREAM, "start": []},
        {"event": "start", "streamSid": 5, "start": {"mediaFormat": FORMAT}},
    ],
)
async def test_a_malformed_start(socket: Socket, message: dict[str, Any]) -> None:
    await refused("start_malformed", InvalidRequest, socket.send(message))


@pytest.mark.parametrize("parameters", [None, [], "x", {}])
async def test_a_start_without_parameters(socket: Socket, parameters: object) -> None:
    await refused("ticket", Unauthenticated, socket.start("", customParameters=parameters))


async def test_a_second_start(house: House, socket: Socket) -> None:
    await started(house, socket)
    await refused("started_already", Conflict, socket.start("any"))


# frames


async def test_a_frame_is_one_append_as_it_came(house: House, socket: Socket) -> None:
    await started(house, socket)
    before = len(house.pipes.appended)
    await socket.send(QUIET)
    assert len(house.pipes.appended) == before + 1
    entry = (await house.pipes.read(pipe_names.frames(CALL_ID)))[-1]
    assert entry.fields == {b"c": b"connection-1", b"i": str(socket.events).encode(), b"d": QUIET}


async def test_a_frame_in_another_order_of_keys_is_a_frame_too(house: House, socket: Socket) -> None:
    await started(house, socket)
    spaced = QUIET.replace(b'{"event":"media",', b'{ "sequenceNumber":"3", "event": "media",')
    await socket.send(spaced)
    assert (await house.pipes.read(pipe_names.frames(CALL_ID)))[-1].fields[b"d"] == spaced


@pytest.mark.parametrize("message", [QUIET, dumps({"event": "mark", "mark": {"name": "x"}}), b'{"event":"stop"}'])
async def test_before_start_nothing_else_is_taken(house: House, socket: Socket, message: bytes) -> None:
    await refused("before_start", InvalidRequest, socket.send(message))
    assert await frames_of(house) == []


@pytest.mark.parametrize("message", [QUIET, dumps({"event": "mark", "mark": {"name": "x"}})])
async def test_after_stop_nothing_is_taken(house: House, socket: Socket, message: bytes) -> None:
    await started(house, socket)
    await socket.send({"event": "stop", "streamSid": STREAM})
    frames = await frames_of(house)
    await refused("after_stop", Conflict, socket.send(message))
    assert await frames_of(house) == frames


@pytest.mark.parametrize("message", [b"hello", b"", b"{", b"\xff\xfe", b"[" * 60_000, b'{"event":'])
@pytest.mark.parametrize("running", [True, False])
async def test_text_that_is_no_json(house: House, socket: Socket, message: bytes, running: bool) -> None:
    if running:
        await started(house, socket)
    await refused("not_json", InvalidRequest, socket.send(message))


@pytest.mark.parametrize("message", [b"[]", b"5", b'"media"', b"null", b'["event"]'])
async def test_json_that_is_no_object(socket: Socket, message: bytes) -> None:
    await refused("not_an_object", InvalidRequest, socket.send(message))


@pytest.mark.parametrize("running", [True, False])
@pytest.mark.parametrize("size", [MAX_MESSAGE_BYTES + 1, 2 * 1024 * 1024])
async def test_a_message_that_is_too_large(house: House, socket: Socket, running: bool, size: int) -> None:
    if running:
        await started(house, socket)
    await refused("body_too_large", InvalidRequest, socket.send(QUIET[:-1] + b" " * (size - len(QUIET)) + b"}"))


# what else is said while the call runs


async def test_marks_are_events(house: House, socket: Socket) -> None:
    await started(house, socket)
    await socket.send({"event": "mark", "streamSid": STREAM, "mark": {"name": "1-2-3"}})
    assert (await events_of(house))[-1] == {"event": "mark", "name": "1-2-3"}


async def test_keys_come_in_their_place_between_the_frames(house: House, socket: Socket) -> None:
    await started(house, socket)
    await socket.send({"event": "dtmf", "streamSid": STREAM, "dtmf": {"track": "inbound_track", "digit": "#"}})
    newest = await house.pipes.last(pipe_names.frames(CALL_ID))
    assert newest is not None
    assert newest.fields == {b"k": b"#"}


@pytest.mark.parametrize(
    "message",
    [
        {"event": "mark"},
        {"event": "mark", "mark": "x"},
        {"event": "mark", "mark": {"name": 5}},
        {"event": "dtmf", "dtmf": []},
        {"event": "dtmf", "dtmf": {"digit": None}},
        {"event": "weather"},
        {},
        {"event": ["media"]},
    ],
    ids=repr,
)
async def test_what_makes_no_sense_is_passed_over(house: House, socket: Socket, message: dict[str, Any]) -> None:
    await started(house, socket)
    before = await events_of(house)
    await socket.send(message)
    assert await events_of(house) == before
    await socket.send(QUIET)
    assert socket.state == CALL_ID


async def test_connected_may_come_after_the_first_message(house: House, socket: Socket) -> None:
    await socket.start(await house.live_calls.issue_ticket(CALL_ID))
    await socket.system(CONNECTED)
    await socket.send(QUIET)
    assert socket.state == CALL_ID


async def test_a_store_that_is_down_lets_the_event_be_repeated(house: House, socket: Socket) -> None:
    ticket = await house.live_calls.issue_ticket(CALL_ID)
    house.call_store.down = True
    with pytest.raises(VoiceAgentError) as error:
        await socket.start(ticket)
    assert error.value.retryable
    house.call_store.down = False
    await socket.start(ticket)
    assert socket.state == CALL_ID


async def test_frames_of_a_call_that_is_forgotten_leave_no_pipe_behind(house: House, socket: Socket) -> None:
    await started(house, socket)
    await house.live_calls.close(CALL_ID, 1)
    await socket.send(QUIET)
    assert house.pipes.names == set()


async def test_only_messages_are_frames(gate: TwilioMediaGate, socket: Socket) -> None:
    running = replace(socket.upstream(MESSAGE, b'{"event":"mark"}'), state=CALL_ID)
    assert not await gate.pass_frame(running)


async def test_halves_of_surrogate_pairs_reach_no_store(house: House, gate: TwilioMediaGate) -> None:
    socket = Socket(gate)
    await refused("ticket", Unauthenticated, socket.start("\ud800"))
    await socket.start(await house.live_calls.issue_ticket(CALL_ID))
    before = await house.pipes.read(pipe_names.events(CALL_ID))
    await socket.send(b'{"event":"mark","mark":{"name":"\\ud800"}}')
    await socket.send(b'{"event":"dtmf","dtmf":{"digit":"\\ud800"}}')
    assert await house.pipes.read(pipe_names.events(CALL_ID)) == before
