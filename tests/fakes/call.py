"""A running call with everything around it faked, for tests of the use cases and gates."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from shared.domain import pipe_names, sound_records, takes
from shared.domain.audio import BYTES_PER_MS
from shared.domain.call import Agent, Call, CallState, Provider
from shared.domain.manner import HandOver
from shared.domain.sound_records import Side
from shared.domain.steps import TurnRequest
from shared.domain.telephony.lines import Line
from shared.ports.live_calls import LiveCall
from shared.ports.pipes import Entry
from shared.use_cases.calls.allow_transfer import AllowTransfer
from shared.use_cases.calls.attach_media import AttachMedia
from shared.use_cases.calls.end_call import EndCall
from tests.fakes.clock import FakeClock
from tests.fakes.live_calls import FakeLiveCalls
from tests.fakes.outbound import FakeOutboundCalls
from tests.fakes.pipes import FakePipes
from tests.fakes.stores import FakeCallStore, FakeDirectory, FakeFileStore
from tests.fakes.telephony import FakeCallControl, FakeMediaChannel, FakeMediaChannels, FakeOrchestrations
from tests.fakes.turn_meter import FakeTurnMeter

CALL_ID, TENANT_ID, CALL_SID = "call-1", "tenant-1", "CA" + "1" * 32
FRAME_MS = 20

NORA = Agent(
    agent_id="nora",
    tenant_id=TENANT_ID,
    name="Nora",
    persona="You are Nora.",
    greeting="Hello, this is Nora.",
    language="en",
    voice="bright",
    patience_ms=320,
    silence_limit_s=10,
)


@dataclass
class House:
    """Every port filled by a fake that knows the others."""

    clock: FakeClock = field(default_factory=FakeClock)
    agent: Agent = NORA
    provider: Provider = Provider.WEB

    def __post_init__(self) -> None:
        self.line = Line(self.provider.value)
        self.pipes = FakePipes(self.clock)
        self.live_calls = FakeLiveCalls(self.clock, self.pipes)
        self.call_store = FakeCallStore()
        self.directory = FakeDirectory(self.agent, numbers={"+15550100001": self.agent})
        self.files = FakeFileStore()
        self.meter = FakeTurnMeter()
        self.channel = FakeMediaChannel(self.clock, self.pipes, CALL_ID)
        self.channels = FakeMediaChannels(self.channel)
        self.orchestrations = FakeOrchestrations()
        self.carrier = FakeCallControl()
        self.outbound_calls = FakeOutboundCalls(self.call_store)
        self.allow_transfer = AllowTransfer(self.directory, self.outbound_calls, self.clock)
        self.handed_over: list[tuple[str, HandOver]] = []
        self.end_call = EndCall(
            self.call_store, self.live_calls, self.pipes, self.channels, {Provider.TWILIO: self.carrier}, self.clock
        )
        self.attach_media = AttachMedia(self.call_store, self.live_calls, self.pipes, self.clock)

    async def hand_over(self, call_id: str, rule: HandOver) -> None:
        self.handed_over.append((call_id, rule))

    async def ring(self) -> None:
        """The call is known and its socket not there yet."""
        await self.call_store.create(
            Call(
                call_id=CALL_ID,
                tenant_id=TENANT_ID,
                agent_id=self.agent.agent_id,
                provider=self.provider,
                provider_call_id=CALL_SID,
                line=self.line,
                direction="inbound",
                caller="+14155550100",
                callee="+15550100001",
                state=CallState.RINGING,
                started_at=self.clock.now(),
            )
        )
        await self.live_calls.open(
            LiveCall(CALL_ID, TENANT_ID, self.agent.agent_id, self.provider, CALL_SID, self.line)
        )

    async def connect(self) -> None:
        """The call runs and its audio flows."""
        await self.ring()
        live = await self.live_calls.get(CALL_ID)
        assert live is not None
        await self.attach_media._attach(live, "clients", "connection-1", "")

    def kept(self, side: Side) -> list[tuple[int, bytes]]:
        """What is kept of a side's sound for the recording, with the millisecond at which it begins."""
        records, lost_bytes = sound_records.read(self.files.kept.get(f"calls/{CALL_ID}.sound", b""))
        assert not lost_bytes
        return sound_records.pieces(records)[side]

    def change_agent(self, **changes: object) -> None:
        self.agent = replace(self.agent, **changes)  # type: ignore[arg-type]
        self.directory.agents = [self.agent]

    async def pipe(self, turn: int, name: str) -> list[dict[str, str]]:
        """What stands in a pipe of a turn, as text."""
        return [texts(entry) for entry in await self.pipes.read(pipe_names.turn(CALL_ID, turn, name))]

    async def write(self, turn: int, name: str, fields: Mapping[str, str | bytes], position: str) -> None:
        await self.pipes.append(pipe_names.turn(CALL_ID, turn, name), fields, position=position)

    async def say(self, turn: int, *sentences: str, outcome: str = "") -> None:
        """Write an answer as thinking does."""
        for number, sentence in enumerate(sentences, start=1):
            await self.write(turn, pipe_names.SENTENCES, {"text": sentence}, takes.sentence_position(1, number))
        answer_end = {"event": "answer_end", "outcome": outcome}
        await self.write(turn, pipe_names.SENTENCES, answer_end, takes.answer_end_position(1))
        await self.write(turn, pipe_names.SENTENCES, {"event": "end"}, pipe_names.END_POSITION)


def texts(entry: Entry) -> dict[str, str]:
    return {name.decode(): value.decode(errors="replace") for name, value in entry.fields.items()}


def turn_request(turn: int) -> TurnRequest:
    return TurnRequest(TENANT_ID, CALL_ID, turn)


def voice(duration_ms: int, level: int = 6000) -> bytes:
    """Loud enough for the fake ear, and rich in overtones, as an open mouth is."""
    time = np.arange(duration_ms * 16) / 16_000
    tones = sum(np.sin(2 * np.pi * 125 * n * time + n * n) for n in range(1, 25))
    return (tones / np.abs(tones).mean() * level).clip(-32767, 32767).astype("<i2").tobytes()


def silence(duration_ms: int) -> bytes:
    return bytes(duration_ms * BYTES_PER_MS)


def dumps(document: object) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
