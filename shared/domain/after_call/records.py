"""What remains of a call after it was read: for those who may see it, and under seal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from shared.domain.steps import Payload


@dataclass(frozen=True, slots=True)
class Questions:
    """What reading a call took: how often a model was asked, and the tokens of all answers."""

    model: str = ""
    asked: int = 0
    input_tokens: int = 0
    output_tokens: int = 0


@dataclass(frozen=True, slots=True)
class AnalysisRecord:
    """`document`: `Analysis.to_json`, without personal data where the agent redacts; None: `fault` says why."""

    document: Mapping[str, Any] | None
    fault: str = ""
    questions: Questions = field(default_factory=Questions)
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Words:
    """What a turn shows from now on."""

    number: int
    heard: str | None
    said: str


@dataclass(frozen=True, slots=True)
class DeliveryRequest(Payload):
    """Input of the `deliver_webhook` orchestration and of its steps."""

    tenant_id: str
    delivery_id: str


def after_call_instance(call_id: str) -> str:
    """Instance id of the orchestration that follows a call's end."""
    return f"{call_id}:after"


def delivery_instance(delivery_id: str) -> str:
    """Instance id of the orchestration that delivers to a webhook."""
    return f"webhook:{delivery_id}"


def raw_purpose(tenant_id: str, call_id: str) -> str:
    """What a sealed raw transcript is, and whose."""
    return f"raw transcript {tenant_id} {call_id}"
