"""What travels between the orchestrations and their steps: small, versioned, plain JSON."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, Self

from shared.domain.errors import InvalidRequest

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class Payload:
    """Base of all payloads. Calls in flight outlive deploys, so each document says its version."""

    version: ClassVar[int] = SCHEMA_VERSION

    def to_json(self) -> dict[str, Any]:
        return {"schema_version": self.version, **asdict(self)}

    @classmethod
    def from_json(cls, document: Any) -> Self:
        """Raises: InvalidRequest for another version or missing fields; unknown fields are passed over."""
        if not isinstance(document, dict) or document.get("schema_version") != cls.version:
            raise InvalidRequest("payload_version", f"{cls.__name__} expects schema version {cls.version}")
        known = {field.name for field in fields(cls)}
        try:
            return cls(**{name: value for name, value in document.items() if name in known})
        except TypeError as error:
            raise InvalidRequest("payload_incomplete", f"{cls.__name__}: {error}") from None


@dataclass(frozen=True, slots=True)
class CallRequest(Payload):
    """Input of the `call` orchestration. `next_turn` grows with `continue_as_new`."""

    tenant_id: str
    call_id: str
    next_turn: int = 1


@dataclass(frozen=True, slots=True)
class TurnRequest(Payload):
    """Input of the `turn` orchestration and of its steps; `greet` only in a call's first turn."""

    tenant_id: str
    call_id: str
    turn: int
    greet: bool = False


@dataclass(frozen=True, slots=True)
class WrapUpRequest(Payload):
    """Input of `wrap_up`: the turns were 0…`last_turn`."""

    tenant_id: str
    call_id: str
    last_turn: int
    end_reason: str


@dataclass(frozen=True, slots=True)
class ListenAlongRequest(Payload):
    """Input of the `listen_along` orchestration: whose sound is followed, from where in which stream."""

    tenant_id: str
    call_id: str
    provider_call_id: str
    stream: str
    start: str
    language: str


@dataclass(frozen=True, slots=True)
class FetchRequest(Payload):
    """Input of the `fetch_recording` orchestration: which recording of a provider's (`ProviderRecording.name`)."""

    tenant_id: str
    call_id: str
    name: str


def heard_event(turn: int) -> str:
    """Name of the event that says: speech has begun in this turn. Each wait has a name of its own."""
    return f"heard_{turn}"


OVER_EVENT = "over"
"""To the watch of a turn: the caller has finished; its content is the longest silence that may follow, in ms."""
ANSWERED_EVENT = "answered"
"""To the watch of a turn: there is sound, or nothing is to be heard."""


def turn_instance(call_id: str, turn: int) -> str:
    """Instance id of a turn's orchestration."""
    return f"{call_id}:turn:{turn}"


def dial_instance(call_id: str) -> str:
    """Instance id of the orchestration that dials an outbound call."""
    return f"{call_id}:dial"


def listen_along_instance(call_id: str) -> str:
    """Instance id of the orchestration that listens along with a call."""
    return f"{call_id}:along"


def fetch_instance(call_id: str, name: str) -> str:
    """Instance id of the orchestration that fetches a recording."""
    return f"{call_id}:fetch:{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def watch_instance(call_id: str, turn: int) -> str:
    """Instance id of the orchestration that watches over a turn's silence."""
    return f"{turn_instance(call_id, turn)}:watch"
