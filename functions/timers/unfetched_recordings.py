"""Looks every five minutes for recordings of providers whose fetching may never have begun."""

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

_FETCHED_WITHIN = timedelta(minutes=10)
"""What is younger is being fetched, or waits for its provider."""


@blueprint.timer_trigger(arg_name="timer", schedule="30 */5 * * * *")
@blueprint.durable_client_input(client_name="client")
async def take_up_recordings(timer: func.TimerRequest, client: df.DurableOrchestrationClient) -> None:
    before = services().clock.now() - _FETCHED_WITHIN
    try:
        await services().calling.fetch_recording.take_up(DurableCalls(client), before=before)
    except VoiceAgentError as error:
        logger.warning("unfetched recordings are looked for next time: %s", error)
