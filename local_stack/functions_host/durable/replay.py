"""Gives ids to the actions of an orchestrator, by replaying them over the history as the extension does.

The SDK answers an episode with all actions since the start of the execution, without ids. The extension
runs them as a program: it starts an action, waits until that is done, starts the next. Every start of an
activity, sub-orchestration, timer or message takes the next id. A retry takes further ids at the moment of
each failure, which is why ids can only be known by going through the history.

Source: OutOfProcOrchestrationShim and DurableOrchestrationContext of azure-functions-durable-extension,
TaskOrchestrationContext of durabletask.
"""

from __future__ import annotations

import json
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from local_stack.functions_host.durable.actions import Action, ActionType
from local_stack.functions_host.durable.history import Event, EventType, format_time, parse_time
from local_stack.functions_host.durable.waits import CompoundWait, RetryWait, Wait, finished_wait

HTTP_ACTIVITY = "BuiltIn::HttpActivity"


class NonDeterminismError(Exception):
    """The actions do not fit the history: the orchestrator's code changed or is not deterministic."""


class InvalidActionError(Exception):
    """An action that the extension refuses, such as a call of an unknown function."""


@dataclass(slots=True)
class Decision:
    """Something the orchestrator wants that has an id: the event type says what."""

    event_type: EventType
    task_id: int
    name: str = ""
    input: str | None = None
    instance_id: str = ""
    version: str = ""
    fire_at: str = ""
    canceled: bool = False


@dataclass(slots=True)
class ReplayOutcome:
    """Where the execution stands after its whole history."""

    new_decisions: list[Decision] = field(default_factory=list)
    """In the order of their ids; the history does not have them yet."""
    canceled_timer_ids: list[int] = field(default_factory=list)
    settled: bool = False
    """Every action was started and waited for, and no task is open: the execution may complete."""


class _Replay:
    def __init__(self, actions: list[Action], execution_id: str, check: Callable[[Action], None]) -> None:
        self._actions = actions
        self._execution_id = execution_id
        self._check = check
        self._cursor = 0
        self._current: Wait | None = None
        self._next_id = 0
        self._now = datetime.min
        self._open: dict[int, Wait] = {}
        self._unrecorded: dict[int, Decision] = {}
        self._canceled: list[int] = []
        self._waits: defaultdict[str, list[Wait]] = defaultdict(list)
        self._buffered: defaultdict[str, deque[None]] = defaultdict(deque)

    def run(self, history: Iterable[Event]) -> ReplayOutcome:
        for event in history:
            self._process(event)
        return ReplayOutcome(
            new_decisions=list(self._unrecorded.values()),
            canceled_timer_ids=self._canceled,
            settled=self._cursor == len(self._actions) and self._at_rest() and not self._open,
        )

    # events

    def _process(self, event: Event) -> None:
        kind = event["EventType"]
        if kind == EventType.ORCHESTRATOR_STARTED:
            self._now = parse_time(event["Timestamp"])
        elif kind == EventType.EXECUTION_STARTED:
            self._advance()
        elif kind in _RECORDS:
            self._record(event)
        elif kind == EventType.EVENT_RAISED:
            self._raise_event(str(event["Name"]).casefold())
        elif kind in _RESULTS:
            id_key, failed = _RESULTS[kind]
            node = self._open.pop(event[id_key], None)
            if node is not None:
                node.finish(failed=failed)
                self._advance()

    def _record(self, event: Event) -> None:
        """A decision of an earlier episode: the replay must have come to the same one."""
        decision = self._unrecorded.pop(event["EventId"], None)
        kind = EventType(event["EventType"])
        name = str(event.get("Name") or "")
        if decision is None or decision.event_type != kind or decision.name.casefold() != name.casefold():
            now = "nothing" if decision is None else f"{decision.event_type.name} '{decision.name}'"
            raise NonDeterminismError(
                f"Non-Deterministic workflow detected: the history has {kind.name} '{name}' with sequence "
                f"id {event['EventId']}, the orchestrator's code now does {now} there"
            )

    def _raise_event(self, name: str) -> None:
        waiting = self._waits.get(name)
        if waiting:
            waiting.pop().finish()
            self._advance()
        else:
            self._buffered[name].append(None)

    # the program

    def _at_rest(self) -> bool:
        return self._current is None or self._current.done

    def _advance(self) -> None:
        while self._cursor < len(self._actions) and self._at_rest():
            action = self._actions[self._cursor]
            self._cursor += 1
            self._current = self._start(action)

    def _start(self, action: Action) -> Wait:
        self._check(action)
        kind = action["actionType"]
        if kind in (ActionType.WHEN_ALL, ActionType.WHEN_ANY):
            children = [self._start(child) for child in action["compoundActions"]]
            return CompoundWait(children, needs_all=kind == ActionType.WHEN_ALL)
        if kind in (ActionType.CALL_ACTIVITY_WITH_RETRY, ActionType.CALL_SUB_ORCHESTRATOR_WITH_RETRY):
            return self._start_attempts(action)
        if kind == ActionType.CREATE_TIMER:
            return self._start_timer(action["fireAt"], canceled=action["isCanceled"])
        if kind in _MESSAGES:
            return self._start_message(action)
        return self._start_task(action)

    def _start_attempts(self, action: Action) -> Wait:
        options = action["retryOptions"]
        pause = timedelta(milliseconds=options["firstRetryIntervalInMilliseconds"])
        return RetryWait(
            int(options["maxNumberOfAttempts"]),
            lambda: self._start_task(action),
            lambda: self._start_timer(format_time(self._now + pause)),
        )

    def _start_message(self, action: Action) -> Wait:
        kind = action["actionType"]
        if kind == ActionType.WAIT_FOR_EXTERNAL_EVENT:
            return self._wait(str(action["externalEventName"]).casefold())
        if kind == ActionType.CONTINUE_AS_NEW:
            return finished_wait()
        return self._send_to_entity(action, is_signal=kind == ActionType.SIGNAL_ENTITY)

    def _start_task(self, action: Action) -> Wait:
        if action["actionType"] == ActionType.CALL_HTTP:
            return self._open_node(
                Decision(
                    EventType.TASK_SCHEDULED,
                    self._take_id(),
                    HTTP_ACTIVITY,
                    json.dumps(action["httpRequest"]),
                )
            )
        kind, task_id, name = action["actionType"], self._take_id(), str(action["functionName"])
        if kind in (ActionType.CALL_ACTIVITY, ActionType.CALL_ACTIVITY_WITH_RETRY):
            return self._open_node(Decision(EventType.TASK_SCHEDULED, task_id, name, action.get("input")))
        instance_id = action.get("instanceId") or f"{self._execution_id}:{task_id:04x}"
        return self._open_node(
            Decision(
                EventType.SUB_ORCHESTRATION_CREATED,
                task_id,
                name,
                json.dumps(action.get("input")),
                instance_id,
                action.get("version") or "",
            )
        )

    def _start_timer(self, fire_at: str, *, canceled: bool = False) -> Wait:
        decision = Decision(EventType.TIMER_CREATED, self._take_id(), fire_at=fire_at, canceled=canceled)
        if not canceled:
            return self._open_node(decision)
        # A canceled timer is done at once, even if the replay has not come to its cancellation yet.
        self._unrecorded[decision.task_id] = decision
        self._canceled.append(decision.task_id)
        return finished_wait()

    def _wait(self, name: str) -> Wait:
        buffered = self._buffered.get(name)
        if buffered:
            buffered.popleft()
            return finished_wait()
        node = Wait()
        self._waits[name].append(node)
        return node

    def _send_to_entity(self, action: Action, *, is_signal: bool) -> Wait:
        task_id = self._take_id()
        request_id = str(uuid5(NAMESPACE_OID, f"{self._execution_id}:{task_id}"))
        request = {
            "op": action["operation"],
            "signal": is_signal,
            # The SDK's entity context expects a JSON string that holds JSON.
            "input": json.dumps(action.get("input")),
            "id": request_id,
        }
        self._unrecorded[task_id] = Decision(
            EventType.EVENT_SENT, task_id, "op", json.dumps(request), action["instanceId"]
        )
        return finished_wait() if is_signal else self._wait(request_id)

    def _open_node(self, decision: Decision) -> Wait:
        node = Wait()
        self._open[decision.task_id] = node
        self._unrecorded[decision.task_id] = decision
        return node

    def _take_id(self) -> int:
        task_id = self._next_id
        self._next_id += 1
        return task_id


_MESSAGES = {
    ActionType.WAIT_FOR_EXTERNAL_EVENT,
    ActionType.CONTINUE_AS_NEW,
    ActionType.CALL_ENTITY,
    ActionType.SIGNAL_ENTITY,
}

_RECORDS = {
    EventType.TASK_SCHEDULED,
    EventType.SUB_ORCHESTRATION_CREATED,
    EventType.TIMER_CREATED,
    EventType.EVENT_SENT,
}

_RESULTS: dict[int, tuple[str, bool]] = {
    EventType.TASK_COMPLETED: ("TaskScheduledId", False),
    EventType.TASK_FAILED: ("TaskScheduledId", True),
    EventType.SUB_ORCHESTRATION_COMPLETED: ("TaskScheduledId", False),
    EventType.SUB_ORCHESTRATION_FAILED: ("TaskScheduledId", True),
    EventType.TIMER_FIRED: ("TimerId", False),
}


def replay(
    actions: list[Action],
    history: Iterable[Event],
    execution_id: str,
    check: Callable[[Action], None] = lambda action: None,
) -> ReplayOutcome:
    """Run `actions` over `history` and say what is new and whether the execution may complete.

    `check` is called with every action when it starts and raises InvalidActionError to refuse it.
    Raises: NonDeterminismError, InvalidActionError.
    """
    return _Replay(actions, execution_id, check).run(history)


def count_waits(actions: Iterable[Any]) -> dict[str, int]:
    """How many waits for each external event (name case-folded) the actions hold."""
    counts: defaultdict[str, int] = defaultdict(int)
    stack: list[Any] = list(actions)
    while stack:
        action = stack.pop()
        stack.extend(action.get("compoundActions", ()))
        if action["actionType"] == ActionType.WAIT_FOR_EXTERNAL_EVENT:
            counts[str(action["externalEventName"]).casefold()] += 1
    return counts
