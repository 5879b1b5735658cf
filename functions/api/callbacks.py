"""Calls back that agents have promised."""

from __future__ import annotations

import json
from datetime import UTC
from typing import Any

import azure.functions as func

from functions.identity import require
from functions.problem import answer
from functions.queries import limit_in
from shared.composition import services
from shared.domain.errors import Conflict, NotFound
from shared.domain.principal import Role
from shared.ports.callbacks import Callback, CallbackState

blueprint = func.Blueprint()

_NO_STORE = {"Cache-Control": "no-store"}


@blueprint.route(route="api/callbacks", methods=["GET"])
async def list_callbacks(req: func.HttpRequest) -> func.HttpResponse:
    """The tenant's calls back, the latest due first. Query: state (planned), limit (1-200)."""

    async def deed() -> func.HttpResponse:
        principal = await require(req, Role.OPERATOR)
        found = await services().tooling.callbacks.find(
            principal.tenant_id, planned=req.params.get("state") == "planned", limit=limit_in(req)
        )
        document = json.dumps({"callbacks": [_document(callback) for callback in found]})
        return func.HttpResponse(document, mimetype="application/json", headers=_NO_STORE)

    return await answer("list calls back", deed)


@blueprint.route(route="api/callbacks/{callback_id}", methods=["DELETE"])
async def cancel_callback(req: func.HttpRequest) -> func.HttpResponse:
    """It is not placed any more; one that was placed already is a 409."""

    async def deed() -> func.HttpResponse:
        principal = await require(req, Role.OPERATOR)
        store = services().tooling.callbacks
        callback = await store.one(principal.tenant_id, req.route_params["callback_id"])
        if callback is None:
            raise NotFound("callback_unknown", "there is no such call back")
        is_planned = callback.state is CallbackState.PLANNED
        if not is_planned or not await store.move(callback, CallbackState.CANCELED):
            raise Conflict("callback_not_planned", "the call back is not planned any more")
        return func.HttpResponse(status_code=204, headers=_NO_STORE)

    return await answer("cancel call back", deed)


def _document(callback: Callback) -> dict[str, Any]:
    return {
        "callback_id": callback.callback_id,
        "agent_id": callback.agent_id,
        "promised_in": callback.promised_in,
        "to": callback.to,
        "from": callback.caller_id,
        "due_at": callback.due_at.astimezone(UTC).isoformat(),
        "reason": callback.reason,
        "state": callback.state,
        "call_id": callback.call_id or None,
        "trouble": callback.trouble or None,
    }
