"""Runs entity operations: one batch at a time per entity, its state and the answers in one transaction."""

from __future__ import annotations

import json
import logging
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import azure.functions as func

from local_stack.functions_host.durable.history import EventType, make_event
from local_stack.functions_host.durable.instances import Message
from local_stack.functions_host.durable.store import DurableStore, Row
from local_stack.functions_host.function_index import RegisteredFunction
from local_stack.functions_host.invocation import Invoker, describe_error

log = logging.getLogger(__name__)


def entity_id_of(name: str, key: str) -> str:
    """The id under which an entity is addressed: `@name@key`, the name in lower case."""
    return f"@{name.lower()}@{key}"


@dataclass(frozen=True, slots=True)
class EntityRequest:
    """One operation: name, input as JSON text (a JSON string that holds JSON), and who waits for it."""

    row_id: int
    operation: str
    input: str | None
    request_id: str = ""
    caller_id: str | None = None
    caller_execution_id: str | None = None

    @classmethod
    def from_row(cls, row_id: int, text: str) -> EntityRequest:
        return cls(row_id, **json.loads(text))


def request_text(
    operation: str,
    input_text: str | None,
    request_id: str = "",
    caller: tuple[str, str] | None = None,
) -> str:
    """The message text of an operation; `caller` is instance and execution id of who waits for the result."""
    caller_id, caller_execution_id = caller or (None, None)
    return json.dumps(
        {
            "operation": operation,
            "input": input_text,
            "request_id": request_id,
            "caller_id": caller_id,
            "caller_execution_id": caller_execution_id,
        }
    )


class EntityRunner:
    """Gives each entity its operations in order."""

    def __init__(
        self,
        entities: Mapping[str, RegisteredFunction],
        invoker: Invoker,
        store: DurableStore,
        deliver: Callable[[str, Message], None],
    ) -> None:
        self._entities = entities
        self._invoker = invoker
        self._store = store
        self._deliver = deliver
        self._waiting: dict[str, deque[EntityRequest]] = {}
        self._busy: set[str] = set()
        self._stopping = False

    def submit(self, entity_id: str, request: EntityRequest) -> None:
        """Queue an operation whose message is on disk already."""
        self._waiting.setdefault(entity_id, deque()).append(request)
        self._start(entity_id)

    def begin_stop(self) -> None:
        self._stopping = True

    def state(self, entity_id: str) -> Row | None:
        """Row with `state` (JSON text) and `updated`; None if the entity does not exist."""
        return self._store.row("SELECT state, updated FROM entities WHERE entity_id = ?", entity_id)

    def find(self, name: str | None) -> list[Row]:
        prefix = f"@{name.lower()}@" if name else "@"
        return self._store.rows(
            "SELECT entity_id, state, updated FROM entities WHERE substr(entity_id, 1, ?) = ?",
            len(prefix),
            prefix,
        )

    def _start(self, entity_id: str) -> None:
        if entity_id in self._busy or self._stopping or not self._waiting.get(entity_id):
            return
        self._busy.add(entity_id)
        batch = list(self._waiting.pop(entity_id))
        self._invoker.run(entity_id, self._run_batch(entity_id, batch))

    async def _run_batch(self, entity_id: str, batch: list[EntityRequest]) -> None:
        try:
            row = self.state(entity_id)
            result = await self._call(entity_id, row, batch)
            for message_target, message in self._commit(entity_id, row, batch, result):
                self._deliver(message_target, message)
        finally:
            self._busy.discard(entity_id)
            self._start(entity_id)

    async def _call(self, entity_id: str, row: Row | None, batch: list[EntityRequest]) -> dict[str, Any]:
        _, name, key = entity_id.split("@", 2)
        document = {
            "self": {"name": name, "key": key},
            "exists": row is not None,
            "state": row["state"] if row is not None else None,
            "batch": [{"name": request.operation, "input": request.input} for request in batch],
        }
        try:
            function = self._entities[name]
            text = await self._invoker.call(function, func.EntityContext(json.dumps(document)))
            return dict(json.loads(text))
        except Exception as error:  # noqa: BLE001 - the failure is the answer of every operation
            failure = {"isError": True, "result": json.dumps(describe_error(error))}
            return {
                "entityExists": row is not None,
                "entityState": document["state"],
                "results": [failure] * len(batch),
            }

    def _commit(
        self, entity_id: str, row: Row | None, batch: list[EntityRequest], result: dict[str, Any]
    ) -> list[tuple[str, Message]]:
        answers: list[tuple[str, Message]] = []
        with self._store.transaction():
            self._store.delete_messages(request.row_id for request in batch)
            if result["entityExists"]:
                self._store.run(
                    "INSERT OR REPLACE INTO entities VALUES (?, ?, ?)",
                    entity_id,
                    result["entityState"],
                    time.time(),
                )
            elif row is not None:
                self._store.run("DELETE FROM entities WHERE entity_id = ?", entity_id)
            for request, outcome in zip(batch, result["results"], strict=True):
                if outcome["isError"]:
                    log.warning("entity %s: operation %s failed: %s", entity_id, request.operation, outcome["result"])
                if request.caller_id is not None:
                    answers.append((request.caller_id, self._stage_answer(request, outcome)))
        return answers

    def _stage_answer(self, request: EntityRequest, outcome: dict[str, Any]) -> Message:
        response = {"result": outcome["result"]}
        if outcome["isError"]:
            response["exceptionType"] = "Error"
        event = make_event(EventType.EVENT_RAISED, Name=request.request_id, Input=json.dumps(response))
        row_id = self._store.add_message(request.caller_id or "", request.caller_execution_id, json.dumps(event))
        return Message(event, request.caller_execution_id, inbox_row=row_id)
