"""Drives all orchestrations: takes messages in, runs episodes, keeps their decisions, starts their work."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import sqlite3
import time
from collections import deque
from uuid import uuid4

from local_stack.functions_host.durable.action_checks import ActionChecks
from local_stack.functions_host.durable.activities import ActivityRunner, ActivityWork
from local_stack.functions_host.durable.commits import EpisodeCommit, Staged
from local_stack.functions_host.durable.durable_timers import DurableTimers, TimerKey
from local_stack.functions_host.durable.entities import EntityRequest, EntityRunner, request_text
from local_stack.functions_host.durable.episodes import Episode, missing_function, run_episode
from local_stack.functions_host.durable.history import Event, EventType, make_event
from local_stack.functions_host.durable.instances import (
    Instance,
    Message,
    load_instance,
)
from local_stack.functions_host.durable.store import FINISHED, DurableStore, Row
from local_stack.functions_host.function_index import FunctionIndex
from local_stack.functions_host.invocation import Invoker, describe_error

log = logging.getLogger(__name__)

_RETRY_WRITE_S = 1.0


class InstanceExistsError(Exception):
    """An instance of that id is not finished yet."""


class UnknownOrchestratorError(Exception):
    """The app has no such orchestrator."""


class DurableEngine:
    """The task hub of this process. Everything happens on the loop's thread."""

    def __init__(self, index: FunctionIndex, invoker: Invoker, store: DurableStore, activity_limit: int) -> None:
        self._index = index
        self._store = store
        self._instances: dict[str, Instance] = {}
        self._ready: deque[Instance] = deque()
        self._is_pumping = False
        self._check_action = ActionChecks(index).check
        self._watchers: dict[str, set[asyncio.Event]] = {}
        self._activities = ActivityRunner(index.activities, invoker, activity_limit, self._on_activity_result)
        self._timers = DurableTimers(self._on_timer)
        self.entities = EntityRunner(index.entities, invoker, store, self._deliver)

    @property
    def store(self) -> DurableStore:
        return self._store

    # life

    def recover(self) -> None:
        """Take up everything that was under way when the last host ended."""
        marks = ",".join("?" * len(FINISHED))
        for row in self._store.rows(f"SELECT * FROM instances WHERE status NOT IN ({marks})", *FINISHED):  # noqa: S608
            instance = load_instance(row, self._store.history(row["instance_id"]))
            self._instances[instance.instance_id] = instance
        for row in self._store.rows("SELECT * FROM inbox ORDER BY id"):
            self._recover_message(row["target"], row["execution_id"], row["id"], row["message"])
        for row in self._store.rows("SELECT * FROM timers"):
            self._timers.arm((row["instance_id"], row["execution_id"], row["timer_id"]), row["fire_at"])
        for row in self._store.rows("SELECT * FROM activities ORDER BY id"):
            self._recover_activity(ActivityWork(*row))
        if self._instances:
            log.info("took up %d unfinished orchestrations", len(self._instances))

    def begin_stop(self) -> None:
        self._activities.begin_stop()
        self.entities.begin_stop()

    async def close(self) -> None:
        """Run the episodes that are due, so that results which are known need not be got again."""
        self._timers.close()
        while self._ready:
            self._pump()
        await self._activities.close()

    # what clients ask for

    def start_new(self, name: str, instance_id: str | None, input_text: str | None, version: str = "") -> str:
        """Start an orchestration and return its id.

        Raises: UnknownOrchestratorError; InstanceExistsError if one of that id is not finished.
        """
        if name.casefold() not in self._index.orchestrators:
            raise UnknownOrchestratorError(missing_function(name, "orchestrator"))
        instance_id = instance_id or uuid4().hex
        if instance_id in self._instances:
            raise InstanceExistsError(f"An Orchestration instance with the ID {instance_id} already exists.")
        commit = EpisodeCommit(self._store)
        with self._store.transaction():
            staged = commit.create_instance(name, instance_id, input_text, version, parent=None)
        self._apply(staged)
        return instance_id

    def instance_status(self, instance_id: str) -> str | None:
        """Runtime status of an instance, None if there is none."""
        instance = self._instances.get(instance_id)
        if instance is not None:
            return instance.status
        row = self.instance_row(instance_id)
        return None if row is None else str(row["status"])

    def instance_row(self, instance_id: str) -> Row | None:
        """The stored row of an instance, running or finished."""
        return self._store.row("SELECT * FROM instances WHERE instance_id = ?", instance_id)

    async def wait_until_finished(self, instance_id: str, timeout_s: float) -> None:
        """Return when the instance has come to its end or the time is over."""
        if instance_id not in self._instances:
            return
        finished = asyncio.Event()
        watchers = self._watchers.setdefault(instance_id, set())
        watchers.add(finished)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await finished.wait()
        watchers.discard(finished)
        if not watchers:
            self._watchers.pop(instance_id, None)

    def raise_event(self, instance_id: str, name: str, input_text: str | None) -> None:
        """Give an event to an unfinished instance; it is on disk when this returns."""
        self.post(instance_id, make_event(EventType.EVENT_RAISED, Name=name, Input=input_text))

    def post(self, instance_id: str, event: Event) -> None:
        """Send any event to an unfinished instance: raised, terminated, suspended, resumed."""
        row_id = self._store.add_message(instance_id, None, json.dumps(event))
        self._deliver(instance_id, Message(event, inbox_row=row_id))

    def signal_entity(self, entity_id: str, operation: str, input_text: str | None) -> None:
        text = request_text(operation, input_text)
        row_id = self._store.add_message(entity_id, None, text)
        self.entities.submit(entity_id, EntityRequest.from_row(row_id, text))

    def purge(self, instance_id: str) -> bool:
        """Forget a finished instance; return whether there was one."""
        if instance_id in self._instances or self.instance_status(instance_id) is None:
            return False
        with self._store.transaction():
            self._store.delete_instance(instance_id)
        return True

    # messages

    def _recover_message(self, target: str, execution_id: str | None, row_id: int, text: str) -> None:
        if target.startswith("@"):
            self.entities.submit(target, EntityRequest.from_row(row_id, text))
        else:
            self._deliver(target, Message(json.loads(text), execution_id, inbox_row=row_id))

    def _recover_activity(self, work: ActivityWork) -> None:
        instance = self._instances.get(work.instance_id)
        if instance is not None and instance.execution_id == work.execution_id:
            self._activities.submit(work)
        else:
            self._store.delete_activities([work.row_id])

    def _deliver(self, instance_id: str, message: Message) -> None:
        instance = self._instances.get(instance_id)
        if instance is None:
            self._discard(instance_id, [message])
            return
        instance.inbox.append(message)
        self._schedule(instance)

    def _discard(self, instance_id: str, messages: list[Message]) -> None:
        """Messages for an instance or an execution that has ended."""
        with self._store.transaction():
            self._store.delete_messages(m.inbox_row for m in messages if m.inbox_row is not None)
            self._store.delete_activities(m.activity_row for m in messages if m.activity_row is not None)
            for message in messages:
                if message.timer_id is not None:
                    self._store.delete_timer(instance_id, message.execution_id or "", message.timer_id)

    def _on_activity_result(self, work: ActivityWork, event: Event) -> None:
        self._deliver(work.instance_id, Message(event, work.execution_id, activity_row=work.row_id))

    def _on_timer(self, key: TimerKey, fire_at: str) -> None:
        instance_id, execution_id, timer_id = key
        event = make_event(EventType.TIMER_FIRED, TimerId=timer_id, FireAt=fire_at)
        self._deliver(instance_id, Message(event, execution_id, timer_id=timer_id))

    # episodes

    def _schedule(self, instance: Instance) -> None:
        if instance.is_queued:
            return
        instance.is_queued = True
        self._ready.append(instance)
        if not self._is_pumping:
            self._is_pumping = True
            asyncio.get_running_loop().call_soon(self._pump)

    def _pump(self) -> None:
        """Run one episode, then let the loop do other things before the next."""
        self._is_pumping = False
        if not self._ready:
            return
        instance = self._ready.popleft()
        instance.is_queued = False
        if self._ready:
            self._is_pumping = True
            asyncio.get_running_loop().call_soon(self._pump)
        if self._instances.get(instance.instance_id) is instance:
            self._run(instance)

    def _run(self, instance: Instance) -> None:
        batch, stale = instance.take_batch()
        self._keep_on_disk(instance)
        if stale:
            self._discard(instance.instance_id, stale)
        if not batch:
            return
        started = time.perf_counter()
        before = len(instance.events)
        new_events = [message.event for message in batch]
        suspended_before = instance.is_suspended
        instance.status = instance.status_after(new_events)
        ends = any(event["EventType"] == EventType.EXECUTION_TERMINATED for event in new_events)
        if suspended_before and instance.is_suspended and not ends:
            instance.append(new_events)
            episode = Episode()
        else:
            episode = self._episode(instance, new_events, before)
        staged = self._commit(instance, batch, before, episode)
        if staged is not None:
            self._finish_or_go_on(instance, episode)
            self._apply(staged)
        log.debug(
            "episode of %s %s took %.1f ms",
            instance.name,
            instance.instance_id,
            (time.perf_counter() - started) * 1000,
        )

    def _commit(self, instance: Instance, batch: list[Message], before: int, episode: Episode) -> Staged | None:
        """Write the episode; if the disk refuses, undo it and try again in a while."""
        where = (instance.instance_id, instance.execution_id)
        canceled = [n for n in episode.canceled_timer_ids if self._timers.is_armed((*where, n))]
        episode.canceled_timer_ids = canceled
        waiting = list(instance.inbox)
        try:
            with self._store.transaction():
                staged = EpisodeCommit(self._store).write(instance, batch, before, episode)
        except sqlite3.Error as error:
            log.error("instance %s cannot be written: %s", instance.instance_id, error)
            self._undo(instance.instance_id, [*batch, *waiting])
            return None
        for timer_id in canceled:
            self._timers.disarm((*where, timer_id))
        instance.mark_all_played(before)
        return staged

    def _undo(self, instance_id: str, inbox: list[Message]) -> None:
        row = self.instance_row(instance_id)
        assert row is not None
        instance = load_instance(row, self._store.history(instance_id))
        instance.inbox.extend(inbox)
        self._instances[instance_id] = instance
        asyncio.get_running_loop().call_later(_RETRY_WRITE_S, self._schedule, instance)

    def _episode(self, instance: Instance, new_events: list[Event], before: int) -> Episode:
        try:
            return run_episode(instance, new_events, self._index.orchestrators, self._check_action)
        except Exception as error:
            log.error("episode of %s: %s", instance.instance_id, describe_error(error), exc_info=error)
            failed = json.dumps(f"Orchestrator function '{instance.name}' failed: {describe_error(error)}")
            if len(instance.events) == before:
                instance.append(new_events)
            return Episode(final_status="Failed", output=failed)

    def _keep_on_disk(self, instance: Instance) -> None:
        """What waits for a resume may wait long: a result must not be lost with the process."""
        for message in instance.inbox:
            if message.inbox_row is not None:
                continue
            with self._store.transaction():
                message.inbox_row = self._store.add_message(
                    instance.instance_id, message.execution_id, json.dumps(message.event)
                )
                if message.activity_row is not None:
                    self._store.delete_activities([message.activity_row])
                if message.timer_id is not None:
                    self._store.delete_timer(instance.instance_id, instance.execution_id, message.timer_id)

    def _finish_or_go_on(self, instance: Instance, episode: Episode) -> None:
        if episode.final_status is not None:
            del self._instances[instance.instance_id]
            self._discard(instance.instance_id, list(instance.inbox))
            for watcher in self._watchers.get(instance.instance_id, ()):
                watcher.set()
            level = logging.DEBUG if episode.final_status == "Completed" else logging.WARNING
            log.log(
                level,
                "orchestration %s %s: %s%s",
                instance.name,
                instance.instance_id,
                episode.final_status,
                f": {episode.output}" if level == logging.WARNING else "",
            )
        elif episode.carried_events:
            names = sorted({str(event["Name"]) for event in episode.carried_events})
            log.warning(
                "instance %s continued as new, unprocessed events kept (some backends drop them): %s",
                instance.instance_id,
                names,
            )

    def _apply(self, staged: Staged) -> None:
        """Start what a committed transaction asked for."""
        for instance in staged.instances:
            self._instances[instance.instance_id] = instance
        for key, fire_at in staged.timers:
            self._timers.arm(key, fire_at)
        for work in staged.activities:
            self._activities.submit(work)
        for instance_id, message in staged.messages:
            self._deliver(instance_id, message)
        for entity_id, request in staged.entity_requests:
            self.entities.submit(entity_id, request)
