"""A call, its turns and its agent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from shared.domain.agents.document import Agent
from shared.domain.knowledge.citations import Citation
from shared.domain.provider_recording import ProviderRecording
from shared.domain.telephony.lines import Line, Provider
from shared.domain.telephony.progress import AnsweredBy, CallState, moves_forward

__all__ = [
    "INBOUND",
    "LINE_LEFT_OPEN",
    "OUTBOUND",
    "Agent",
    "AnsweredBy",
    "Call",
    "CallState",
    "EndReason",
    "Provider",
    "Recording",
    "Turn",
    "TurnOutcome",
    "end_state",
    "moves_forward",
]


class EndReason(StrEnum):
    CALLER_HUNG_UP = "caller_hung_up"
    OPERATOR_HUNG_UP = "operator_hung_up"
    NO_MEDIA = "no_media"
    SILENT = "silent"
    AGENT_HUNG_UP = "agent_hung_up"
    """The agent of somebody else's that led the conversation ended it."""
    TOO_LONG = "too_long"
    ERROR = "error"
    TRANSFERRED = "transferred"
    """The caller was put through to somebody else, and the call goes on without us."""
    VOICEMAIL = "voicemail"
    """A machine answered, and we hung up."""
    MESSAGE_LEFT = "message_left"
    """A machine answered, and the provider speaks our message to it."""
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    CANCELED = "canceled"
    FAILED = "failed"
    SPENT = "spent"
    """The tenant's money for the day is spent."""
    UNREPORTED = "unreported"
    """Nobody told us how it ended."""


class TurnOutcome(StrEnum):
    RUNNING = "running"
    COMPLETED = "completed"
    INTERRUPTED = "interrupted"
    FAILED = "failed"
    UNHEARD = "unheard"


_ENDS_BADLY = {
    EndReason.ERROR: CallState.FAILED,
    EndReason.NO_MEDIA: CallState.FAILED,
    EndReason.FAILED: CallState.FAILED,
    EndReason.UNREPORTED: CallState.FAILED,
    EndReason.NO_ANSWER: CallState.NO_ANSWER,
    EndReason.BUSY: CallState.BUSY,
    EndReason.CANCELED: CallState.CANCELED,
}
INBOUND, OUTBOUND = "inbound", "outbound"
"""The directions of a call, from where we are."""
LINE_LEFT_OPEN = frozenset({EndReason.TRANSFERRED, EndReason.MESSAGE_LEFT})
"""We take no part in the call any more, and the caller's line goes on without us."""


def end_state(reason: EndReason) -> CallState:
    """The state of a call that ended for this reason."""
    return _ENDS_BADLY.get(reason, CallState.COMPLETED)


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
    `takes_withdrawn` to amounts (`shared.domain.ledger`). `citations`: the passages on which the answer rests, the
    likest first. Turn 0 is the greeting.
    """

    number: int
    heard: str | None
    said: str
    outcome: TurnOutcome
    moments: Mapping[str, float] = field(default_factory=dict)
    costs: Mapping[str, float] = field(default_factory=dict)
    citations: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """One conversation, from ringing to its end. `call_id` is also the orchestration's instance id.

    `agent_version`: of the document with which it began, 0 where that was not noted. `provider_call_id` is empty
    until the provider has named an outbound call. `direction`: INBOUND, OUTBOUND. `duration_s` and `price` are as
    the provider counts them.
    """

    call_id: str
    tenant_id: str
    agent_id: str
    provider: Provider
    provider_call_id: str
    line: Line
    direction: str
    caller: str
    callee: str
    state: CallState
    started_at: datetime
    ended_at: datetime | None = None
    end_reason: EndReason | None = None
    recording: Recording | None = None
    turns: tuple[Turn, ...] = ()
    answered_by: AnsweredBy | None = None
    duration_s: float | None = None
    price: str = ""
    agent_version: int = 0
    provider_recordings: tuple[ProviderRecording, ...] = ()
    language: str = ""
    """The tag of the language in which it goes on; "" where that was not noted."""
