"""Whom a tenant has told about its calls, how such a message looks, and how it is signed.

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from shared.domain.after_call.redaction import masked_number
from shared.domain.call import Call

VERSION = 1
SECRET_PREFIX = "whsec_"  # noqa: S105 - what every secret begins with
MOST_FAILURES = 100
"""In a row, of attempts, whatever they were to tell: an endpoint that fails so often is told nothing any more."""
AGAIN_AFTER_S = (5, 300, 1_800, 7_200, 18_000, 36_000, 36_000)
"""Together 29 hours; then a delivery is dead."""
GONE = 410
"""By this status an endpoint says that it wants nothing more."""


class EventKind(StrEnum):
    STARTED = "call.started"
    ENDED = "call.ended"
    ANALYSED = "call.analysed"


class DeliveryState(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Secret:
    """`key_id` names it in each message; `until`: epoch seconds up to which it still signs, 0 for good."""

    key_id: str
    secret: str
    until: int = 0


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`disabled_reason`: "" while it is told; `failures`: attempts in a row that failed."""

    endpoint_id: str
    url: str
    events: tuple[EventKind, ...]
    created_at: datetime
    failures: int = 0
    disabled_reason: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    event_id: str
    tenant_id: str
    call_id: str
    kind: EventKind
    happened_at: datetime


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event for one endpoint. `body`: what is sent, each time the same; not read with lists."""

    delivery_id: str
    endpoint_id: str
    event_id: str
    call_id: str
    kind: EventKind
    state: DeliveryState
    attempts: int
    last_status: int
    last_fault: str
    created_at: datetime
    updated_at: datetime
    body: str = ""


def delivery_id_of(event_id: str, endpoint_id: str) -> str:
    return f"dlv_{hashlib.sha256(f'{event_id} {endpoint_id}'.encode()).hexdigest()[:32]}"


def body_of(event: Event, call: Call, *, redacts: bool, more: Mapping[str, Any]) -> str:
    """`more`: what belongs to this kind of event."""
    data = {
        "call_id": call.call_id,
        "agent_id": call.agent_id,
        "agent_version": call.agent_version,
        "direction": call.direction,
        "provider": call.provider.value,
        "line": call.line.value,
        "from": masked_number(call.caller) if redacts else call.caller,
        "to": masked_number(call.callee) if redacts else call.callee,
        "started_at": call.started_at.astimezone(UTC).isoformat(),
    }
    if event.kind is not EventKind.STARTED:
        data |= {
            "state": call.state.value,
            "end_reason": call.end_reason.value if call.end_reason else None,
            "ended_at": call.ended_at.astimezone(UTC).isoformat() if call.ended_at else None,
            "duration_s": call.duration_s,
        }
    document = {
        "type": event.kind.value,
        "version": VERSION,
        "id": event.event_id,
        "timestamp": event.happened_at.astimezone(UTC).isoformat(),
        "data": {**data, **more},
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def headers_of(event_id: str, body: str, secrets: Sequence[Secret], *, now: datetime) -> dict[str, str]:
    """Signed with each secret that is in force, the present one first."""
    at = int(now.timestamp())
    in_force = [secret for secret in secrets if not secret.until or secret.until > at]
    signatures = [_signature(secret.secret, f"{event_id}.{at}.{body}") for secret in in_force]
    return {
        "content-type": "application/json",
        "webhook-id": event_id,
        "webhook-timestamp": str(at),
        "webhook-signature": " ".join(signatures),
        "webhook-key-id": " ".join(secret.key_id for secret in in_force),
    }


def _signature(secret: str, content: str) -> str:
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    return "v1," + base64.b64encode(hmac.new(key, content.encode(), hashlib.sha256).digest()).decode()
