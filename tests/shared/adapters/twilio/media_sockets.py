"""A media socket of Twilio's as the gate sees it, and the call behind it."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from shared.adapters.twilio.accounts import TwilioAccount, TwilioAccounts
from shared.adapters.twilio.media_gate import TwilioMediaGate
from shared.adapters.twilio.webhooks import TwilioWebhooks
from shared.domain import pipe_names
from shared.domain.call import Provider
from shared.domain.errors import VoiceAgentError
from shared.ports.media_gate import CONNECTED, Upstream
from shared.use_cases.calls.move_media import MoveMedia
from tests.fakes.call import CALL_ID, CALL_SID, House, dumps, texts

SOCKET, TOKEN = "wss://media.example.com/client/hubs/carriers", "secret"
STREAM = "MZ" + "0" * 32
MESSAGE = "azure.webpubsub.user.message"
FORMAT = {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}
FRAME = (
    b'{"event":"media","sequenceNumber":"3","media":{"track":"inbound","chunk":"1","timestamp":"0","payload":"%s"}}'
)
QUIET = FRAME % base64.b64encode(b"\xff" * 160)


class Socket:
    """One connection, as Web PubSub tells of it: it sends back the state that we last answered."""

    def __init__(self, gate: TwilioMediaGate, connection_id: str = "connection-1") -> None:
        self.gate = gate
        self.connection_id = connection_id
        self.state = ""
        self.events = 0

    def upstream(self, kind: str, body: bytes = b"") -> Upstream:
        self.events += 1
        return Upstream(kind, "carriers", self.connection_id, str(self.events), "message", "twilio", self.state, body)

    async def send(self, body: bytes | dict[str, Any]) -> None:
        upstream = self.upstream(MESSAGE, body if isinstance(body, bytes) else dumps(body))
        if not await self.gate.pass_frame(upstream):
            self.state = (await self.gate.handle(upstream)).state or self.state

    async def system(self, kind: str, body: bytes = b"") -> None:
        upstream = self.upstream(kind, body)
        assert not await self.gate.pass_frame(upstream)
        await self.gate.handle(upstream)

    async def start(self, ticket: object, **changes: Any) -> None:
        start = {"callSid": CALL_SID, "mediaFormat": FORMAT, "customParameters": {"ticket": ticket}} | changes
        await self.send({"event": "start", "streamSid": STREAM, "start": start})


async def make_house() -> House:
    house = House(provider=Provider.TWILIO)
    await house.ring()
    return house


def make_gate(house: House) -> TwilioMediaGate:
    accounts = TwilioAccounts(TwilioAccount("AC1", (TOKEN,)))
    webhooks = TwilioWebhooks(accounts=accounts, public_base_url="https://a", socket_urls=(SOCKET,))
    move_media = MoveMedia(house.call_store, house.live_calls, house.directory, house.end_call)
    return TwilioMediaGate(webhooks, house.pipes, house.attach_media, move_media)


async def frames_of(house: House) -> list[dict[str, str]]:
    return [texts(entry) for entry in await house.pipes.read(pipe_names.frames(CALL_ID))]


async def events_of(house: House) -> list[dict[str, str]]:
    return [texts(entry) for entry in await house.pipes.read(pipe_names.events(CALL_ID))]


async def refused(code: str, kind: type[VoiceAgentError], awaitable: Any) -> None:
    with pytest.raises(kind) as error:
        await awaitable
    assert error.value.code == code


async def started(house: House, socket: Socket) -> None:
    await socket.system(CONNECTED)
    await socket.send({"event": "connected", "protocol": "Call", "version": "1.0.0"})
    await socket.start(await house.live_calls.issue_ticket(CALL_ID))


async def ended(house: House) -> str:
    """Why the call has ended; "" while it goes on."""
    live = await house.live_calls.get(CALL_ID)
    assert live is not None
    return live.end_reason
