"""A call, its turns and its agent, and the rule by which a call's state moves forward only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from shared.domain.manner import Manner


class Provider(StrEnum):
    """The way by which a caller reached us."""

    TWILIO = "twilio"
    VONAGE = "vonage"
    CONNECT = "connect"
    SARVAM = "sarvam"
    WEB = "web"


class CallState(StrEnum):
    RINGING = "ringing"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"


class EndReason(StrEnum):
    CALLER_HUNG_UP = "caller_hung_up"
    OPERATOR_HUNG_UP = "operator_hung_up"
    NO_MEDIA = "no_media"
    SILENT = "silent"
    TOO_LONG = "too_long"
    ERROR = "error"


class TurnOutcome(StrEnum):
    RUNNING = "running"
    COMPLETED = "completed"
    INTERRUPTED = "interrupted"
    FAILED = "failed"
    UNHEARD = "unheard"


_RANK = {CallState.RINGING: 0, CallState.IN_PROGRESS: 1, CallState.COMPLETED: 2, CallState.FAILED: 2}


def moves_forward(current: CallState, proposed: CallState) -> bool:
    """Whether `proposed` may replace `current`: events come late, twice and out of order; the first end stands."""
    return _RANK[proposed] > _RANK[current]


@dataclass(frozen=True, slots=True)
class Agent:
    """Who answers: a persona with a voice, owned by a tenant.

    `patience_ms` is the silence that ends the caller's turn; `silence_limit_s` the silence that ends the call.
    """

    agent_id: str
    tenant_id: str
    name: str
    persona: str
    greeting: str
    language: str = "en"
    voice: str = "default"
    patience_ms: int = 700
    silence_limit_s: int = 60
    interruptible: bool = True
    manner: Manner = field(default_factory=Manner)


@dataclass(frozen=True, slots=True)
class Recording:
    """Where both sides of the call are kept: a stereo WAV, caller left, agent right."""

    container: str
    blob: str
    duration_ms: int


@dataclass(frozen=True, slots=True)
class Turn:
    """One exchange: what was heard, what the caller was told, and when things happened.

    `moments` maps names such as `speech_ended_ms` to Unix epoch milliseconds, `costs` names such as
    `takes_withdrawn` to amounts (`shared.domain.ledger`). Turn 0 is the greeting.
    """

    number: int
    heard: str | None
    said: str
    outcome: TurnOutcome
    moments: Mapping[str, float] = field(default_factory=dict)
    costs: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Call:
    """One conversation, from ringing to its end. `call_id` is also the orchestration's instance id."""

    call_id: str
    tenant_id: str
    agent_id: str
    provider: Provider
    provider_call_id: str
    direction: str
    caller: str
    callee: str
    state: CallState
    started_at: datetime
    ended_at: datetime | None = None
    end_reason: EndReason | None = None
    recording: Recording | None = None
    turns: tuple[Turn, ...] = ()
