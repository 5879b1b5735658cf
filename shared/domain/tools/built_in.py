"""What a model can say to the tools of the house, and what the house makes of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from shared.domain.agents.tools import BuiltIn, Effect
from shared.domain.telephony.outbound import Usage
from shared.domain.tools.outcomes import refused
from shared.domain.tools.schemas import Schema

NO_USAGE = Usage()
"""What is used of a policy at a time to come is not known."""
_SOONEST = timedelta(minutes=1)
_LATEST = timedelta(days=30)
_LONGEST_SMS = 480


def _schema(properties: Mapping[str, Any], required: Iterable[str] = ()) -> Schema:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(required),
        "additionalProperties": False,
    }


@dataclass(frozen=True, slots=True)
class Form:
    """`idempotent`: what it stores has an id that follows from the request, so that storing it twice is once."""

    description: str
    effect: Effect = Effect.CHANGES
    idempotent: bool = False
    parameters: Schema = field(default_factory=lambda: _schema({}))
    deadline_s: float = 10.0


FORMS: Mapping[BuiltIn, Form] = {
    BuiltIn.TRANSFER: Form("Put the caller through to a person. Say so first; the call leaves you with it."),
    BuiltIn.HANG_UP: Form("End the call, once the caller wants nothing more and you have said goodbye."),
    BuiltIn.SEND_SMS: Form(
        "Send the caller a text message, to the number that they call from.",
        parameters=_schema({"text": {"type": "string", "minLength": 1, "maxLength": _LONGEST_SMS}}, ["text"]),
    ),
    BuiltIn.SCHEDULE_CALLBACK: Form(
        "Plan a call back to the number that the caller calls from. Give either in_minutes, or at.",
        idempotent=True,
        parameters=_schema(
            {
                "in_minutes": {"type": "integer", "minimum": 1, "maximum": 43_200},
                "at": {"type": "string", "maxLength": 40, "description": "local time such as 2026-05-04T15:30"},
                "reason": {"type": "string", "maxLength": 500},
            }
        ),
    ),
    BuiltIn.LOOK_UP_CALLER: Form("What earlier calls with this caller were about.", Effect.READS, idempotent=True),
    BuiltIn.TAKE_MESSAGE: Form(
        "Take a message for the people of the company.",
        idempotent=True,
        parameters=_schema(
            {
                "message": {"type": "string", "minLength": 1, "maxLength": 2_000},
                "name": {"type": "string", "maxLength": 200, "description": "of the caller, if they said it"},
                "number": {"type": "string", "maxLength": 40, "description": "if they gave another one"},
                "urgent": {"type": "boolean"},
            },
            ["message"],
        ),
    ),
}


def transfer_parameters(destinations: Iterable[str]) -> Schema:
    return _schema({"destination": {"type": "string", "enum": list(destinations)}}, ["destination"])


def due_at(arguments: Mapping[str, Any], now: datetime, time_zone: str) -> datetime:
    """When a call back is wanted. A time without an offset is one of `time_zone`. Raises: ToolError."""
    minutes, at = arguments.get("in_minutes"), arguments.get("at")
    if (minutes is None) == (at is None):
        raise refused("give either in_minutes or at")
    if minutes is not None:
        return now + timedelta(minutes=int(minutes))
    try:
        wanted = datetime.fromisoformat(str(at))
        wanted = wanted if wanted.tzinfo else wanted.replace(tzinfo=ZoneInfo(time_zone))
        is_far = not now + _SOONEST <= wanted <= now + _LATEST
    except (ValueError, OverflowError):
        raise refused("at is a local time such as 2026-05-04T15:30") from None
    if is_far:
        raise refused(f"it is {local(now, time_zone)} now; the time must lie ahead, within {_LATEST.days} days")
    return wanted


def local(at: datetime, time_zone: str) -> str:
    return at.astimezone(ZoneInfo(time_zone)).isoformat(timespec="minutes")


def identifier(key: str) -> str:
    """Of what a request stores: the same whenever it is made again."""
    return hashlib.sha256(key.encode()).hexdigest()[:32]
