"""What a provider tells about a call, whichever it is. Events come late, twice, and out of order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.domain.telephony.lines import Line, Provider
from shared.domain.telephony.progress import AnsweredBy, CallState

__all__ = [
    "AnsweredBy",
    "CallAnsweredBy",
    "CallIncoming",
    "CallNews",
    "CallProgressed",
    "CallerSpoke",
    "Progress",
    "ProviderFault",
    "RecordingReady",
    "TelephonyEvent",
    "TransferEnded",
]


Progress = CallState
"""How far a call has come, as `shared.domain.telephony.progress` ranks it."""


@dataclass(frozen=True, slots=True)
class CallNews:
    """Base of all events. `key` tells a repetition: two events of one call with the same key are one.

    `at_ms`: when it happened by the provider's clock (Unix epoch), None where it does not say.
    """

    provider: Provider
    provider_call_id: str
    key: str
    at_ms: float | None = field(default=None, kw_only=True)


@dataclass(frozen=True, slots=True)
class CallIncoming(CallNews):
    """Somebody calls one of our numbers. `attributes`: what the provider passes along, as text."""

    caller: str
    callee: str
    line: Line
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CallProgressed(CallNews):
    """`raw`: the provider's own word. `duration_s` and `price` may come after the end."""

    progress: Progress
    raw: str
    duration_s: float | None = None
    price: str = ""


@dataclass(frozen=True, slots=True)
class CallAnsweredBy(CallNews):
    by: AnsweredBy
    beeped: bool = False
    """Whether the machine's greeting has ended: now a message can be left."""


@dataclass(frozen=True, slots=True)
class CallerSpoke(CallNews):
    """One turn of a text line: the words (or keys) of the caller; empty where nothing was said in time."""

    text: str
    turn: int
    language: str = ""
    keys: str = ""
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class RecordingReady(CallNews):
    """`url`: where the provider keeps it; it is fetched with our credentials of that provider only."""

    url: str
    duration_s: float | None = None


@dataclass(frozen=True, slots=True)
class TransferEnded(CallNews):
    """The other end of a transfer has hung up, or never answered."""

    was_answered: bool


@dataclass(frozen=True, slots=True)
class ProviderFault(CallNews):
    """Something on the provider's side did not work. `detail` is for the log; it holds no personal data."""

    code: str
    detail: str = ""


TelephonyEvent = (
    CallIncoming | CallProgressed | CallAnsweredBy | CallerSpoke | RecordingReady | TransferEnded | ProviderFault
)
