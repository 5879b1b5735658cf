"""Dialling: asks the provider for a call once, and finds out what became of it where it did not say."""

from __future__ import annotations

import logging
from typing import Any

import azure.durable_functions as df

from functions import names
from functions.activities.retries import retried
from shared.composition import services
from shared.domain.errors import VoiceAgentError
from shared.domain.steps import CallRequest
from shared.domain.telephony.outbound import AttemptState

blueprint = df.Blueprint()
logger = logging.getLogger(__name__)

_ATTEMPTS = 4
_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 8.0
"""A provider that is too busy, or a store that is away, is asked again."""


@blueprint.activity_trigger(input_name="request", activity=names.DIAL_OUT)
async def dial_out(request: dict[str, Any]) -> str:
    asked = CallRequest.from_json(request)
    what = f"call {asked.call_id}: dialling"
    try:
        return await retried(
            what,
            lambda: services().calling.dial_out(asked),
            attempts=_ATTEMPTS,
            pause_s=_PAUSE_S,
            longest_pause_s=_LONGEST_PAUSE_S,
        )
    except VoiceAgentError as error:
        logger.error("%s failed: %s", what, error)
        return AttemptState.UNCERTAIN


@blueprint.activity_trigger(input_name="request", activity=names.FIND_DIALLED)
async def find_dialled(request: dict[str, Any]) -> str:
    asked = CallRequest.from_json(request)
    try:
        return await services().calling.dial_out.reconcile(asked)
    except VoiceAgentError as error:
        logger.warning("call %s: whether it was dialled is still not known: %s", asked.call_id, error)
        return AttemptState.UNCERTAIN


@blueprint.activity_trigger(input_name="request", activity=names.GIVE_UP_DIALLING)
async def give_up_dialling(request: dict[str, Any]) -> str:
    return await services().calling.dial_out.give_up(CallRequest.from_json(request))
