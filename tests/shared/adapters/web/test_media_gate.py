"""Browsers and apps: their events, the call that their token names, and every bad thing that they may send."""

from __future__ import annotations

from typing import Any

import pytest

from shared.adapters.web.media_gate import MAX_MESSAGE_BYTES, WebMediaGate
from shared.domain import pipe_names
from shared.domain.call import Provider
from shared.domain.errors import Conflict, InvalidRequest, Unauthenticated, VoiceAgentError
from shared.ports.media_gate import CONNECT, CONNECTED, DISCONNECTED, Upstream
from tests.fakes.call import CALL_ID, House, dumps, silence, texts

GOOD_START = {"sample_rate_hz": 16000}


class Client:
    """One connection of a client whose token names a call."""

    def __init__(self, gate: WebMediaGate, connection_id: str = "connection-1", user_id: str = CALL_ID) -> None:
        self.gate = gate
        self.connection_id = connection_id
        self.user_id = user_id
        self.state = ""
        self.events = 0

    async def send(self, event: str, body: bytes | object = b"", *, kind: str = "azure.webpubsub.user.x") -> None:
        self.events += 1
        content = body if isinstance(body, bytes) else dumps(body)
        upstream = Upstream(
            kind, "clients", self.connection_id, str(self.events), event, self.user_id, self.state, content
        )
        if not await self.gate.pass_frame(upstream):
            self.state = (await self.gate.handle(upstream)).state or self.state


@pytest.fixture
async def house() -> House:
    house = House()
    await house.ring()
    return house


@pytest.fixture
def gate(house: House) -> WebMediaGate:
    return WebMediaGate(house.pipes, house.attach_media, house.end_call)


@pytest.fixture
def client(gate: WebMediaGate) -> Client:
    return Client(gate)


async def refused(code: str, kind: type[VoiceAgentError], awaitable: Any) -> None:
    with pytest.raises(kind) as error:
        await awaitable
    assert error.value.code == code


async def entries(house: House, pipe: str) -> list[dict[str, str]]:
    return [texts(entry) for entry in await house.pipes.read(pipe)]


async def test_a_conversation(house: House, client: Client) -> None:
    await client.send("", kind=CONNECT)
    await client.send("", kind=CONNECTED)
    await client.send("start", GOOD_START)
    assert client.state == CALL_ID
    await client.send("audio", silence(60))
    await client.send("mark", {"name": "1-1-1"})
    await client.send("stop", {})
    frames = await house.pipes.read(pipe_names.frames(CALL_ID))
    assert [entry.fields.get(b"d") for entry in frames] == [None, silence(60), None]
    assert await entries(house, pipe_names.events(CALL_ID)) == [
        {"event": "started"},
        {"event": "mark", "name": "1-1-1"},
        {"event": "end", "reason": "caller_hung_up"},
    ]


async def test_starting_again_on_the_same_connection_is_no_error(client: Client) -> None:
    await client.send("start", GOOD_START)
    client.state = ""
    await client.send("start", GOOD_START)
    assert client.state == CALL_ID


async def test_a_second_connection_of_the_same_client_is_refused(gate: WebMediaGate, client: Client) -> None:
    await client.send("start", GOOD_START)
    await refused("media_attached", Conflict, Client(gate, "connection-2").send("start", GOOD_START))


@pytest.mark.parametrize("user_id", ["", "another", "call-2"])
async def test_a_token_for_no_call(gate: WebMediaGate, user_id: str) -> None:
    await refused("call_unknown", Unauthenticated, Client(gate, user_id=user_id).send("start", GOOD_START))


async def test_a_carriers_call_is_not_for_clients() -> None:
    house = House(provider=Provider.TWILIO)
    await house.ring()
    gate = WebMediaGate(house.pipes, house.attach_media, house.end_call)
    await refused("call_unknown", Unauthenticated, Client(gate).send("start", GOOD_START))


@pytest.mark.parametrize("rate", [8000, 48000, "16000", None, 0])
async def test_another_audio_format(client: Client, rate: object) -> None:
    await refused("media_format", InvalidRequest, client.send("start", {"sample_rate_hz": rate}))


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"[" * 4000])
async def test_a_start_that_is_no_object(client: Client, body: bytes) -> None:
    await refused("start_malformed", InvalidRequest, client.send("start", body))


@pytest.mark.parametrize(("event", "body"), [("audio", silence(60)), ("mark", {"name": "x"}), ("dance", {})])
async def test_before_start_nothing_is_taken(house: House, client: Client, event: str, body: object) -> None:
    await refused("before_start", InvalidRequest, client.send(event, body))
    assert house.pipes.names == set()


async def test_an_unknown_event(client: Client) -> None:
    await client.send("start", GOOD_START)
    await refused("event_unknown", InvalidRequest, client.send("dance", {}))


@pytest.mark.parametrize(
    "body",
    [b"", b"x", b"[]", b"{}", b'{"name":5}', b'{"name":"\\ud800"}', dumps({"name": "m" * 65}), b"[" * 4000],
)
async def test_a_malformed_mark(client: Client, body: bytes) -> None:
    await client.send("start", GOOD_START)
    await refused("mark_malformed", InvalidRequest, client.send("mark", body))


@pytest.mark.parametrize(("event", "size"), [("audio", MAX_MESSAGE_BYTES + 1), ("mark", 5000), ("mark", 1 << 20)])
async def test_a_message_that_is_too_large(client: Client, event: str, size: int) -> None:
    await client.send("start", GOOD_START)
    await refused("body_too_large", InvalidRequest, client.send(event, b" " * size))


async def test_a_client_that_vanishes_ends_its_call(house: House, client: Client) -> None:
    await client.send("start", GOOD_START)
    await client.send("", kind=DISCONNECTED)
    live = await house.live_calls.get(CALL_ID)
    assert live is not None
    assert live.end_reason == "caller_hung_up"


async def test_a_client_that_never_started_ends_nothing(house: House, client: Client) -> None:
    await client.send("", kind=DISCONNECTED)
    await client.send("stop", {})
    live = await house.live_calls.get(CALL_ID)
    assert live is not None
    assert live.end_reason == ""
