"""One message to a tenant's endpoint: tried at growing intervals for a day, then laid on the list of the dead."""

from __future__ import annotations

from collections.abc import Generator
from datetime import timedelta
from typing import Any

import azure.durable_functions as df

from functions.orchestrators import steps
from shared.domain.after_call.records import DeliveryRequest
from shared.domain.after_call.webhooks import AGAIN_AFTER_S, DeliveryState

blueprint = df.Blueprint()


@blueprint.orchestration_trigger(context_name="context")
def deliver_webhook(context: df.DurableOrchestrationContext) -> Generator[Any, Any, str]:
    """Gives how the delivery stands in the end."""
    request = DeliveryRequest.from_json(context.get_input())
    state = yield steps.send_webhook(context, request)
    for pause_s in AGAIN_AFTER_S:
        if state != DeliveryState.PENDING:
            return str(state)
        yield context.create_timer(context.current_utc_datetime + timedelta(seconds=pause_s))
        state = yield steps.send_webhook(context, request)
    if state == DeliveryState.PENDING:
        state = yield steps.give_up_webhook(context, request)
    return str(state)
