"""An agent of somebody else's that hears, thinks and speaks, to whom the sound of a call is brought."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from shared.domain.manner import Delegate


@dataclass(frozen=True, slots=True)
class Meeting:
    """Who meets whom. `caller`: their number or name; `greeting`: what the agent says first, "" for its own words;
    `variables`: what it is told of the call.
    """

    call_id: str
    caller: str
    language: str
    greeting: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sound:
    """What the agent says: PCM16 mono 16 kHz. `is_last`: nothing follows at once."""

    pcm: bytes
    is_last: bool


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The caller spoke into the agent's words: what is not played yet is not to be."""


@dataclass(frozen=True, slots=True)
class Uttered:
    """What one of the two has said, in words."""

    is_caller: bool
    text: str


@dataclass(frozen=True, slots=True)
class Over:
    """The agent has ended the conversation."""


DelegateEvent = Sound | Interrupted | Uttered | Over


class DelegateSession(Protocol):
    async def hear(self, pcm: bytes) -> None:
        """The caller's next PCM16 mono 16 kHz. Raises: TelephonyError when the agent is gone."""
        ...

    def events(self) -> AsyncGenerator[DelegateEvent, None]:
        """What the agent does, in order, up to `Over`. Raises: TelephonyError when it is gone before."""
        ...

    async def end(self) -> None:
        """Take leave of the agent; never raises."""
        ...


class Delegates(Protocol):
    async def open(self, delegate: Delegate, meeting: Meeting) -> DelegateSession:
        """Meet the agent. Raises: TelephonyError where it does not come."""
        ...
