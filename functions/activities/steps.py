"""The three steps of a turn: listen, think, speak."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

import azure.durable_functions as df

from functions import names
from functions.activities.retries import retried
from functions.durable_calls import DurableCalls
from shared.composition import services
from shared.domain.call import EndReason
from shared.domain.errors import VoiceAgentError
from shared.domain.steps import TurnRequest

blueprint = df.Blueprint()
logger = logging.getLogger(__name__)


_ATTEMPTS = 9
_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 5.0
"""Together some twenty seconds: what a failover of Redis takes, of which a call should die no sooner than it must."""
_TOLD_ATTEMPTS, _TOLD_PAUSE_S = 6, 2.0
"""Of a turn that ends as soon as it begins, the watch may not have been started yet."""


async def _or_end(step: str, request: TurnRequest, deed: Callable[[], Awaitable[str | None]]) -> str:
    """The step's result. Each step may be run again, so it is tried again where that may help; a failure that it
    cannot mend ends the call, so that no other step waits for this one.
    """
    what = f"call {request.call_id} turn {request.turn}: {step}"
    try:
        result = await retried(what, deed, attempts=_ATTEMPTS, pause_s=_PAUSE_S, longest_pause_s=_LONGEST_PAUSE_S)
        return result or ""
    except VoiceAgentError as error:
        logger.error("%s failed: %s", what, error)
    except Exception as error:  # noqa: BLE001 - whatever it is, the other steps must not wait for ever
        logger.error("%s failed: %s: %s", what, type(error).__name__, error)
    await services().end_call.note(request.call_id, EndReason.ERROR)
    return EndReason.ERROR.value


@blueprint.activity_trigger(input_name="request", activity=names.LISTEN)
@blueprint.durable_client_input(client_name="client")
async def listen(request: dict[str, Any], client: df.DurableOrchestrationClient) -> str:
    turn, calls = TurnRequest.from_json(request), DurableCalls(client)
    ended = await _or_end(names.LISTEN, turn, lambda: services().hear(turn, calls))
    if ended:  # nobody watches a turn that nobody listens to, and what is not told keeps the turn from ending
        for number in (0, turn.turn) if turn.greet else (turn.turn,):
            await _tell_over(calls, turn.call_id, number)
    return ended


@blueprint.activity_trigger(input_name="request", activity=names.THINK)
async def think(request: dict[str, Any]) -> str:
    turn = TurnRequest.from_json(request)
    return await _or_end(names.THINK, turn, lambda: services().think(turn))


@blueprint.activity_trigger(input_name="request", activity=names.SPEAK)
@blueprint.durable_client_input(client_name="client")
async def speak(request: dict[str, Any], client: df.DurableOrchestrationClient) -> str:
    turn, calls = TurnRequest.from_json(request), DurableCalls(client)

    async def answered() -> None:
        await calls.turn_answered(turn.call_id, turn.turn)

    return await _or_end(names.SPEAK, turn, lambda: services().speak(turn, answered))


@blueprint.activity_trigger(input_name="request", activity=names.RESCUE)
async def rescue(request: dict[str, Any]) -> str:
    turn = TurnRequest.from_json(request)
    logger.error("call %s turn %d: no answer in time, the caller is told so", turn.call_id, turn.turn)
    return await _or_end(names.RESCUE, turn, lambda: services().rescue(turn))


async def _tell_over(calls: DurableCalls, call_id: str, number: int) -> None:
    what = f"call {call_id} turn {number}: telling its watch"
    try:
        await retried(
            what, lambda: calls.turn_over(call_id, number, 0), attempts=_TOLD_ATTEMPTS, pause_s=_TOLD_PAUSE_S
        )
    except VoiceAgentError as error:
        logger.warning("%s failed: %s", what, error)
