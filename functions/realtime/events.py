"""Events that Web PubSub sends for each connection (CloudEvents over HTTP).

Events of one connection are serial, so a frame of audio is appended to its pipe and answered; nothing else.
Source: https://learn.microsoft.com/azure/azure-web-pubsub/reference-cloud-events
"""

from __future__ import annotations

import json
import logging

import azure.functions as func

from functions.problem import answer, problem, refused
from shared.composition import services
from shared.domain.errors import NotFound, Unauthenticated, VoiceAgentError
from shared.ports.media_gate import Reply, Upstream

blueprint = func.Blueprint()
logger = logging.getLogger(__name__)

_BEARER = "Bearer "
_STATE = "ce-connectionState"
_TAKEN = func.HttpResponse(status_code=204)


@blueprint.route(route="api/realtime/events/{hub}/{event}", methods=["OPTIONS", "POST"])
async def realtime_event(req: func.HttpRequest) -> func.HttpResponse:
    if req.method == "OPTIONS":
        return await answer("realtime validation", lambda: _allow_origin(req))
    headers = req.headers
    try:
        authorization = headers.get("authorization", "")
        if not authorization.startswith(_BEARER):
            raise Unauthenticated("upstream_token", "the event bears no token")
        await services().upstream_validator.validate(authorization[len(_BEARER) :])
        gates = services().media_gates
    except VoiceAgentError as error:
        logger.warning("realtime event refused: %s", error)
        return problem(error)
    upstream = Upstream(
        type=headers.get("ce-type", ""),
        hub=headers.get("ce-hub", ""),
        connection_id=headers.get("ce-connectionid", ""),
        event_id=headers.get("ce-id", ""),
        event=headers.get("ce-eventname", ""),
        user_id=headers.get("ce-userid", ""),
        state=headers.get("ce-connectionstate", ""),
        body=req.get_body(),
        content_type=headers.get("content-type", ""),
    )
    gate = gates.get(upstream.hub)
    if gate is None:
        return problem(NotFound("hub_unknown", "events of this hub are not for us"))

    try:
        if await gate.pass_frame(upstream):
            return _TAKEN
        return _response(await gate.handle(upstream))
    except VoiceAgentError as error:
        return refused(f"realtime {upstream.event or 'event'}", error)


def _response(reply: Reply) -> func.HttpResponse:
    answer_headers = {_STATE: reply.state} if reply.state else {}
    if reply.body is None:
        return func.HttpResponse(status_code=204, headers=answer_headers)
    return func.HttpResponse(json.dumps(reply.body), mimetype="application/json", headers=answer_headers)


async def _allow_origin(req: func.HttpRequest) -> func.HttpResponse:
    """The abuse protection handshake: the service asks whether it may send us events."""
    asking = [name.strip() for name in req.headers.get("webhook-request-origin", "").split(",")]
    allowed = [name for name in asking if name.lower() in services().web_pubsub_origins]
    if not allowed:
        logger.warning("realtime validation refused: unknown origin")
        return func.HttpResponse(status_code=403)
    return func.HttpResponse(status_code=200, headers={"WebHook-Allowed-Origin": ", ".join(allowed)})
