"""Whatever a provider's socket says, it is understood or refused, and what goes on into the call makes sense."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.adapters.vonage.media_gate import VonageMediaGate
from shared.domain import pipe_names
from shared.domain.call import Provider
from shared.domain.errors import VoiceAgentError
from shared.domain.telephony.lines import Line
from shared.ports.connection import BINARY, TEXT
from shared.ports.media_gate import CONNECT, DISCONNECTED, MediaGate, Upstream
from shared.use_cases.calls.move_media import MoveMedia
from tests.fakes.call import CALL_ID, CALL_SID, House, dumps, texts
from tests.shared.adapters.twilio.media_sockets import FORMAT, STREAM, make_gate
from tests.shared.adapters.twilio.test_relay_gate import gate_of

_KEYS = frozenset("0123456789*#ABCD")
_LONGEST_MARK = 64


@dataclass(frozen=True)
class Gate:
    """`start`: the first message, with a ticket; `messages`: what may come then."""

    name: str
    line: Line
    make: Callable[[House], MediaGate]
    start: Callable[[str], dict[str, Any]]
    messages: tuple[dict[str, Any], ...]


def _vonage(house: House) -> MediaGate:
    move_media = MoveMedia(house.call_store, house.live_calls, house.directory, house.end_call)
    return VonageMediaGate(house.pipes, house.attach_media, move_media)


def _twilio_start(ticket: str) -> dict[str, Any]:
    start = {"callSid": CALL_SID, "mediaFormat": FORMAT, "customParameters": {"ticket": ticket}}
    return {"event": "start", "streamSid": STREAM, "start": start}


def _relay_start(ticket: str) -> dict[str, Any]:
    return {"type": "setup", "sessionId": "VX1", "callSid": CALL_SID, "customParameters": {"ticket": ticket}}


def _vonage_start(ticket: str) -> dict[str, Any]:
    first = {"event": "websocket:connected", "content-type": "audio/l16;rate=16000"}
    return {**first, "ticket": ticket, "leg": CALL_SID}


GATES = (
    Gate(
        "twilio",
        Line.TWILIO,
        make_gate,
        _twilio_start,
        (
            {"event": "media", "media": {"track": "inbound", "timestamp": "20", "payload": "//8="}},
            {"event": "dtmf", "streamSid": STREAM, "dtmf": {"track": "inbound_track", "digit": "5"}},
            {"event": "mark", "streamSid": STREAM, "mark": {"name": "1-0-3"}},
            {"event": "connected", "protocol": "Call"},
        ),
    ),
    Gate(
        "twilio-relay",
        Line.TWILIO_RELAY,
        gate_of,
        _relay_start,
        (
            {"type": "prompt", "voicePrompt": "hello", "lang": "en-IN", "last": True},
            {"type": "interrupt", "utteranceUntilInterrupt": "Sure", "durationUntilInterruptMs": "820"},
            {"type": "dtmf", "digit": "1"},
            {"type": "info", "name": "agentSpeaking", "value": "on", "ts": 1763800000000},
            {"type": "error", "description": "Invalid message received"},
        ),
    ),
    Gate(
        "vonage",
        Line.VONAGE,
        _vonage,
        _vonage_start,
        (
            {"event": "websocket:dtmf", "digit": "5", "duration": 260},
            {"event": "websocket:dtmf", "dtmf": {"digit": "5"}},
            {"event": "websocket:notify", "payload": {"mark": "1-0-3"}},
            {"event": "websocket:cleared"},
            {"event": "websocket:media:update", "active": False},
        ),
    ),
)
BY_NAME = {gate.name: gate for gate in GATES}
_TEXT = st.text(st.characters(), max_size=12) | st.sampled_from(["\ud83d", "5" * 100, "55", "\x00", "٣", "é", ""])
_JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_TEXT, inner, max_size=2),
    max_leaves=5,
)
_LESS = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@st.composite
def spoiled(draw: st.DrawFn, whole: Any) -> Any:
    """The same message with parts of it gone, or something else."""
    if isinstance(whole, dict):
        return {name: draw(spoiled(part)) for name, part in whole.items() if draw(st.integers(0, 9))}
    return draw(_JUNK) if draw(st.integers(0, 3)) == 0 else whole


class Socket:
    """One connection, as the realtime service tells of it."""

    def __init__(self, gate: MediaGate) -> None:
        self.gate = gate
        self.state = ""
        self.events = 0

    async def tell(self, body: bytes, content_type: str = TEXT, kind: str = "azure.webpubsub.user.message") -> None:
        """Raises: VoiceAgentError."""
        self.events += 1
        event_id = str(self.events)
        upstream = Upstream(kind, "hub", "connection-1", event_id, "message", "x", self.state, body, content_type)
        if not await self.gate.pass_frame(upstream):
            self.state = (await self.gate.handle(upstream)).state or self.state


def on_a_call(gate: Gate, deed: Callable[[House, Socket, str], Awaitable[None]]) -> None:
    async def run() -> None:
        house = House(provider=Provider.VONAGE if gate.line is Line.VONAGE else Provider.TWILIO)
        house.line = gate.line
        await house.ring()
        await deed(house, Socket(gate.make(house)), await house.live_calls.issue_ticket(CALL_ID))

    asyncio.run(run())


async def politely(deed: Awaitable[None]) -> None:
    """It is understood, or refused for good."""
    try:
        await deed
    except VoiceAgentError as error:
        if error.retryable:
            raise AssertionError("who asks again with this gets the same answer") from error


async def noted(house: House) -> tuple[list[str], list[str]]:
    """Keys and marks that have gone on into the call."""
    frames = [texts(entry) for entry in await house.pipes.read(pipe_names.frames(CALL_ID))]
    events = [texts(entry) for entry in await house.pipes.read(pipe_names.events(CALL_ID))]
    return [each["k"] for each in frames if "k" in each], [each["name"] for each in events if "name" in each]


@pytest.mark.parametrize("name", list(BY_NAME))
@given(data=st.data())
@_LESS
def test_no_message_breaks_a_call(name: str, data: st.DataObject) -> None:
    gate = BY_NAME[name]
    told = data.draw(st.lists(st.sampled_from(gate.messages).flatmap(spoiled), min_size=1, max_size=6))

    async def talk(house: House, socket: Socket, ticket: str) -> None:
        await socket.tell(dumps(gate.start(ticket)))
        for message in told:
            await politely(socket.tell(json.dumps(message).encode()))
        keys, marks = await noted(house)
        assert set(keys) <= _KEYS
        assert all(mark.isascii() and len(mark) <= _LONGEST_MARK for mark in marks)

    on_a_call(gate, talk)


@pytest.mark.parametrize("given_text", ["", "5" * 100, "55", "\x00", "٣", "é", "E", "\ud83d", " 5"])
@pytest.mark.parametrize("name", list(BY_NAME))
def test_what_is_no_key_and_no_mark_goes_no_further(name: str, given_text: str) -> None:
    gate = BY_NAME[name]
    long = given_text * _LONGEST_MARK

    async def talk(house: House, socket: Socket, ticket: str) -> None:
        await socket.tell(dumps(gate.start(ticket)))
        for message in gate.messages:
            spoilt = json.dumps(message).replace('"digit": "5"', f'"digit": {json.dumps(given_text)}')
            spoilt = spoilt.replace('"digit": "1"', f'"digit": {json.dumps(given_text)}')
            await politely(socket.tell(spoilt.replace('"1-0-3"', json.dumps(long)).encode()))
        keys, marks = await noted(house)
        assert keys == []
        assert all(mark.isascii() and len(mark) <= _LONGEST_MARK for mark in marks)

    on_a_call(gate, talk)


@pytest.mark.parametrize("name", list(BY_NAME))
@given(data=st.data())
@_LESS
def test_nobody_begins_with_a_first_message_that_is_spoilt(name: str, data: st.DataObject) -> None:
    gate = BY_NAME[name]

    async def knock(house: House, socket: Socket, ticket: str) -> None:
        message = data.draw(spoiled(gate.start("not the ticket")))
        with suppress(VoiceAgentError):
            await politely(socket.tell(json.dumps(message).encode()))
        assert socket.state == ""
        await socket.tell(dumps(gate.start(ticket)))
        assert socket.state == CALL_ID, "and the ticket is still good"

    on_a_call(gate, knock)


@pytest.mark.parametrize("name", list(BY_NAME))
@given(
    body=st.binary(max_size=200) | st.sampled_from([b"[" * 20_000, b"x" * 70_000, b'{"event":"media"' * 7_000]),
    content_type=st.sampled_from([TEXT, BINARY, "application/json", ""]),
    kind=st.sampled_from(["azure.webpubsub.user.message", CONNECT, DISCONNECTED, "x"]),
    is_running=st.booleans(),
)
@_LESS
def test_no_bytes_break_it(name: str, body: bytes, content_type: str, kind: str, is_running: bool) -> None:
    gate = BY_NAME[name]

    async def babble(house: House, socket: Socket, ticket: str) -> None:
        if is_running:
            await socket.tell(dumps(gate.start(ticket)))
        await politely(socket.tell(body, content_type, kind))

    on_a_call(gate, babble)
