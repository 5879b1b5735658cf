"""Whether the app lives, and whether all that it needs is there."""

from __future__ import annotations

import json

import azure.functions as func

from functions.problem import answer
from shared.composition import services

blueprint = func.Blueprint()

_HEADERS = {"Cache-Control": "no-store"}


@blueprint.route(route="api/health/live", methods=["GET"])
async def health_live(req: func.HttpRequest) -> func.HttpResponse:
    """200 as long as the process answers."""
    return func.HttpResponse(json.dumps({"status": "ok"}), mimetype="application/json", headers=_HEADERS)


@blueprint.route(route="api/health/ready", methods=["GET"])
async def health_ready(req: func.HttpRequest) -> func.HttpResponse:
    """200 when every part is up, 503 with the parts that are not."""

    async def deed() -> func.HttpResponse:
        parts = await services().check_health()
        ready = all(state == "ok" for state in parts.values())
        document = {"status": "ok" if ready else "unavailable", "parts": parts}
        return func.HttpResponse(
            json.dumps(document),
            status_code=200 if ready else 503,
            mimetype="application/json",
            headers=_HEADERS,
        )

    return await answer("readiness", deed)
