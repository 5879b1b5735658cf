"""Twilio's relay sockets: who is let in, what becomes of each message, and of a socket that drops."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.twilio.relay_gate import MAX_MESSAGE_BYTES, TwilioRelayGate
from shared.domain import pipe_names
from shared.domain.call import CallState, Provider
from shared.domain.errors import Conflict, InvalidRequest, Unauthenticated, VoiceAgentError
from shared.domain.telephony.lines import Line
from shared.domain.words import BrokeIn, KeyPressed, LineEnded, Said, Started, Stirred, WordsEvent, read
from shared.ports.media_gate import CONNECT, CONNECTED, DISCONNECTED, Upstream
from shared.use_cases.calls.move_media import MoveMedia
from shared.use_cases.texting.text_streams import TextStreams
from tests.fakes.call import CALL_ID, CALL_SID, TENANT_ID, House, dumps
from tests.shared.adapters.twilio import requests as made

MESSAGE = "azure.webpubsub.user.message"


class Socket:
    """One connection, as Web PubSub tells of it: it sends back the state that we last answered."""

    def __init__(self, gate: TwilioRelayGate, connection_id: str = "connection-1") -> None:
        self.gate = gate
        self.connection_id = connection_id
        self.state = ""
        self.events = 0

    def upstream(self, kind: str, body: bytes = b"") -> Upstream:
        self.events += 1
        return Upstream(kind, "relays", self.connection_id, str(self.events), "message", "twilio", self.state, body)

    async def send(self, body: bytes | dict[str, Any]) -> None:
        upstream = self.upstream(MESSAGE, body if isinstance(body, bytes) else dumps(body))
        assert not await self.gate.pass_frame(upstream)
        self.state = (await self.gate.handle(upstream)).state or self.state

    async def set_up(self, ticket: object, **changes: Any) -> None:
        fields = {"type": "setup", "sessionId": "VX1", "callSid": CALL_SID, "customParameters": {"ticket": ticket}}
        await self.send(fields | changes)


@pytest.fixture
async def house() -> House:
    house = House(provider=Provider.TWILIO)
    house.line = Line.TWILIO_RELAY
    await house.ring()
    return house


def gate_of(house: House) -> TwilioRelayGate:
    streams = TextStreams(house.pipes, house.attach_media, house.end_call, house.clock)
    move_media = MoveMedia(house.call_store, house.live_calls, house.directory, house.end_call)
    return TwilioRelayGate(made.make_webhooks(), streams, move_media)


@pytest.fixture
def socket(house: House) -> Socket:
    return Socket(gate_of(house))


async def words_of(house: House) -> list[WordsEvent]:
    entries = await house.pipes.read(pipe_names.words(CALL_ID))
    return [read(entry.fields, at_ms=entry.at_ms) for entry in entries]


async def refused(code: str, kind: type[VoiceAgentError], awaitable: Any) -> None:
    with pytest.raises(kind) as error:
        await awaitable
    assert error.value.code == code


async def running(house: House, socket: Socket) -> None:
    await socket.set_up(await house.live_calls.issue_ticket(CALL_ID))


async def test_only_a_signed_socket_is_let_in(socket: Socket) -> None:
    headers = made.signed_headers(made.TOKEN, made.RELAY)
    connect = dumps({"headers": {name: [value] for name, value in headers.items()}})
    assert (await socket.gate.handle(socket.upstream(CONNECT, connect))).body == {"userId": "twilio"}
    for body in (dumps({"headers": {}}), dumps({}), dumps([]), dumps({"headers": {"x-twilio-signature": ["x"]}})):
        await refused("twilio_signature", Unauthenticated, socket.gate.handle(socket.upstream(CONNECT, body)))


async def test_a_relay_is_set_up_with_its_ticket(house: House, socket: Socket) -> None:
    await socket.gate.handle(socket.upstream(CONNECTED))
    await running(house, socket)
    live = await house.live_calls.get(CALL_ID)
    assert live is not None
    assert (live.hub, live.connection_id, live.stream_id) == ("relays", "connection-1", "VX1")
    assert socket.state == CALL_ID
    call = await house.call_store.get(TENANT_ID, CALL_ID)
    assert call is not None
    assert call.state is CallState.IN_PROGRESS
    assert [type(event) for event in await words_of(house)] == [Started]


@pytest.mark.parametrize("ticket", ["", "unknown", "é", None, 5, ["x"]], ids=repr)
async def test_no_or_a_wrong_ticket(socket: Socket, ticket: object) -> None:
    await refused("ticket", Unauthenticated, socket.set_up(ticket))
    assert socket.state == ""


async def test_a_ticket_is_good_for_one_connection_of_its_own_call(house: House, socket: Socket) -> None:
    ticket = await house.live_calls.issue_ticket(CALL_ID)
    await refused("ticket", Unauthenticated, socket.set_up(ticket, callSid="CA" + "2" * 32))
    await socket.set_up(ticket)
    await refused("ticket", Unauthenticated, Socket(socket.gate, "connection-2").set_up(ticket))


async def test_a_setup_whose_answer_was_lost_comes_again(house: House, socket: Socket) -> None:
    ticket = await house.live_calls.issue_ticket(CALL_ID)
    await socket.set_up(ticket)
    socket.state = ""
    await socket.set_up(ticket)
    assert socket.state == CALL_ID


async def test_a_second_setup(house: House, socket: Socket) -> None:
    await running(house, socket)
    await refused("set_up_already", Conflict, socket.set_up("t"))


async def test_nothing_is_heard_before_the_setup(house: House, socket: Socket) -> None:
    await refused("before_setup", InvalidRequest, socket.send({"type": "prompt", "voicePrompt": "Hi."}))
    assert await words_of(house) == []


async def test_a_message_that_is_too_long(socket: Socket) -> None:
    await refused("body_too_large", InvalidRequest, socket.send(b" " * (MAX_MESSAGE_BYTES + 1)))


async def test_what_the_caller_does(house: House, socket: Socket) -> None:
    await running(house, socket)
    now = house.clock.now_ms()
    await socket.send({"type": "prompt", "voicePrompt": "I want", "last": False})
    await socket.send({"type": "prompt", "voicePrompt": "I want to go.", "lang": "en-US", "last": True})
    await socket.send({"type": "interrupt", "utteranceUntilInterrupt": "Sure, which"})
    await socket.send({"type": "dtmf", "digit": "5"})
    await socket.send({"type": "error", "description": "Invalid message"})
    await socket.send({"type": "info", "name": "tokensPlayed"})
    assert (await words_of(house))[1:] == [
        Stirred(now),
        Said(now, "I want to go.", "en-US"),
        BrokeIn(now, "Sure, which"),
        KeyPressed(now, "5"),
    ]


async def test_a_message_that_comes_twice_bears_the_same_name(house: House, socket: Socket) -> None:
    await running(house, socket)
    message = {"type": "prompt", "voicePrompt": "Hi.", "last": True}
    await socket.send(message)
    socket.events -= 1  # the service repeats an event whose answer was lost, with the same id
    await socket.send(message)
    keys = [entry.fields[b"key"] for entry in (await house.pipes.read(pipe_names.words(CALL_ID)))[1:]]
    assert keys == [b"connection-1:2", b"connection-1:2"]


async def test_a_relay_that_drops_leaves_its_place_to_another(house: House, socket: Socket) -> None:
    await running(house, socket)
    await socket.gate.handle(socket.upstream(DISCONNECTED))
    assert not any(isinstance(event, LineEnded) for event in await words_of(house)), "Twilio asks us what comes next"
    second = Socket(socket.gate, "connection-2")
    await running(house, second)
    await socket.gate.handle(socket.upstream(DISCONNECTED))
    live = await house.live_calls.get(CALL_ID)
    assert live is not None
    assert live.connection_id == "connection-2"


async def test_a_socket_that_never_was_set_up(socket: Socket) -> None:
    await socket.gate.handle(socket.upstream(DISCONNECTED))


@given(body=st.binary(max_size=120), is_running=st.booleans())
async def test_bytes_of_any_kind_are_refused_politely(body: bytes, is_running: bool) -> None:
    house = House(provider=Provider.TWILIO)
    house.line = Line.TWILIO_RELAY
    await house.ring()
    socket = Socket(gate_of(house))
    if is_running:
        await running(house, socket)
    for kind in (MESSAGE, CONNECT):
        try:
            await socket.gate.handle(socket.upstream(kind, body))
        except VoiceAgentError:
            continue
