"""Listening along: a stretch of a call whose sound we can follow but not join."""

from __future__ import annotations

import logging
from typing import Any

import azure.durable_functions as df

from functions import names
from shared.composition import services
from shared.domain.errors import MediaError
from shared.domain.steps import ListenAlongRequest

blueprint = df.Blueprint()
logger = logging.getLogger(__name__)

_STRETCH_S = 300.0


@blueprint.activity_trigger(input_name="request", activity=names.LISTEN_ALONG)
async def listen_along(request: dict[str, Any]) -> bool:
    """Whether there is more to hear."""
    asked = ListenAlongRequest.from_json(request)
    try:
        return await services().listen_along(asked, within_s=_STRETCH_S)
    except MediaError as error:
        logger.warning("call %s cannot be listened to: %s", asked.call_id, error)
        return False
