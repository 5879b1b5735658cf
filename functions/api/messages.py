"""Messages that callers left with an agent."""

from __future__ import annotations

import json
from datetime import UTC
from typing import Any

import azure.functions as func

from functions.identity import require
from functions.problem import answer
from functions.queries import limit_in, moment_in
from shared.composition import services
from shared.domain.errors import NotFound
from shared.domain.principal import Role
from shared.ports.messages_taken import MessageTaken

blueprint = func.Blueprint()

_NO_STORE = {"Cache-Control": "no-store"}


@blueprint.route(route="api/messages", methods=["GET"])
async def list_messages(req: func.HttpRequest) -> func.HttpResponse:
    """The tenant's messages, newest first. Query: state (open), before (ISO 8601), limit (1-200)."""

    async def deed() -> func.HttpResponse:
        principal = await require(req, Role.OPERATOR)
        found = await services().tooling.messages.find(
            principal.tenant_id,
            unhandled=req.params.get("state") == "open",
            before=moment_in(req, "before"),
            limit=limit_in(req),
        )
        document = json.dumps({"messages": [_document(message) for message in found]})
        return func.HttpResponse(document, mimetype="application/json", headers=_NO_STORE)

    return await answer("list messages", deed)


@blueprint.route(route="api/messages/{message_id}/handled", methods=["POST"])
async def handle_message(req: func.HttpRequest) -> func.HttpResponse:
    """Somebody has dealt with it; who was the first to say so stands."""

    async def deed() -> func.HttpResponse:
        principal = await require(req, Role.OPERATOR)
        is_there = await services().tooling.messages.handle(
            principal.tenant_id, req.route_params["message_id"], by=principal.subject, at=services().clock.now()
        )
        if not is_there:
            raise NotFound("message_unknown", "there is no such message")
        return func.HttpResponse(status_code=204, headers=_NO_STORE)

    return await answer("handle message", deed)


def _document(message: MessageTaken) -> dict[str, Any]:
    return {
        "message_id": message.message_id,
        "call_id": message.call_id,
        "agent_id": message.agent_id,
        "from": message.caller,
        "name": message.name,
        "number": message.number,
        "text": message.text,
        "is_urgent": message.is_urgent,
        "taken_at": message.taken_at.astimezone(UTC).isoformat(),
        "handled_at": message.handled_at.astimezone(UTC).isoformat() if message.handled_at else None,
        "handled_by": message.handled_by or None,
    }
