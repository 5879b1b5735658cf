"""Fetching what providers have recorded: an attempt, and giving it up."""

from __future__ import annotations

import logging
from typing import Any

import azure.durable_functions as df

from functions import names
from shared.composition import services
from shared.domain.errors import VoiceAgentError
from shared.domain.steps import FetchRequest

blueprint = df.Blueprint()
logger = logging.getLogger(__name__)


@blueprint.activity_trigger(input_name="request", activity=names.FETCH_SOUND)
async def fetch_sound(request: dict[str, Any]) -> str:
    """How the recording stands; "" where it is to be tried again later."""
    wanted = FetchRequest.from_json(request)
    try:
        return await services().calling.fetch_recording(wanted)
    except VoiceAgentError as error:
        logger.warning("call %s: its provider's recording is not fetched yet: %s", wanted.call_id, error)
        if error.retryable:
            return ""
        raise


@blueprint.activity_trigger(input_name="request", activity=names.GIVE_UP_RECORDING)
async def give_up_recording(request: dict[str, Any]) -> str:
    return await services().calling.fetch_recording.give_up(FetchRequest.from_json(request))
