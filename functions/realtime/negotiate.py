"""Lets a browser or app in: begins a call and gives the address and token for its audio."""

from __future__ import annotations

import json

import azure.durable_functions as df
import azure.functions as func

from functions.durable_calls import DurableCalls
from functions.identity import require
from functions.json_answer import json_answer
from functions.json_body import object_in
from functions.problem import answer
from shared.composition import services
from shared.domain.audio import SAMPLE_RATE_HZ
from shared.domain.errors import InvalidRequest
from shared.domain.principal import Role

blueprint = df.Blueprint()

_FRAME_MS = 60


@blueprint.route(route="api/realtime/negotiate", methods=["POST"])
@blueprint.durable_client_input(client_name="client")
async def negotiate(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    async def deed() -> func.HttpResponse:
        principal = await require(req, Role.CALLER, Role.OPERATOR)
        services().warm_up()
        agent_id = _agent_id(req)
        settings = services().settings
        call_id = await services().answer_call.by_client(
            principal.tenant_id, agent_id, principal.subject, DurableCalls(client)
        )
        hub = services().hubs[settings.web_pubsub_client_hub]
        document = {
            "call_id": call_id,
            "url": await hub.client_url(call_id, minutes=settings.client_token_minutes),
            "hub": hub.hub,
            "audio": {"encoding": "pcm_s16le", "sample_rate_hz": SAMPLE_RATE_HZ, "frame_ms": _FRAME_MS},
        }
        return json_answer(document)

    return await answer("negotiate", deed)


def _agent_id(req: func.HttpRequest) -> str | None:
    agent_id = object_in(req).get("agent_id")
    if agent_id is not None and not isinstance(agent_id, str):
        raise InvalidRequest("agent_id", "agent_id must be a string")
    return agent_id


@blueprint.route(route="api/realtime/config", methods=["GET"])
async def realtime_config(req: func.HttpRequest) -> func.HttpResponse:
    """What the talk page needs to sign its user in; nothing in it is secret."""

    async def deed() -> func.HttpResponse:
        return func.HttpResponse(json.dumps(_sign_in()), mimetype="application/json")

    return await answer("realtime config", deed)


def _sign_in() -> dict[str, str]:
    settings = services().settings
    return {
        "authority": settings.auth_metadata_url.split(",")[0]
        .strip()
        .removesuffix("/.well-known/openid-configuration"),
        "client_id": settings.auth_client_id,
        "scope": settings.auth_scope,
        "redirect_uri": f"{settings.public_base_url.rstrip('/')}/",
    }
