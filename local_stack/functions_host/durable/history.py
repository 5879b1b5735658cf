"""Makes history events in the form in which the durable extension hands them to the SDK."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any

Event = dict[str, Any]
"""One history event: EventType, EventId, Timestamp and what belongs to its type; never IsPlayed."""


class EventType(IntEnum):
    """Source: azure.durable_functions.models.history.HistoryEventType."""

    EXECUTION_STARTED = 0
    EXECUTION_COMPLETED = 1
    EXECUTION_TERMINATED = 3
    TASK_SCHEDULED = 4
    TASK_COMPLETED = 5
    TASK_FAILED = 6
    SUB_ORCHESTRATION_CREATED = 7
    SUB_ORCHESTRATION_COMPLETED = 8
    SUB_ORCHESTRATION_FAILED = 9
    TIMER_CREATED = 10
    TIMER_FIRED = 11
    ORCHESTRATOR_STARTED = 12
    EVENT_SENT = 14
    EVENT_RAISED = 15
    EXECUTION_SUSPENDED = 19
    EXECUTION_RESUMED = 20


# As .NET names them in a status query with showHistory.
EVENT_TYPE_NAMES = {
    EventType.EXECUTION_STARTED: "ExecutionStarted",
    EventType.EXECUTION_COMPLETED: "ExecutionCompleted",
    EventType.EXECUTION_TERMINATED: "ExecutionTerminated",
    EventType.TASK_SCHEDULED: "TaskScheduled",
    EventType.TASK_COMPLETED: "TaskCompleted",
    EventType.TASK_FAILED: "TaskFailed",
    EventType.SUB_ORCHESTRATION_CREATED: "SubOrchestrationInstanceCreated",
    EventType.SUB_ORCHESTRATION_COMPLETED: "SubOrchestrationInstanceCompleted",
    EventType.SUB_ORCHESTRATION_FAILED: "SubOrchestrationInstanceFailed",
    EventType.TIMER_CREATED: "TimerCreated",
    EventType.TIMER_FIRED: "TimerFired",
    EventType.ORCHESTRATOR_STARTED: "OrchestratorStarted",
    EventType.EVENT_SENT: "EventSent",
    EventType.EVENT_RAISED: "EventRaised",
    EventType.EXECUTION_SUSPENDED: "ExecutionSuspended",
    EventType.EXECUTION_RESUMED: "ExecutionResumed",
}

_PLAYED = '{"IsPlayed":true,'
_NEW = '{"IsPlayed":false,'


def now_text() -> str:
    """The present as UTC ISO 8601 with microseconds and Z."""
    return format_time(datetime.now(UTC))


def format_time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_time(text: str) -> datetime:
    """Parse an ISO 8601 time; one without zone is UTC. Raises: ValueError."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def make_event(event_type: EventType, event_id: int = -1, **values: Any) -> Event:
    """An event that happens now."""
    return {"EventType": int(event_type), "EventId": event_id, "Timestamp": now_text(), **values}


def dump_event(event: Event) -> str:
    """Text of `event` for the orchestrator, as not yet played."""
    return _NEW + json.dumps(event, separators=(",", ":"))[1:]


def mark_played(text: str) -> str:
    """The same event, now played before."""
    return _PLAYED + text[len(_NEW) :] if text.startswith(_NEW) else text


def load_event(text: str) -> Event:
    event: Event = json.loads(text)
    event.pop("IsPlayed", None)
    return event
