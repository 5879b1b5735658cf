"""Forgets every hour what was remembered of callers for its time."""

from __future__ import annotations

import logging

import azure.functions as func

from shared.composition import services
from shared.domain.errors import VoiceAgentError

blueprint = func.Blueprint()
logger = logging.getLogger(__name__)


@blueprint.timer_trigger(arg_name="timer", schedule="30 37 * * * *")
async def forget_callers(timer: func.TimerRequest) -> None:
    try:
        forgotten = await services().understanding.remember.forget_old()
    except VoiceAgentError as error:
        logger.warning("callers are forgotten next time: %s", error)
        return
    if forgotten:
        logger.info("%d callers forgotten", forgotten)
