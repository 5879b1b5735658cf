"""One outbound call's dialling. Where the provider's answer is lost, it is found out what became of the call, at
growing intervals; it is never dialled again.
"""

from __future__ import annotations

from collections.abc import Generator
from datetime import timedelta
from typing import Any

import azure.durable_functions as df

from functions.orchestrators import steps
from shared.domain.steps import CallRequest
from shared.domain.telephony.outbound import AttemptState

blueprint = df.Blueprint()

_ASKING_AFTER_S = (2, 8, 20, 60)
"""Together as long as a provider may take until it lists a call that it has begun."""


@blueprint.orchestration_trigger(context_name="context")
def dial(context: df.DurableOrchestrationContext) -> Generator[Any, Any, str]:
    """Gives how the attempt stands in the end."""
    request = CallRequest.from_json(context.get_input())
    state = yield steps.dial_out(context, request)
    for pause_s in _ASKING_AFTER_S:
        if state != AttemptState.UNCERTAIN:
            break
        yield context.create_timer(context.current_utc_datetime + timedelta(seconds=pause_s))
        state = yield steps.find_dialled(context, request)
    if state in (AttemptState.DIALLED, AttemptState.FAILED):
        return str(state)
    return str((yield steps.give_up_dialling(context, request)))
