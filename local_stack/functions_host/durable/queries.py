"""Answers questions about instances: status of one, lists by filter, history as people read it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from local_stack.functions_host.durable.history import (
    EVENT_TYPE_NAMES,
    Event,
    EventType,
    load_event,
    parse_time,
)
from local_stack.functions_host.durable.store import FINISHED, DurableStore, Row

_HIDDEN_FIELDS = ("EventId", "TimerId", "TaskScheduledId", "Version")


@dataclass(frozen=True, slots=True)
class InstanceFilter:
    """Which instances a list or a purge is about."""

    prefix: str | None = None
    created_from: float | None = None
    created_to: float | None = None
    statuses: tuple[str, ...] = ()

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> InstanceFilter:
        """Read createdTimeFrom, createdTimeTo, runtimeStatus (comma-separated), instanceIdPrefix.

        A time that cannot be read counts as not given, as in the extension.
        """
        statuses = tuple(s.strip() for s in query.get("runtimeStatus", "").split(",") if s.strip())
        return cls(
            prefix=query.get("instanceIdPrefix"),
            created_from=_seconds(query.get("createdTimeFrom")),
            created_to=_seconds(query.get("createdTimeTo")),
            statuses=statuses,
        )


def find_instances(store: DurableStore, wanted: InstanceFilter, limit: int = -1, offset: int = 0) -> list[Row]:
    """Rows of the instances that `wanted` describes, oldest first."""
    clauses, values = ["1"], list[Any]()
    if wanted.prefix:
        clauses.append("substr(instance_id, 1, ?) = ?")
        values += [len(wanted.prefix), wanted.prefix]
    if wanted.created_from is not None:
        clauses.append("created >= ?")
        values.append(wanted.created_from)
    if wanted.created_to is not None:
        clauses.append("created <= ?")
        values.append(wanted.created_to)
    if wanted.statuses:
        clauses.append(f"status IN ({','.join('?' * len(wanted.statuses))})")
        values += wanted.statuses
    where = " AND ".join(clauses)
    return store.rows(
        f"SELECT * FROM instances WHERE {where} ORDER BY created, instance_id LIMIT ? OFFSET ?",  # noqa: S608
        *values,
        limit,
        offset,
    )


def is_finished(row: Row) -> bool:
    return row["status"] in FINISHED


def status_document(row: Row, *, show_input: bool = True, history: list[Any] | None = None) -> dict[str, Any]:
    """The status payload of one instance."""
    document = {
        "name": row["name"],
        "instanceId": row["instance_id"],
        "runtimeStatus": row["status"],
        "input": _parsed(row["input"]) if show_input else None,
        "customStatus": _parsed(row["custom_status"]),
        "output": _parsed(row["output"]),
        "createdTime": _text(row["created"]),
        "lastUpdatedTime": _text(row["updated"]),
    }
    if history is not None:
        document["historyEvents"] = history
    return document


def readable_history(texts: list[str], *, show_input: bool, show_output: bool) -> list[Event]:
    """The history as `showHistory` gives it: results carry name and time of what they answer."""
    scheduled: dict[int, Event] = {}
    shown: list[Event] = []
    for event in map(load_event, texts):
        kind = EventType(event["EventType"])
        if kind == EventType.ORCHESTRATOR_STARTED:
            continue
        if kind in (EventType.TASK_SCHEDULED, EventType.SUB_ORCHESTRATION_CREATED):
            scheduled[event["EventId"]] = event
            continue
        origin = scheduled.pop(event.get("TaskScheduledId", -1), None)
        if origin is not None:
            event["FunctionName"] = origin["Name"]
            event["ScheduledTime"] = origin["Timestamp"]
            if show_input:
                event["Input"] = origin.get("Input")
        shown.append(_readable(event, kind, show_input=show_input, show_output=show_output))
    for event in scheduled.values():
        shown.append(_readable(event, EventType(event["EventType"]), show_input=show_input, show_output=True))
    return shown


def _readable(event: Event, kind: EventType, *, show_input: bool, show_output: bool) -> Event:
    event["EventType"] = EVENT_TYPE_NAMES[kind]
    if kind == EventType.EXECUTION_STARTED:
        event["FunctionName"] = event.pop("Name")
    if "Result" in event:
        result = event.pop("Result")
        if show_output:
            event["Result"] = _parsed(result)
    if not show_input:
        event.pop("Input", None)
    for name in _HIDDEN_FIELDS:
        event.pop(name, None)
    return event


def _parsed(text: str | None) -> Any:
    if text is None:
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text


def _text(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _seconds(text: str | None) -> float | None:
    if not text:
        return None
    try:
        return parse_time(text).timestamp()
    except ValueError:
        return None
