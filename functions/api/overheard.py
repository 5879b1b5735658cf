"""What both sides of a call say that a person handles: for whoever assists them while it goes on, and afterwards."""

from __future__ import annotations

import json
from dataclasses import asdict

import azure.functions as func

from functions.identity import require
from functions.problem import answer
from shared.composition import services
from shared.domain.errors import InvalidRequest
from shared.domain.principal import Role

blueprint = func.Blueprint()

_LONGEST_NUMBER = 15


@blueprint.route(route="api/calls/{call_id}/overheard", methods=["GET"])
async def get_overheard(req: func.HttpRequest) -> func.HttpResponse:
    """Both sides' words, where the provider lets us listen along (`CONNECT_LISTENING`), in the order in which they
    began: `side` is `caller`, or `agent`, whoever the caller hears. Query: after_ms (only what ended later).

    Two sides speak at once at times, and a line lags: who reads on asks with the last `ended_ms` less a few seconds.
    """

    async def deed() -> func.HttpResponse:
        principal = await require(req, Role.OPERATOR)
        call_id, after_ms = req.route_params["call_id"], _moment(req.params.get("after_ms", "0"))
        speeches = await services().read_overheard(principal.tenant_id, call_id, after_ms=after_ms)
        document = {"call_id": call_id, "overheard": [asdict(speech) for speech in speeches]}
        text = json.dumps(document, ensure_ascii=False)
        return func.HttpResponse(text, mimetype="application/json", headers={"Cache-Control": "no-store"})

    return await answer("get overheard", deed)


def _moment(given: str) -> int:
    if not given.isdecimal() or len(given) > _LONGEST_NUMBER:
        raise InvalidRequest("after_ms", "after_ms is a moment in Unix milliseconds")
    return int(given)
