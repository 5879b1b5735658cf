"""Places every minute the calls back whose time has come, and once in a while forgets old calls of tools."""

from __future__ import annotations

import logging
from datetime import timedelta

import azure.durable_functions as df
import azure.functions as func

from functions.durable_calls import DurableCalls
from shared.composition import services
from shared.domain.errors import VoiceAgentError

blueprint = df.Blueprint()
logger = logging.getLogger(__name__)

_LEDGER_KEPT = timedelta(days=1)
"""No step of a call runs again after so long, and what tools were told and said is personal data."""


@blueprint.timer_trigger(arg_name="timer", schedule="15 * * * * *")
@blueprint.durable_client_input(client_name="client")
async def place_promised_calls(timer: func.TimerRequest, client: df.DurableOrchestrationClient) -> None:
    try:
        placed = await services().tooling.place_callbacks(DurableCalls(client))
    except VoiceAgentError as error:
        logger.warning("promised calls are looked for next time: %s", error)
        return
    if placed:
        logger.info("%d promised calls placed", placed)


@blueprint.timer_trigger(arg_name="timer", schedule="45 17 * * * *")
async def sweep_tool_calls(timer: func.TimerRequest) -> None:
    try:
        await services().tooling.ledger.sweep(services().clock.now() - _LEDGER_KEPT)
    except VoiceAgentError as error:
        logger.warning("old calls of tools are deleted next time: %s", error)
