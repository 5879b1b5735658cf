"""Whom the tenant has told about its calls: endpoints, their secrets, and what became of each message."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import azure.durable_functions as df
import azure.functions as func

from functions.durable_calls import DurableCalls
from functions.identity import require
from functions.json_answer import json_answer
from functions.json_body import object_in, only, text_of
from functions.problem import answer
from shared.composition import services
from shared.domain.after_call.webhooks import Delivery, DeliveryState, Endpoint, EventKind, Secret
from shared.domain.errors import InvalidRequest
from shared.domain.principal import Role

blueprint = df.Blueprint()

_ENDPOINTS = "api/webhook-endpoints"
_ONE = _ENDPOINTS + "/{endpoint_id}"
_DELIVERIES = "api/webhook-deliveries"
_MOST = 200


@blueprint.route(route=_ENDPOINTS, methods=["GET"])
async def list_webhook_endpoints(req: func.HttpRequest) -> func.HttpResponse:
    async def deed() -> func.HttpResponse:
        principal = await require(req, Role.ADMIN)
        found = await services().after_call.endpoints.webhooks.endpoints(principal.tenant_id)
        return json_answer({"endpoints": [_endpoint(each) for each in found]})

    return await answer("list webhook endpoints", deed)


@blueprint.route(route=_ENDPOINTS, methods=["POST"])
async def add_webhook_endpoint(req: func.HttpRequest) -> func.HttpResponse:
    """Body: `url` (https) and `events`; all events where none are named. The answer shows the secret, this once."""

    async def deed() -> func.HttpResponse:
        principal = await require(req, Role.ADMIN)
        document = object_in(req)
        only(document, "url", "events")
        endpoint, secret = await services().after_call.endpoints.add(
            principal.tenant_id, text_of(document, "url"), _events(document)
        )
        return json_answer({**_endpoint(endpoint), **_secret(secret)}, status=201)

    return await answer("add webhook endpoint", deed)


@blueprint.route(route=_ONE, methods=["GET"])
async def get_webhook_endpoint(req: func.HttpRequest) -> func.HttpResponse:
    async def deed() -> func.HttpResponse:
        principal = await require(req, Role.ADMIN)
        found = await services().after_call.endpoints.one(principal.tenant_id, req.route_params["endpoint_id"])
        return json_answer(_endpoint(found))

    return await answer("get webhook endpoint", deed)


@blueprint.route(route=_ONE, methods=["DELETE"])
async def delete_webhook_endpoint(req: func.HttpRequest) -> func.HttpResponse:
    async def deed() -> func.HttpResponse:
        principal = await require(req, Role.ADMIN)
        await services().after_call.endpoints.remove(principal.tenant_id, req.route_params["endpoint_id"])
        return func.HttpResponse(status_code=204)

    return await answer("delete webhook endpoint", deed)


@blueprint.route(route=_ONE + "/secret", methods=["POST"])
async def renew_webhook_secret(req: func.HttpRequest) -> func.HttpResponse:
    """A new secret, shown this once; for a day the one before it signs beside it."""

    async def deed() -> func.HttpResponse:
        principal = await require(req, Role.ADMIN)
        endpoint_id = req.route_params["endpoint_id"]
        secret = await services().after_call.endpoints.new_secret(principal.tenant_id, endpoint_id)
        return json_answer(_secret(secret), status=201)

    return await answer("renew webhook secret", deed)


@blueprint.route(route=_ONE + "/enable", methods=["POST"])
async def enable_webhook_endpoint(req: func.HttpRequest) -> func.HttpResponse:
    """Tell it again, from now on: it was disabled after failing too often."""

    async def deed() -> func.HttpResponse:
        principal = await require(req, Role.ADMIN)
        endpoint_id = req.route_params["endpoint_id"]
        return json_answer(_endpoint(await services().after_call.endpoints.enable(principal.tenant_id, endpoint_id)))

    return await answer("enable webhook endpoint", deed)


@blueprint.route(route=_DELIVERIES, methods=["GET"])
async def list_webhook_deliveries(req: func.HttpRequest) -> func.HttpResponse:
    """The newest first. Query: state (dead: the list of dead letters), endpoint_id, before (ISO 8601), limit."""

    async def deed() -> func.HttpResponse:
        principal = await require(req, Role.ADMIN)
        found = await services().after_call.endpoints.webhooks.deliveries(
            principal.tenant_id,
            state=_state(req.params.get("state", "")),
            endpoint_id=req.params.get("endpoint_id", ""),
            before=_before(req.params.get("before", "")),
            limit=_limit(req.params.get("limit", "50")),
        )
        return json_answer({"deliveries": [_delivery(each) for each in found]})

    return await answer("list webhook deliveries", deed)


@blueprint.route(route=_DELIVERIES + "/{delivery_id}/redeliver", methods=["POST"])
@blueprint.durable_client_input(client_name="client")
async def redeliver_webhook(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """Send the same message again, under the same id, with all its attempts."""

    async def deed() -> func.HttpResponse:
        principal = await require(req, Role.ADMIN)
        await services().after_call.endpoints.deliver_again(
            principal.tenant_id, req.route_params["delivery_id"], DurableCalls(client)
        )
        return func.HttpResponse(status_code=202)

    return await answer("redeliver webhook", deed)


def _events(document: Mapping[str, Any]) -> list[str]:
    events = document.get("events", list(EventKind))
    if not isinstance(events, list) or not all(isinstance(event, str) for event in events):
        raise InvalidRequest("events", f"events must be a list, of {', '.join(EventKind)}")
    return events


def _state(given: str) -> DeliveryState | None:
    if given and given not in list(DeliveryState):
        raise InvalidRequest("state", f"state is one of {', '.join(DeliveryState)}")
    return DeliveryState(given) if given else None


def _before(given: str) -> datetime | None:
    try:
        before = datetime.fromisoformat(given) if given else None
    except ValueError:
        before = datetime.min
    if before is not None and before.tzinfo is None:
        raise InvalidRequest("before", "before is an ISO 8601 date and time with a time zone")
    return before


def _limit(given: str) -> int:
    if not given.isdecimal() or len(given) > 3 or not 1 <= int(given) <= _MOST:
        raise InvalidRequest("limit", f"limit is a whole number from 1 to {_MOST}")
    return int(given)


def _endpoint(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "endpoint_id": endpoint.endpoint_id,
        "url": endpoint.url,
        "events": list(endpoint.events),
        "state": "disabled" if endpoint.disabled_reason else "enabled",
        "disabled_reason": endpoint.disabled_reason or None,
        "failures": endpoint.failures,
        "created_at": endpoint.created_at.astimezone(UTC).isoformat(),
    }


def _secret(secret: Secret) -> dict[str, str]:
    return {"key_id": secret.key_id, "secret": secret.secret}


def _delivery(delivery: Delivery) -> dict[str, Any]:
    return {
        "delivery_id": delivery.delivery_id,
        "endpoint_id": delivery.endpoint_id,
        "event_id": delivery.event_id,
        "call_id": delivery.call_id,
        "type": delivery.kind,
        "state": delivery.state,
        "attempts": delivery.attempts,
        "last_status": delivery.last_status or None,
        "last_fault": delivery.last_fault or None,
        "created_at": delivery.created_at.astimezone(UTC).isoformat(),
        "updated_at": delivery.updated_at.astimezone(UTC).isoformat(),
    }
