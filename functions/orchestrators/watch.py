"""Watches over one turn's silence: if the answer does not sound in time, whatever has become of the workers that make
it, the caller is told so politely.
"""

from __future__ import annotations

from collections.abc import Generator
from datetime import timedelta
from typing import Any

import azure.durable_functions as df

from functions.orchestrators import steps
from shared.domain.steps import ANSWERED_EVENT, OVER_EVENT, TurnRequest

blueprint = df.Blueprint()


@blueprint.orchestration_trigger(context_name="context")
def watch(context: df.DurableOrchestrationContext) -> Generator[Any, Any, str]:
    """Gives "" or "rescued"."""
    request = TurnRequest.from_json(context.get_input())
    over = context.wait_for_external_event(OVER_EVENT)
    deadline = context.create_timer(context.current_utc_datetime + steps.WATCH_DEADLINE)
    if (yield context.task_any([over, deadline])) is deadline:
        return ""  # nobody listens any more; the turn's own deadline ends the call
    deadline.cancel()
    limit_ms = int(over.result)
    if not limit_ms:
        return ""
    answered = context.wait_for_external_event(ANSWERED_EVENT)
    late = context.create_timer(context.current_utc_datetime + timedelta(milliseconds=limit_ms))
    if (yield context.task_any([answered, late])) is answered:
        late.cancel()
        return ""
    yield context.task_any([steps.rescue(context, request)])  # it may fail: then the line itself is gone
    return "rescued"
