"""The webhooks that look at instances or purge them."""

from __future__ import annotations

from local_stack.functions_host.durable.engine import DurableEngine
from local_stack.functions_host.durable.queries import (
    InstanceFilter,
    find_instances,
    is_finished,
    readable_history,
    status_document,
)
from local_stack.functions_host.durable.webhook_answers import Answer, WebhookCall


class InstanceWebhooks:
    """Handles GET and DELETE of `instances[/{id}]`."""

    def __init__(self, engine: DurableEngine) -> None:
        self._engine = engine

    def status(self, call: WebhookCall) -> Answer:
        """202 while it runs, 200 when it has ended, whatever the end."""
        instance_id = call.parts[1]
        row = self._engine.instance_row(instance_id)
        if row is None:
            return Answer(404)
        show_input = call.flag("showInput", default=True)
        history = None
        if call.flag("showHistory", default=False):
            history = readable_history(
                self._engine.store.history(instance_id),
                show_input=show_input,
                show_output=call.flag("showHistoryOutput", default=False),
            )
        document = status_document(row, show_input=show_input, history=history)
        if not is_finished(row):
            location = f"{call.origin or 'http://localhost'}{call.request.target.decode('latin-1')}"
            return Answer(202, document, (("Location", location), ("Retry-After", "5")))
        as_error = call.flag("returnInternalServerErrorOnFailure", default=False)
        return Answer(500 if as_error and row["status"] == "Failed" else 200, document)

    def list(self, call: WebhookCall) -> Answer:
        limit = int(call.query["top"]) if call.query.get("top", "").isdigit() else -1
        token = call.request.header(b"x-ms-continuation-token") or ""
        offset = int(token) if token.isdigit() else 0
        rows = find_instances(self._engine.store, InstanceFilter.from_query(call.query), limit, offset)
        following = str(offset + len(rows)) if limit > 0 and len(rows) == limit else ""
        show_input = call.flag("showInput", default=True)
        documents = [status_document(row, show_input=show_input) for row in rows]
        return Answer(200, documents, (("x-ms-continuation-token", following),))

    def purge_one(self, call: WebhookCall) -> Answer:
        if self._engine.instance_row(call.parts[1]) is None:
            return Answer(404)
        return Answer(200, {"instancesDeleted": int(self._engine.purge(call.parts[1]))})

    def purge_many(self, call: WebhookCall) -> Answer:
        wanted = InstanceFilter.from_query(call.query)
        if wanted.created_from is None:
            return Answer(400, "Please provide value for 'createdTimeFrom' parameter.")
        rows = find_instances(self._engine.store, wanted)
        deleted = sum(self._engine.purge(row["instance_id"]) for row in rows)
        return Answer(200, {"instancesDeleted": deleted}) if deleted else Answer(404)
