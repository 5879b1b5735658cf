"""Writes what an episode has decided, all in one transaction, and says what is to be started afterwards."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from local_stack.functions_host.durable.activities import ActivityWork
from local_stack.functions_host.durable.durable_timers import TimerKey
from local_stack.functions_host.durable.entities import EntityRequest, request_text
from local_stack.functions_host.durable.episodes import Episode
from local_stack.functions_host.durable.history import Event, EventType, make_event
from local_stack.functions_host.durable.instances import (
    COMPLETED,
    PENDING,
    Instance,
    Message,
    Parent,
)
from local_stack.functions_host.durable.replay import Decision
from local_stack.functions_host.durable.store import FINISHED, DurableStore


@dataclass(slots=True)
class Staged:
    """What may start once the transaction is committed."""

    instances: list[Instance] = field(default_factory=list)
    activities: list[ActivityWork] = field(default_factory=list)
    timers: list[tuple[TimerKey, str]] = field(default_factory=list)
    messages: list[tuple[str, Message]] = field(default_factory=list)
    entity_requests: list[tuple[str, EntityRequest]] = field(default_factory=list)


class EpisodeCommit:
    """One transaction's worth of writing; call its methods inside `store.transaction()`."""

    def __init__(self, store: DurableStore) -> None:
        self._store = store
        self._staged = Staged()

    def create_instance(
        self, name: str, instance_id: str, input_text: str | None, version: str, parent: Parent | None
    ) -> Staged:
        """Write a new instance in place of a finished one of the same id."""
        now = time.time()
        instance = Instance(instance_id, name, uuid4().hex, PENDING, version, input_text, None, now, parent)
        self._store.delete_instance(instance_id)
        self._store.run(
            "INSERT INTO instances VALUES (?, ?, ?, ?, ?, ?, NULL, NULL, ?, ?, ?, ?, ?)",
            instance_id,
            name,
            instance.execution_id,
            PENDING,
            version,
            input_text,
            now,
            now,
            *((parent.instance_id, parent.execution_id, parent.task_id) if parent else (None, None, None)),
        )
        self._staged.instances.append(instance)
        self._send(instance_id, instance.execution_id, _execution_started(instance))
        return self._staged

    def write(self, instance: Instance, batch: list[Message], before: int, episode: Episode) -> Staged:
        """Write an episode: its messages are gone, its history, decisions and state are there."""
        self._forget(instance, batch)
        for timer_id in episode.canceled_timer_ids:
            self._store.delete_timer(instance.instance_id, instance.execution_id, timer_id)
        if episode.restarts:
            self._restart(instance, episode)
            return self._staged
        recorded = [self._carry_out(instance, decision) for decision in episode.decisions]
        if episode.final_status is not None:
            recorded.append(
                make_event(
                    EventType.EXECUTION_COMPLETED,
                    OrchestrationStatus=episode.final_status,
                    Result=episode.output,
                )
            )
            self._tell_parent(instance, episode)
            self._store.delete_timers(instance.instance_id)
        instance.append(recorded)
        self._store.append_history(instance.instance_id, before, instance.texts[before:])
        self._store.run(
            "UPDATE instances SET status = ?, output = ?, custom_status = ?, updated = ? WHERE instance_id = ?",
            episode.final_status or instance.status,
            episode.output,
            instance.custom_status,
            time.time(),
            instance.instance_id,
        )
        return self._staged

    def _forget(self, instance: Instance, batch: list[Message]) -> None:
        self._store.delete_messages(m.inbox_row for m in batch if m.inbox_row is not None)
        self._store.delete_activities(m.activity_row for m in batch if m.activity_row is not None)
        for message in batch:
            if message.timer_id is not None:
                self._store.delete_timer(instance.instance_id, instance.execution_id, message.timer_id)

    def _restart(self, instance: Instance, episode: Episode) -> None:
        """The next execution of an eternal orchestration starts with what the last one left unprocessed."""
        self._store.delete_history(instance.instance_id)
        for decision in episode.decisions:
            if decision.event_type == EventType.EVENT_SENT:
                self._send_to_entity(instance, decision)
        instance.restart(uuid4().hex, episode.restart_input)
        self._store.run(
            "UPDATE instances SET execution_id = ?, input = ?, custom_status = ?, updated = ? WHERE instance_id = ?",
            instance.execution_id,
            instance.input,
            instance.custom_status,
            time.time(),
            instance.instance_id,
        )
        # Written again behind the carried ones, for the order of the rows is the order after a crash.
        started = self._keep(instance.instance_id, instance.execution_id, _execution_started(instance))
        carried = [self._keep(instance.instance_id, None, event) for event in episode.carried_events]
        later = [self._keep_again(instance.instance_id, message) for message in instance.inbox]
        instance.inbox.clear()
        for message in [started, *carried, *later]:
            self._staged.messages.append((instance.instance_id, message))

    def _carry_out(self, instance: Instance, decision: Decision) -> Event:
        """Write one decision and return its event for the history."""
        if decision.event_type == EventType.TASK_SCHEDULED:
            return self._schedule_activity(instance, decision)
        if decision.event_type == EventType.TIMER_CREATED:
            return self._create_timer(instance, decision)
        if decision.event_type == EventType.EVENT_SENT:
            return self._send_to_entity(instance, decision)
        return self._create_child(instance, decision)

    def _schedule_activity(self, instance: Instance, decision: Decision) -> Event:
        where = (instance.instance_id, instance.execution_id, decision.task_id)
        row_id = self._store.add_activity(*where, decision.name, decision.input)
        self._staged.activities.append(ActivityWork(row_id, *where, decision.name, decision.input))
        return make_event(EventType.TASK_SCHEDULED, decision.task_id, Name=decision.name, Input=decision.input)

    def _create_timer(self, instance: Instance, decision: Decision) -> Event:
        if not decision.canceled:
            key = (instance.instance_id, instance.execution_id, decision.task_id)
            self._store.add_timer(*key, decision.fire_at)
            self._staged.timers.append((key, decision.fire_at))
        return make_event(EventType.TIMER_CREATED, decision.task_id, FireAt=decision.fire_at)

    def _send_to_entity(self, instance: Instance, decision: Decision) -> Event:
        request = json.loads(decision.input or "{}")
        caller = None if request["signal"] else (instance.instance_id, instance.execution_id)
        text = request_text(request["op"], request["input"], request["id"], caller)
        row_id = self._store.add_message(decision.instance_id, None, text)
        self._staged.entity_requests.append((decision.instance_id, EntityRequest.from_row(row_id, text)))
        return make_event(
            EventType.EVENT_SENT,
            decision.task_id,
            Name=decision.name,
            InstanceId=decision.instance_id,
            Input=decision.input,
        )

    def _create_child(self, instance: Instance, decision: Decision) -> Event:
        parent = Parent(instance.instance_id, instance.execution_id, decision.task_id)
        row = self._store.row("SELECT status FROM instances WHERE instance_id = ?", decision.instance_id)
        if row is not None and row["status"] not in FINISHED:
            reason = f"An Orchestration instance with the ID {decision.instance_id} already exists."
            self._answer(parent, EventType.SUB_ORCHESTRATION_FAILED, Reason=reason, Details="")
        else:
            self.create_instance(decision.name, decision.instance_id, decision.input, decision.version, parent)
        return make_event(
            EventType.SUB_ORCHESTRATION_CREATED,
            decision.task_id,
            Name=decision.name,
            InstanceId=decision.instance_id,
            Input=decision.input,
        )

    def _tell_parent(self, instance: Instance, episode: Episode) -> None:
        if instance.parent is None:
            return
        if episode.final_status == COMPLETED:
            self._answer(instance.parent, EventType.SUB_ORCHESTRATION_COMPLETED, Result=episode.output)
        else:
            reason = json.loads(episode.output or '""')
            self._answer(instance.parent, EventType.SUB_ORCHESTRATION_FAILED, Reason=reason, Details="")

    def _answer(self, parent: Parent, kind: EventType, **values: Any) -> None:
        event = make_event(kind, TaskScheduledId=parent.task_id, **values)
        self._send(parent.instance_id, parent.execution_id, event)

    def _send(self, instance_id: str, execution_id: str | None, event: Event) -> None:
        self._staged.messages.append((instance_id, self._keep(instance_id, execution_id, event)))

    def _keep(self, instance_id: str, execution_id: str | None, event: Event) -> Message:
        row_id = self._store.add_message(instance_id, execution_id, json.dumps(event))
        return Message(event, execution_id, inbox_row=row_id)

    def _keep_again(self, instance_id: str, message: Message) -> Message:
        if message.inbox_row is None:
            return message
        self._store.delete_messages([message.inbox_row])
        return self._keep(instance_id, message.execution_id, message.event)


def _execution_started(instance: Instance) -> Event:
    return make_event(EventType.EXECUTION_STARTED, Name=instance.name, Version=instance.version, Input=instance.input)
