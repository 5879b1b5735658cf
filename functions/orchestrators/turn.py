"""One turn: listen | think | speak, started together and joined by pipes, under a deadline."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import azure.durable_functions as df

from functions.orchestrators import steps
from shared.domain.call import EndReason
from shared.domain.steps import CallRequest, TurnRequest

blueprint = df.Blueprint()


@blueprint.orchestration_trigger(context_name="context")
def turn(context: df.DurableOrchestrationContext) -> Generator[Any, Any, str]:
    """Gives "" or the reason for which the call ends with this turn."""
    request = TurnRequest.from_json(context.get_input())
    pipeline = context.task_all(list(steps.pipeline(context, request)))
    deadline = context.create_timer(context.current_utc_datetime + steps.TURN_DEADLINE)
    winner = yield context.task_any([pipeline, deadline])
    if winner is pipeline and not isinstance(pipeline.result, Exception):
        deadline.cancel()
        yield steps.record_turn(context, request)
        return str(pipeline.result[0])
    if not deadline.is_completed:
        deadline.cancel()
    yield steps.end_call(context, CallRequest(request.tenant_id, request.call_id))
    return EndReason.ERROR.value
