"""After a call: who wants to know is told, the call is read, what is personal is hidden. Nobody waits for it."""

from __future__ import annotations

from collections.abc import Generator
from datetime import timedelta
from typing import Any

import azure.durable_functions as df

from functions.orchestrators import steps
from shared.domain.steps import CallRequest

blueprint = df.Blueprint()

_AGAIN_AFTER_S = (10, 60, 300, 1800, 3600)
"""Together an hour and a half of a model that does not answer."""


@blueprint.orchestration_trigger(context_name="context")
def after_call(context: df.DurableOrchestrationContext) -> Generator[Any, Any, None]:
    request = CallRequest.from_json(context.get_input())
    yield context.task_any([steps.tell_events(context, request)])
    is_finished = yield from _finished(context, request)
    for pause_s in _AGAIN_AFTER_S:
        if is_finished:
            break
        yield context.create_timer(context.current_utc_datetime + timedelta(seconds=pause_s))
        is_finished = yield from _finished(context, request)
    if not is_finished:
        yield steps.give_up_analysis(context, request)
    yield context.task_any([steps.tell_events(context, request)])


def _finished(context: df.DurableOrchestrationContext, request: CallRequest) -> Generator[Any, Any, bool]:
    step = steps.finish_call(context, request)
    yield context.task_any([step])
    return step.result is True
