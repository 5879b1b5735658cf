"""The HTTP side of Durable Functions: what the SDK's client and the management URLs call.

Source: HttpApiHandler of azure-functions-durable-extension.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from urllib.parse import unquote

from local_stack.functions_host.durable.client_binding import ManagementLinks
from local_stack.functions_host.durable.engine import (
    DurableEngine,
    InstanceExistsError,
    UnknownOrchestratorError,
)
from local_stack.functions_host.durable.entity_webhooks import EntityWebhooks
from local_stack.functions_host.durable.history import EventType, make_event
from local_stack.functions_host.durable.instance_webhooks import InstanceWebhooks
from local_stack.functions_host.durable.queries import is_finished, status_document
from local_stack.functions_host.durable.store import FINISHED
from local_stack.functions_host.durable.webhook_answers import (
    Answer,
    WebhookCall,
    bad_request,
    conflict,
    json_text,
)
from local_stack.functions_host.http_messages import RawRequest
from local_stack.functions_host.http_protocol import HttpConnection

_INVALID_ID_CHARACTERS = set("/\\#?")
_LONGEST_INSTANCE_ID = 100
_CONTROL_EVENTS = {
    "terminate": EventType.EXECUTION_TERMINATED,
    "suspend": EventType.EXECUTION_SUSPENDED,
    "resume": EventType.EXECUTION_RESUMED,
}
_Operation = Callable[[WebhookCall], Answer]


class DurableWebhooks:
    """Handles everything below `prefix`, a path such as `/runtime/webhooks/durabletask`."""

    def __init__(self, prefix: str, engine: DurableEngine, links: ManagementLinks) -> None:
        self._prefix_length = len(prefix)
        self._engine = engine
        self._links = links
        self._waiters: set[asyncio.Task[None]] = set()
        instances, entities = InstanceWebhooks(engine), EntityWebhooks(engine)
        self._operations: dict[tuple[str, str, int], _Operation] = {
            ("POST", "orchestrators", 2): self._start,
            ("POST", "orchestrators", 3): self._start,
            ("GET", "instances", 1): instances.list,
            ("DELETE", "instances", 1): instances.purge_many,
            ("GET", "instances", 2): instances.status,
            ("DELETE", "instances", 2): instances.purge_one,
            ("POST", "instances", 3): self._control,
            ("POST", "instances", 4): self._raise_event,
            ("GET", "entities", 1): entities.list,
            ("GET", "entities", 2): entities.list,
            ("GET", "entities", 3): entities.read,
            ("POST", "entities", 3): entities.signal,
            ("DELETE", "entities", 3): entities.signal,
        }

    def handle(self, request: RawRequest, connection: HttpConnection) -> None:
        parts = [unquote(part) for part in request.path[self._prefix_length :].strip("/").split("/")]
        operation = self._operations.get((request.method, parts[0], len(parts)))
        call = WebhookCall(parts, request.parameters(), request)
        waits_s = 0.0
        try:
            answer = operation(call) if operation is not None else Answer(404)
            if parts[0] == "orchestrators":
                waits_s = float(call.query.get("timeout", 0))
        except ValueError as error:
            answer = bad_request(str(error))
        if waits_s > 0 and answer.status == 202 and isinstance(answer.document, dict):
            self._answer_later(answer, answer.document["id"], waits_s, connection)
        else:
            answer.send(connection)

    def _start(self, call: WebhookCall) -> Answer:
        instance_id = call.parts[2] if len(call.parts) == 3 else ""
        _check_instance_id(instance_id)
        input_text = json_text(call.body) if call.body else None
        return self._start_new(call, call.parts[1], instance_id, input_text, call.query.get("version", ""))

    def _start_new(
        self, call: WebhookCall, name: str, instance_id: str, input_text: str | None, version: str
    ) -> Answer:
        try:
            started = self._engine.start_new(name, instance_id, input_text, version)
        except UnknownOrchestratorError as error:
            return bad_request(str(error))
        except InstanceExistsError as error:
            return conflict(str(error))
        links = self._links.for_instance(started, call.origin)
        return Answer(202, links, (("Location", links["statusQueryGetUri"]), ("Retry-After", "10")))

    def _answer_later(self, started: Answer, instance_id: str, timeout_s: float, connection: HttpConnection) -> None:
        """Wait for the end; if it does not come in time, the answer is the one to a plain start."""

        async def wait() -> None:
            await self._engine.wait_until_finished(instance_id, timeout_s)
            row = self._engine.instance_row(instance_id)
            if row is None or not is_finished(row):
                started.send(connection)
            elif row["status"] == "Completed":
                Answer(200, json.loads(row["output"] or "null")).send(connection)
            else:
                Answer(200, status_document(row)).send(connection)

        waiter = asyncio.get_running_loop().create_task(wait())
        self._waiters.add(waiter)
        waiter.add_done_callback(self._waiters.discard)

    def _raise_event(self, call: WebhookCall) -> Answer:
        _, instance_id, operation, name = call.parts
        if operation.casefold() != "raiseevent":
            return Answer(404)
        refused = self._refuse_unless_running(instance_id)
        if refused is not None:
            return refused
        if not call.is_json:
            return Answer(400, {"Message": "Only application/json request content is supported"})
        self._engine.raise_event(instance_id, name, json_text(call.body))
        return Answer(202)

    def _control(self, call: WebhookCall) -> Answer:
        _, instance_id, operation = call.parts
        operation = operation.casefold()
        if operation == "restart":
            return self._restart(call, instance_id)
        kind = _CONTROL_EVENTS.get(operation)
        if kind is None:
            return Answer(501 if operation == "rewind" else 404)
        refused = self._refuse_unless_running(instance_id)
        if refused is not None:
            return refused
        self._engine.post(instance_id, make_event(kind, Input=call.query.get("reason", "")))
        return Answer(202)

    def _restart(self, call: WebhookCall, instance_id: str) -> Answer:
        row = self._engine.instance_row(instance_id)
        if row is None:
            return bad_request("InstanceId does not match a valid orchestration instance.")
        new_id = "" if call.flag("restartWithNewInstanceId", default=True) else instance_id
        return self._start_new(call, row["name"], new_id, row["input"], row["version"])

    def _refuse_unless_running(self, instance_id: str) -> Answer | None:
        status = self._engine.instance_status(instance_id)
        if status is None:
            return Answer(404)
        return Answer(410) if status in FINISHED else None


def _check_instance_id(instance_id: str) -> None:
    if instance_id.startswith("@"):
        raise ValueError("Orchestration instance ids must not start with @.")
    if any(c in _INVALID_ID_CHARACTERS or ord(c) < 32 for c in instance_id):
        raise ValueError("Orchestration instance ids must not contain /, \\, #, ?, or control characters.")
    if len(instance_id) > _LONGEST_INSTANCE_ID:
        raise ValueError(f"Instance ID lengths must not exceed {_LONGEST_INSTANCE_ID} characters.")
