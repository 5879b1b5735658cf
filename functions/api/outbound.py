"""Outbound calls: place one; what the tenant may dial."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

import azure.durable_functions as df
import azure.functions as func

from functions.durable_calls import DurableCalls
from functions.identity import require
from functions.json_answer import json_answer
from functions.json_body import choice_of, object_in, only, text_of
from functions.problem import answer
from shared.composition import services
from shared.domain.errors import InvalidRequest
from shared.domain.principal import Role
from shared.domain.telephony.commands import Voicemail
from shared.domain.telephony.lines import Line
from shared.domain.telephony.outbound import OutboundPolicy
from shared.use_cases.calls.place_call import Wish

blueprint = df.Blueprint()

_MAX_POLICY_BYTES = 32_768
_WISH = ("to", "agent_id", "caller_id", "line", "voicemail", "message")
_NUMBERS = ("from_minute", "until_minute", "most_at_once", "longest_s")
_POLICY = ("prefixes", "time_zone", "weekdays", *_NUMBERS, "daily_spend", "minute_prices")


@blueprint.route(route="api/calls", methods=["POST"])
@blueprint.durable_client_input(client_name="client")
async def place_call(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """Place a call. 202 with its id: it is dialled once, and soon; what becomes of it is told as of any call.

    Body: to, agent_id, caller_id and, where wanted, line, voicemail (ignore, hang_up, leave_message) and message. The
    same `Idempotency-Key` with the same body gives the same call.
    """

    async def deed() -> func.HttpResponse:
        principal = await require(req, Role.OPERATOR)
        call_id = await services().calling.place_call(
            principal.tenant_id,
            _wish(object_in(req)),
            DurableCalls(client),
            idempotency_key=req.headers.get("idempotency-key", ""),
        )
        return json_answer({"call_id": call_id}, status=202, headers={"Location": f"/api/calls/{call_id}"})

    return await answer("place call", deed)


@blueprint.route(route="api/outbound-policy", methods=["GET"])
async def get_outbound_policy(req: func.HttpRequest) -> func.HttpResponse:
    """What the tenant may dial; nothing, as long as nobody has said so."""

    async def deed() -> func.HttpResponse:
        principal = await require(req, Role.ADMIN)
        return _policy_document(await services().calling.outbound_calls.policy(principal.tenant_id))

    return await answer("get outbound policy", deed)


@blueprint.route(route="api/outbound-policy", methods=["PUT"])
async def put_outbound_policy(req: func.HttpRequest) -> func.HttpResponse:
    """Replace what the tenant may dial. What is not named is as `shared.domain.telephony.outbound` has it: nothing
    may be dialled.
    """

    async def deed() -> func.HttpResponse:
        principal = await require(req, Role.ADMIN)
        policy = _policy(object_in(req, max_bytes=_MAX_POLICY_BYTES))
        await services().calling.outbound_calls.save_policy(principal.tenant_id, policy)
        return _policy_document(policy)

    return await answer("put outbound policy", deed)


def _wish(document: dict[str, Any]) -> Wish:
    only(document, *_WISH)
    return Wish(
        to=text_of(document, "to"),
        agent_id=text_of(document, "agent_id"),
        caller_id=text_of(document, "caller_id"),
        line=None if document.get("line") is None else choice_of(document, "line", Line, otherwise=None),
        voicemail=choice_of(document, "voicemail", Voicemail, otherwise=Voicemail.IGNORE),
        message=text_of(document, "message", otherwise=""),
    )


def _policy_document(policy: OutboundPolicy) -> func.HttpResponse:
    document = {
        "prefixes": list(policy.prefixes),
        "time_zone": policy.time_zone,
        "weekdays": sorted(policy.weekdays),
        **{name: getattr(policy, name) for name in _NUMBERS},
        "daily_spend": str(policy.daily_spend),
        "minute_prices": {prefix: str(price) for prefix, price in policy.minute_prices.items()},
    }
    return json_answer(document)


def _policy(document: dict[str, Any]) -> OutboundPolicy:
    """Raises: InvalidRequest that names the field."""
    only(document, *_POLICY)
    given: dict[str, Any] = {name: _whole(document[name], name) for name in _NUMBERS if name in document}
    if "prefixes" in document:
        given["prefixes"] = tuple(_listed(document["prefixes"], str, "prefixes"))
    if "weekdays" in document:
        given["weekdays"] = frozenset(_listed(document["weekdays"], int, "weekdays"))
    if "time_zone" in document:
        given["time_zone"] = text_of(document, "time_zone")
    if "daily_spend" in document:
        given["daily_spend"] = _money(document["daily_spend"], "daily_spend")
    if "minute_prices" in document:
        prices = document["minute_prices"]
        if not isinstance(prices, dict):
            raise InvalidRequest("minute_prices", "minute_prices must be an object of prices by prefix")
        given["minute_prices"] = {prefix: _money(price, "minute_prices") for prefix, price in prices.items()}
    return OutboundPolicy(**given)


def _whole(value: Any, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidRequest(name, f"{name} must be a whole number")
    return value


def _listed(value: Any, kind: type, name: str) -> list[Any]:
    if not isinstance(value, list) or not all(
        isinstance(item, kind) and not isinstance(item, bool) for item in value
    ):
        raise InvalidRequest(name, f"{name} must be a list")
    return value


def _money(value: Any, name: str) -> Decimal:
    """As a string, for money is no binary fraction; or as a whole number."""
    try:
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise InvalidOperation
        return Decimal(value)
    except InvalidOperation:
        raise InvalidRequest(name, f'an amount in {name} must be a string such as "0.013"') from None
