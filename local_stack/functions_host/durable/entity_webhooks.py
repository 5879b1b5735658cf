"""The webhooks of entities: read the state, signal an operation, list."""

from __future__ import annotations

import json

from local_stack.functions_host.durable.engine import DurableEngine
from local_stack.functions_host.durable.entities import entity_id_of
from local_stack.functions_host.durable.webhook_answers import Answer, WebhookCall, json_text


class EntityWebhooks:
    """Handles `entities[/{name}[/{key}]]`."""

    def __init__(self, engine: DurableEngine) -> None:
        self._engine = engine

    def list(self, call: WebhookCall) -> Answer:
        found = []
        for row in self._engine.entities.find(call.parts[1] if len(call.parts) > 1 else None):
            _, name, key = row["entity_id"].split("@", 2)
            found.append({"entityId": {"name": name, "key": key}, "state": json.loads(row["state"])})
        return Answer(200, found)

    def read(self, call: WebhookCall) -> Answer:
        row = self._engine.entities.state(entity_id_of(call.parts[1], call.parts[2]))
        return Answer(404) if row is None else Answer(200, json.loads(row["state"]))

    def signal(self, call: WebhookCall) -> Answer:
        text = None
        if call.body:
            text = json_text(call.body) if call.is_json else json.dumps(call.body.decode("utf-8", "replace"))
        operation = "delete" if call.request.method == "DELETE" else call.query.get("op", "")
        self._engine.signal_entity(entity_id_of(call.parts[1], call.parts[2]), operation, text)
        return Answer(202)
