"""The three steps of a turn: listen, think, speak."""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from typing import Any

import azure.durable_functions as df

from functions import names
from functions.durable_calls import DurableCalls
from shared.composition import services
from shared.domain.call import EndReason
from shared.domain.errors import VoiceAgentError
from shared.domain.steps import TurnRequest

blueprint = df.Blueprint()
logger = logging.getLogger(__name__)


async def _or_end(step: str, request: TurnRequest, deed: Awaitable[str | None]) -> str:
    """The step's result. A failure that trying again cannot mend ends the call, so that no other step waits.

    Raises: what may be mended by running the step again.
    """
    try:
        return await deed or ""
    except VoiceAgentError as error:
        logger.error("call %s turn %d: %s failed: %s", request.call_id, request.turn, step, error)
        if error.retryable:
            raise
        await services().end_call.note(request.call_id, EndReason.ERROR)
        return EndReason.ERROR.value


@blueprint.activity_trigger(input_name="request", activity=names.LISTEN)
@blueprint.durable_client_input(client_name="client")
async def listen(request: dict[str, Any], client: df.DurableOrchestrationClient) -> str:
    turn = TurnRequest.from_json(request)
    return await _or_end(names.LISTEN, turn, services().hear(turn, DurableCalls(client)))


@blueprint.activity_trigger(input_name="request", activity=names.THINK)
async def think(request: dict[str, Any]) -> str:
    turn = TurnRequest.from_json(request)
    return await _or_end(names.THINK, turn, services().think(turn))


@blueprint.activity_trigger(input_name="request", activity=names.SPEAK)
async def speak(request: dict[str, Any]) -> str:
    turn = TurnRequest.from_json(request)
    return await _or_end(names.SPEAK, turn, services().speak(turn))
