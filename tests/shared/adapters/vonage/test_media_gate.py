"""Vonage's media sockets: what is let in, what is refused and why, and what becomes of a socket that closes."""

from __future__ import annotations

from typing import Any

import pytest

from shared.adapters.vonage.media_codec import FRAME_BYTES
from shared.adapters.vonage.media_gate import MAX_MESSAGE_BYTES, VonageMediaGate
from shared.domain import pipe_names
from shared.domain.call import CallState, Provider
from shared.domain.errors import Conflict, InvalidRequest, Unauthenticated, VoiceAgentError
from shared.ports.connection import BINARY, TEXT
from shared.ports.media_gate import CONNECT, CONNECTED, DISCONNECTED, Upstream
from shared.use_cases.calls.move_media import MoveMedia
from tests.fakes.call import CALL_ID, CALL_SID, TENANT_ID, House, dumps, texts

MESSAGE = "azure.webpubsub.user.message"
FORMAT = "audio/l16;rate=16000"
FRAME = b'{"' + bytes(FRAME_BYTES - 2)
"""A frame may begin as JSON does."""


class Socket:
    """One connection, as Web PubSub tells of it: it sends back the state that we last answered."""

    def __init__(self, gate: VonageMediaGate, connection_id: str = "connection-1") -> None:
        self.gate = gate
        self.connection_id = connection_id
        self.state = ""
        self.events = 0

    async def tell(self, kind: str, body: bytes, content_type: str, user_id: str = CALL_ID) -> bool:
        self.events += 1
        upstream = Upstream(
            kind, "vonage", self.connection_id, str(self.events), "message", user_id, self.state, body, content_type
        )
        if await self.gate.pass_frame(upstream):
            return True
        self.state = (await self.gate.handle(upstream)).state or self.state
        return False

    async def say(self, event: str, **more: Any) -> None:
        await self.tell(MESSAGE, dumps({"event": f"websocket:{event}", **more}), TEXT)

    async def start(self, ticket: object, **changes: Any) -> None:
        await self.say("connected", **{"content-type": FORMAT, "ticket": ticket, "leg": CALL_SID, **changes})


@pytest.fixture
async def house() -> House:
    house = House(provider=Provider.VONAGE)
    await house.ring()
    return house


@pytest.fixture
def socket(house: House) -> Socket:
    move_media = MoveMedia(house.call_store, house.live_calls, house.directory, house.end_call)
    return Socket(VonageMediaGate(house.pipes, house.attach_media, move_media))


async def entries(house: House, pipe: str) -> list[dict[str, str]]:
    return [texts(entry) for entry in await house.pipes.read(pipe)]


async def refused(code: str, deed: Any, kind: type[VoiceAgentError]) -> None:
    with pytest.raises(kind) as error:
        await deed
    assert error.value.code == code


async def test_a_call_runs_over_its_socket(house: House, socket: Socket) -> None:
    await socket.tell(CONNECT, b'{"claims":{"sub":["call"]},"headers":{}}', "application/json")
    await socket.tell(CONNECTED, b"{}", "application/json")
    await socket.start(await house.live_calls.issue_ticket(CALL_ID))
    assert socket.state == CALL_ID
    assert await socket.tell(MESSAGE, FRAME, BINARY)
    await socket.say("dtmf", digit="5", duration=260)
    await socket.say("notify", payload={"mark": "1-2"})
    await socket.say("cleared")
    await socket.say("media:update", active=True)
    frames = await house.pipes.read(pipe_names.frames(CALL_ID))
    assert frames[1].fields[b"d"] == FRAME
    assert frames[1].fields[b"c"] == b"connection-1"
    assert texts(frames[2]) == {"k": "5"}
    events = await entries(house, pipe_names.events(CALL_ID))
    assert events == [{"event": "started"}, {"event": "mark", "name": "1-2"}]
    call = await house.call_store.get(TENANT_ID, CALL_ID)
    assert call is not None
    assert call.state is CallState.IN_PROGRESS


async def test_without_a_token_nobody_knocks(socket: Socket) -> None:
    await refused("socket_token", socket.tell(CONNECT, b'{"claims":{}}', "application/json", ""), Unauthenticated)


@pytest.mark.parametrize("ticket", [None, 7, "unknown", "é", ""])
async def test_without_our_ticket_nobody_speaks(socket: Socket, ticket: object) -> None:
    await refused("ticket", socket.start(ticket), Unauthenticated)


async def test_a_ticket_is_good_once_and_for_its_own_leg(house: House, socket: Socket) -> None:
    ticket = await house.live_calls.issue_ticket(CALL_ID)
    await refused("ticket", socket.start(ticket, leg="another"), Unauthenticated)
    ticket = await house.live_calls.issue_ticket(CALL_ID)
    await socket.start(ticket)
    await refused("ticket", Socket(socket.gate, "connection-2").start(ticket), Unauthenticated)
    await refused("started_already", socket.start(ticket), Conflict)


@pytest.mark.parametrize("media_type", ["audio/l16;rate=8000", "audio/l16;rate=24000", "audio/pcmu", None, 7])
async def test_only_sixteen_kilohertz_are_taken(house: House, socket: Socket, media_type: object) -> None:
    ticket = await house.live_calls.issue_ticket(CALL_ID)
    await refused("media_format", socket.start(ticket, **{"content-type": media_type}), InvalidRequest)


@pytest.mark.parametrize("size", [0, 320, FRAME_BYTES - 1, FRAME_BYTES + 1, 960])
async def test_a_frame_of_another_size_is_refused(house: House, socket: Socket, size: int) -> None:
    await socket.start(await house.live_calls.issue_ticket(CALL_ID))
    await refused("frame_size", socket.tell(MESSAGE, bytes(size), BINARY), InvalidRequest)
    assert len(await house.pipes.read(pipe_names.frames(CALL_ID))) == 1


async def test_nothing_comes_before_the_start(socket: Socket) -> None:
    await refused("before_start", socket.tell(MESSAGE, FRAME, BINARY), InvalidRequest)
    await refused("before_start", socket.say("dtmf", digit="1"), InvalidRequest)


@pytest.mark.parametrize(
    ("body", "code"),
    [(b"no json", "not_json"), (b"[" * 10_000, "not_json"), (b"[]", "not_an_object"), (b"1", "not_an_object")],
)
async def test_what_is_no_message_is_refused(socket: Socket, body: bytes, code: str) -> None:
    await refused(code, socket.tell(MESSAGE, body, TEXT), InvalidRequest)


async def test_a_message_has_its_limit(socket: Socket) -> None:
    await refused("body_too_large", socket.tell(MESSAGE, b"x" * (MAX_MESSAGE_BYTES + 1), TEXT), InvalidRequest)


@pytest.mark.parametrize(
    ("message", "key"),
    [
        ({"digit": "#"}, "#"),
        ({"dtmf": "7"}, "7"),
        ({"dtmf": {"digit": "*"}}, "*"),
        ({"digit": "12"}, None),
        ({"digit": 5}, None),
        ({}, None),
    ],
)
async def test_a_key_is_read_however_it_is_written(
    house: House, socket: Socket, message: dict[str, Any], key: str | None
) -> None:
    await socket.start(await house.live_calls.issue_ticket(CALL_ID))
    await socket.say("dtmf", **message)
    keys = [entry["k"] for entry in await entries(house, pipe_names.frames(CALL_ID)) if "k" in entry]
    assert keys == ([] if key is None else [key])


@pytest.mark.parametrize("payload", [None, {}, {"mark": 7}, {"mark": "é"}, {"mark": "m" * 100}, "mark"])
async def test_a_notice_without_a_mark_is_passed_over(house: House, socket: Socket, payload: object) -> None:
    await socket.start(await house.live_calls.issue_ticket(CALL_ID))
    await socket.say("notify", payload=payload)
    assert await entries(house, pipe_names.events(CALL_ID)) == [{"event": "started"}]


@pytest.mark.parametrize("how", ["gone", "told"])
async def test_a_socket_that_closes_is_lost_and_another_may_take_its_place(
    house: House, socket: Socket, how: str
) -> None:
    await socket.start(await house.live_calls.issue_ticket(CALL_ID))
    if how == "gone":
        await socket.tell(DISCONNECTED, b"{}", "application/json")
    else:
        await socket.say("disconnected")
        await refused("after_stop", socket.say("dtmf", digit="1"), Conflict)
    live = await house.live_calls.get(CALL_ID)
    assert live is not None
    assert (live.connection_id, live.end_reason) == ("", "")
    second = Socket(socket.gate, "connection-2")
    await second.start(await house.live_calls.issue_ticket(CALL_ID))
    assert await second.tell(MESSAGE, FRAME, BINARY)
