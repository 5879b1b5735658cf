"""One call: turn after turn until it ends, then what remains of it.

The next turn is armed as soon as speech begins in this one, while this one still goes on: so the engine's hops are
over before the caller has finished, and the caller can interrupt. Only new tasks are ever raced: a turn and the
wait for its own `heard` event.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import azure.durable_functions as df

from functions.orchestrators import steps
from shared.domain.call import EndReason
from shared.domain.steps import CallRequest, TurnRequest, WrapUpRequest, heard_event

blueprint = df.Blueprint()

TURNS_PER_HISTORY = 20
"""Replay costs grow with the history, so it begins anew after so many turns."""


@blueprint.orchestration_trigger(context_name="context")
def call(context: df.DurableOrchestrationContext) -> Generator[Any, Any, None]:
    request = CallRequest.from_json(context.get_input())
    turn = request.next_turn
    while turn < request.next_turn + TURNS_PER_HISTORY:
        exchange = steps.take_turn(context, TurnRequest(request.tenant_id, request.call_id, turn, greet=turn == 1))
        heard = context.wait_for_external_event(heard_event(turn))
        winner = yield context.task_any([exchange, heard])
        if winner is exchange:
            end_reason = _end_reason(exchange.result)
            if end_reason:
                last = WrapUpRequest(request.tenant_id, request.call_id, turn, end_reason)
                yield steps.wrap_up(context, last)
                return
        turn += 1
    context.continue_as_new(CallRequest(request.tenant_id, request.call_id, turn).to_json())


def _end_reason(result: Any) -> str:
    """Why the call ends with this turn, or "" if it goes on. A turn that failed ends the call."""
    return EndReason.ERROR.value if isinstance(result, Exception) else str(result or "")
