"""Listens along with a call whose sound its provider lets us follow, for as long as it lasts."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import azure.durable_functions as df

from functions.orchestrators import steps
from shared.domain.steps import ListenAlongRequest

blueprint = df.Blueprint()


@blueprint.orchestration_trigger(context_name="context")
def follow_call(context: df.DurableOrchestrationContext) -> Generator[Any, Any, str]:
    """A stretch at a time, so that no activity runs longer than a host lets it."""
    request = ListenAlongRequest.from_json(context.get_input())
    if (yield steps.listen_along(context, request)):
        context.continue_as_new(request.to_json())
        return "on"
    return "over"
