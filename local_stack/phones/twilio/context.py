"""What all parts of one simulated call share, and what all calls of one carrier share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from local_stack.phones.call_result import CallResult
from local_stack.phones.events import EventLog
from local_stack.phones.frame_clock import Clock
from local_stack.phones.people import CalledPerson, People
from local_stack.phones.phone_line import PhoneLine
from local_stack.phones.provider_speech import ProviderSpeech, default_speech_url
from local_stack.phones.twilio.call_state import CallState
from local_stack.phones.twilio.options import CallOptions
from local_stack.phones.twilio.recordings import Recordings
from local_stack.phones.twilio.rooms import Rooms


class Leg(Protocol):
    """Another call, as the one that placed it sees it."""

    @property
    def sid(self) -> str: ...

    @property
    def state(self) -> CallState: ...

    @property
    def line(self) -> PhoneLine: ...

    @property
    def ready(self) -> asyncio.Event:
        """Set when somebody has picked up and has heard what is for this person alone."""
        ...

    def end(self, status: str) -> None:
        """Ends it within 20 ms."""
        ...


LegPlacer = Callable[[CallOptions], tuple[Leg, asyncio.Task[CallResult]]]


@dataclass
class Carrier:
    """What the calls of one carrier share."""

    place_leg: LegPlacer
    speech: ProviderSpeech = field(default_factory=lambda: ProviderSpeech(default_speech_url()))
    people: People = field(default_factory=dict)
    api_url: str = "http://localhost:7083"
    """Where this carrier's REST API is."""
    recordings: Recordings = field(default_factory=Recordings)
    rooms: Rooms = field(default_factory=Rooms)

    def person_at(self, number: str) -> CalledPerson:
        """Who picks up there; anybody who is not described answers and listens."""
        return self.people.get(number, CalledPerson())


@dataclass(frozen=True)
class CallContext:
    sid: str
    options: CallOptions
    state: CallState
    clock: Clock
    log: EventLog
    line: PhoneLine
    carrier: Carrier

    def now_ms(self) -> float:
        """Unix epoch milliseconds."""
        return self.clock.wall_ms()
