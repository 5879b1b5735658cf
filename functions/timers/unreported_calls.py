"""Looks every five minutes for calls that nobody reports on any more, or that last longer than is paid for."""

from __future__ import annotations

import logging

import azure.durable_functions as df
import azure.functions as func

from functions.durable_calls import DurableCalls
from shared.composition import services
from shared.domain.errors import VoiceAgentError

blueprint = df.Blueprint()
logger = logging.getLogger(__name__)


@blueprint.timer_trigger(arg_name="timer", schedule="0 */5 * * * *")
@blueprint.durable_client_input(client_name="client")
async def close_unreported_calls(timer: func.TimerRequest, client: df.DurableOrchestrationClient) -> None:
    try:
        await services().calling.end_overdue()
        closed = await services().calling.close_unreported(DurableCalls(client))
    except VoiceAgentError as error:
        logger.warning("unreported calls are looked for next time: %s", error)
        return
    if closed:
        logger.warning("%d unreported calls closed", closed)
