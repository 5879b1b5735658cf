"""After the call: let go of the line, then keep recording, transcript and outcome."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import azure.durable_functions as df

from functions.orchestrators import steps
from shared.domain.steps import WrapUpRequest

blueprint = df.Blueprint()


@blueprint.orchestration_trigger(context_name="context")
def wrap_up(context: df.DurableOrchestrationContext) -> Generator[Any, Any, None]:
    request = WrapUpRequest.from_json(context.get_input())
    # Each may fail for good, and what comes after it is done all the same.
    yield context.task_any([steps.hang_up(context, request)])
    yield context.task_any([steps.record_call(context, request)])
    closed = steps.close_call(context, request)
    yield context.task_any([closed])
    # It only begins, and the call is over whatever becomes of it.
    yield context.task_any([steps.begin_after_call(context, request)])
    if isinstance(closed.result, Exception):
        raise closed.result
