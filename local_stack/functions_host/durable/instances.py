"""An orchestration instance in memory: everything an episode needs, so that none has to read the disk."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from local_stack.functions_host.durable.history import Event, EventType, dump_event, load_event, mark_played
from local_stack.functions_host.durable.store import Row

PENDING = "Pending"
RUNNING = "Running"
SUSPENDED = "Suspended"
COMPLETED = "Completed"
FAILED = "Failed"
TERMINATED = "Terminated"


_CONTROL_EVENTS = {
    EventType.EXECUTION_RESUMED,
    EventType.EXECUTION_SUSPENDED,
    EventType.EXECUTION_TERMINATED,
}


@dataclass(frozen=True, slots=True)
class Parent:
    """Who waits for this instance, and under which id."""

    instance_id: str
    execution_id: str
    task_id: int


@dataclass(slots=True)
class Message:
    """An event on its way to an instance, with the rows it makes superfluous once it is in the history."""

    event: Event
    execution_id: str | None = None
    """The execution it is for; None is for whichever runs, such as events raised from outside."""
    inbox_row: int | None = None
    activity_row: int | None = None
    timer_id: int | None = None


@dataclass(slots=True)
class Instance:
    """One instance that has not come to its end."""

    instance_id: str
    name: str
    execution_id: str
    status: str
    version: str
    input: str | None
    custom_status: str | None
    created: float
    parent: Parent | None = None
    events: list[Event] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    inbox: deque[Message] = field(default_factory=deque)
    is_queued: bool = False
    ended_at: int | None = None
    """Length of the shortest history after which the orchestrator has ended; None while it has not."""
    open_at: int = 1
    """Length of a history after which the orchestrator had certainly not ended."""

    @property
    def is_suspended(self) -> bool:
        return self.status == SUSPENDED

    def append(self, events: list[Event]) -> list[str]:
        """Add the events of an episode; return their texts."""
        texts = [dump_event(event) for event in events]
        self.events.extend(events)
        self.texts.extend(texts)
        return texts

    def mark_all_played(self, start: int) -> None:
        for position in range(start, len(self.texts)):
            self.texts[position] = mark_played(self.texts[position])

    def status_after(self, events: list[Event]) -> str:
        """Running or Suspended, whichever `events` leave."""
        status = RUNNING if self.status == PENDING else self.status
        for event in events:
            if event["EventType"] == EventType.EXECUTION_SUSPENDED:
                status = SUSPENDED
            elif event["EventType"] == EventType.EXECUTION_RESUMED:
                status = RUNNING
        return status

    def take_batch(self) -> tuple[list[Message], list[Message]]:
        """Take the messages for the next episode out of the inbox, and those for executions that are over.

        A suspended instance takes only what resumes or ends it; the rest stays in the inbox.
        """
        batch: list[Message] = []
        stale: list[Message] = []
        held: list[Message] = []
        suspended = self.is_suspended
        for message in self.inbox:
            kind = message.event["EventType"]
            if message.execution_id not in (None, self.execution_id):
                stale.append(message)
            elif suspended and kind not in _CONTROL_EVENTS:
                held.append(message)
            elif kind == EventType.EXECUTION_RESUMED:
                batch += [message, *held]
                held, suspended = [], False
            else:
                batch.append(message)
                suspended = suspended or kind == EventType.EXECUTION_SUSPENDED
        self.inbox = deque(held)
        # After a crash a new execution's start may stand behind events that came before it.
        batch.sort(key=lambda message: message.event["EventType"] != EventType.EXECUTION_STARTED)
        return batch, stale

    def restart(self, execution_id: str, input_text: str | None) -> None:
        """Begin a new execution with an empty history."""
        self.execution_id = execution_id
        self.input = input_text
        self.events = []
        self.texts = []
        self.ended_at = None
        self.open_at = 1


def load_instance(row: Row, history: list[str]) -> Instance:
    """An instance from its row and the texts of its history."""
    parent = None
    if row["parent_id"] is not None:
        parent = Parent(row["parent_id"], row["parent_execution_id"], row["parent_task_id"])
    return Instance(
        instance_id=row["instance_id"],
        name=row["name"],
        execution_id=row["execution_id"],
        status=row["status"],
        version=row["version"],
        input=row["input"],
        custom_status=row["custom_status"],
        created=row["created"],
        parent=parent,
        events=[load_event(text) for text in history],
        texts=[mark_played(text) for text in history],
    )
