"""Fetching what a provider has recorded, which may take it a while to have ready: at growing intervals, for hours."""

from __future__ import annotations

from collections.abc import Generator
from datetime import timedelta
from typing import Any

import azure.durable_functions as df

from functions.orchestrators import steps
from shared.domain.steps import FetchRequest

blueprint = df.Blueprint()

_AGAIN_AFTER_S = (2, 10, 60, 300, 1800, 7200)


@blueprint.orchestration_trigger(context_name="context")
def fetch_recording(context: df.DurableOrchestrationContext) -> Generator[Any, Any, str]:
    """Gives how the recording stands in the end."""
    request = FetchRequest.from_json(context.get_input())
    state = yield steps.fetch_sound(context, request)
    for pause_s in _AGAIN_AFTER_S:
        if state:
            return str(state)
        yield context.create_timer(context.current_utc_datetime + timedelta(seconds=pause_s))
        state = yield steps.fetch_sound(context, request)
    return str(state or (yield steps.give_up_recording(context, request)))
