"""Calls: list them, look at one, end one."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

import azure.functions as func

from functions.identity import require
from functions.json_answer import json_answer
from functions.problem import answer
from shared.composition import services
from shared.domain.call import Call, CallState, Turn
from shared.domain.errors import InvalidRequest, StoreError
from shared.domain.latency import latency_of
from shared.domain.principal import Role
from shared.domain.provider_recording import ProviderRecording, RecordingState
from shared.domain.telephony.lines import Provider

blueprint = func.Blueprint()
logger = logging.getLogger(__name__)

_MAX_PAGE = 200


@blueprint.route(route="api/calls", methods=["GET"])
async def list_calls(req: func.HttpRequest) -> func.HttpResponse:
    """The tenant's calls, newest first. Query: provider_call_id, state, before (ISO 8601), limit (1–200)."""

    async def deed() -> func.HttpResponse:
        principal = await require(req, Role.OPERATOR)
        found = await services().look_up_calls.many(
            principal.tenant_id,
            provider_call_id=req.params.get("provider_call_id"),
            state=_state(req.params.get("state")),
            before=_moment(req.params.get("before")),
            limit=_limit(req.params.get("limit", "50")),
        )
        return json_answer({"calls": [_call(call) for call in found]})

    return await answer("list calls", deed)


@blueprint.route(route="api/calls/{call_id}", methods=["GET"])
async def get_call(req: func.HttpRequest) -> func.HttpResponse:
    """One call with its turns; of a running call, what is known by now.

    A turn's `latency` (`shared.domain.latency`) is null where nobody waited: in a greeting, before the first sound.
    `understood`: what the conversation has come to, while it runs.
    `handed_by`: the contact at another provider that was put through to us as this call, and what is known of it.
    """

    async def deed() -> func.HttpResponse:
        principal = await require(req, Role.OPERATOR)
        call = await services().look_up_calls.one(principal.tenant_id, req.route_params["call_id"])
        handed, state = await _handed_by(call), await _understood(call)
        return json_answer(
            {**_call(call), "handed_by": handed, "understood": state, "turns": [_turn(turn) for turn in call.turns]}
        )

    return await answer("get call", deed)


@blueprint.route(route="api/calls/{call_id}/hangup", methods=["POST"])
async def hang_up_call(req: func.HttpRequest) -> func.HttpResponse:
    """End a running call."""

    async def deed() -> func.HttpResponse:
        principal = await require(req, Role.OPERATOR)
        await services().end_call.by_operator(principal.tenant_id, req.route_params["call_id"])
        return func.HttpResponse(status_code=202)

    return await answer("hang up call", deed)


def _call(call: Call) -> dict[str, Any]:
    recording = call.recording
    return {
        "call_id": call.call_id,
        "provider": call.provider,
        "provider_call_id": call.provider_call_id,
        "line": call.line,
        "language": call.language or None,
        "direction": call.direction,
        "from": call.caller,
        "to": call.callee,
        "agent_id": call.agent_id,
        "agent_version": call.agent_version,
        "state": call.state,
        "end_reason": call.end_reason,
        "started_at": call.started_at.isoformat(),
        "ended_at": call.ended_at.isoformat() if call.ended_at else None,
        "answered_by": call.answered_by,
        "duration_s": call.duration_s,
        "price": call.price or None,
        "recording": {
            "container": recording.container,
            "blob": recording.blob,
            "duration_ms": recording.duration_ms,
        }
        if recording
        else None,
        "provider_recordings": [_provider_recording(one) for one in call.provider_recordings],
    }


def _provider_recording(recording: ProviderRecording) -> dict[str, Any]:
    """Where it lies at the provider is between the provider and us; not so in the customer's own store."""
    return {
        "state": recording.state,
        "address": recording.url if recording.state is RecordingState.ELSEWHERE else None,
        "container": recording.container or None,
        "blob": recording.blob or None,
        "duration_ms": recording.duration_ms,
    }


async def _handed_by(call: Call) -> dict[str, Any] | None:
    """The record is worth more than this part of it, where the stores do not answer."""
    try:
        handed = await services().gateway.handed_of(call)
    except StoreError as error:
        logger.warning("call %s: who put it through is not known: %s", call.call_id, error)
        return None
    return None if handed is None else {"provider": Provider.CONNECT, **handed.to_json()}


async def _understood(call: Call) -> dict[str, Any] | None:
    try:
        return await services().understanding.show(call)
    except StoreError as error:
        logger.warning("call %s: what was understood is not known: %s", call.call_id, error)
        return None


def _turn(turn: Turn) -> dict[str, Any]:
    latency = latency_of(turn.moments)
    return {
        "number": turn.number,
        "heard": turn.heard,
        "said": turn.said,
        "outcome": turn.outcome,
        "moments": dict(turn.moments),
        "costs": dict(turn.costs),
        "latency": latency.to_json() if latency else None,
        "citations": [citation.to_json() for citation in turn.citations],
    }


def _state(given: str | None) -> CallState | None:
    try:
        return CallState(given) if given else None
    except ValueError:
        raise InvalidRequest("state", f"state is one of {', '.join(CallState)}") from None


def _moment(given: str | None) -> datetime | None:
    if not given:
        return None
    try:
        moment = datetime.fromisoformat(given)
    except ValueError:
        raise InvalidRequest("before", "before is an ISO 8601 date and time") from None
    if moment.tzinfo is None:
        raise InvalidRequest("before", "before needs a time zone")
    return moment


def _limit(given: str) -> int:
    number = int(given) if given.isdecimal() and len(given) <= len(str(_MAX_PAGE)) else 0
    if not 1 <= number <= _MAX_PAGE:
        raise InvalidRequest("limit", f"limit is a whole number from 1 to {_MAX_PAGE}")
    return number
