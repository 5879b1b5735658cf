"""What is done about a call besides talking: ending it, and keeping what remains."""

from __future__ import annotations

import logging
from typing import Any

import azure.durable_functions as df

from functions import names
from functions.activities.retries import retried
from functions.durable_calls import DurableCalls
from shared.composition import services
from shared.domain.call import EndReason
from shared.domain.errors import TelephonyError, VoiceAgentError
from shared.domain.steps import CallRequest, TurnRequest, WrapUpRequest

blueprint = df.Blueprint()
logger = logging.getLogger(__name__)

_ATTEMPTS = 30
_PAUSE_S = 2.0
"""Together a minute: what a failover of the database takes."""


@blueprint.activity_trigger(input_name="request", activity=names.END_CALL)
async def end_call(request: dict[str, Any]) -> None:
    call_id = CallRequest.from_json(request).call_id
    what = f"call {call_id}: noting its end"
    await retried(
        what, lambda: services().end_call.note(call_id, EndReason.ERROR), attempts=_ATTEMPTS, pause_s=_PAUSE_S
    )


@blueprint.activity_trigger(input_name="request", activity=names.HANG_UP)
async def hang_up(request: dict[str, Any]) -> None:
    ended = WrapUpRequest.from_json(request)
    try:
        await services().end_call.hang_up(ended.call_id)
    except TelephonyError as error:
        # The media socket is closed, and with it the call ends; its records must not wait for the carrier.
        logger.warning("call %s: the carrier was not told: %s", ended.call_id, error)


@blueprint.activity_trigger(input_name="request", activity=names.RECORD_TURN)
@blueprint.durable_client_input(client_name="client")
async def record_turn(request: dict[str, Any], client: df.DurableOrchestrationClient) -> None:
    turn = TurnRequest.from_json(request)
    what = f"call {turn.call_id} turn {turn.turn}: keeping it"
    await retried(what, lambda: services().keep_records.of_turn(turn), attempts=_ATTEMPTS, pause_s=_PAUSE_S)
    if turn.greet:
        await _tell_begun(turn, DurableCalls(client))


async def _tell_begun(turn: TurnRequest, calls: DurableCalls) -> None:
    """Whom a tenant wants to be told that a call has begun; who is not told now is told by a timer."""
    try:
        await services().after_call.tell(calls)
    except VoiceAgentError as error:
        logger.warning("call %s: nobody was told that it has begun: %s", turn.call_id, error)


@blueprint.activity_trigger(input_name="request", activity=names.RECORD_CALL)
async def record_call(request: dict[str, Any]) -> None:
    await services().keep_records.of_call(WrapUpRequest.from_json(request))


@blueprint.activity_trigger(input_name="request", activity=names.CLOSE_CALL)
async def close_call(request: dict[str, Any]) -> None:
    ended = WrapUpRequest.from_json(request)
    await services().keep_records.close(ended)
    logger.info("call %s ended: %s", ended.call_id, ended.end_reason)
