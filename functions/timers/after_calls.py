"""Looks every five minutes for calls and messages that nobody goes on with, and every hour for what is overdue."""

from __future__ import annotations

import logging

import azure.durable_functions as df
import azure.functions as func

from functions.durable_calls import DurableCalls
from shared.composition import services
from shared.domain.errors import VoiceAgentError

blueprint = df.Blueprint()
logger = logging.getLogger(__name__)


@blueprint.timer_trigger(arg_name="timer", schedule="45 */5 * * * *")
@blueprint.durable_client_input(client_name="client")
async def take_up_after_calls(timer: func.TimerRequest, client: df.DurableOrchestrationClient) -> None:
    calls = DurableCalls(client)
    try:
        await services().after_call.take_up(calls)
        await services().after_call.tell(calls)
        await services().after_call.tell.take_up(calls)
    except VoiceAgentError as error:
        logger.warning("what was left after calls is looked for next time: %s", error)


@blueprint.timer_trigger(arg_name="timer", schedule="0 17 * * * *")
async def delete_overdue(timer: func.TimerRequest) -> None:
    try:
        deleted = await services().after_call.delete_overdue()
    except VoiceAgentError as error:
        logger.warning("what is overdue is deleted next time: %s", error)
        return
    logger.info(
        "deleted: %d recordings, %d transcripts, %d raw texts, %d settled, %d told; sealed anew: %d",
        deleted.recordings,
        deleted.transcripts,
        deleted.raw,
        deleted.settled,
        deleted.deliveries,
        deleted.resealed,
    )
