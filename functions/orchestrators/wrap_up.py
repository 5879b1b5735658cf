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
    yield context.task_any([steps.hang_up(context, request)])  # it may fail; the records are kept all the same
    yield steps.record_call(context, request)
