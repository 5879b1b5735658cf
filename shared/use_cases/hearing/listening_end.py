"""What listening leaves behind when it is over, whatever it listened to, and whom it tells."""

from __future__ import annotations

import logging

from shared.domain import pipe_names, takes
from shared.domain.call import Agent, EndReason
from shared.domain.errors import VoiceAgentError
from shared.domain.limits import LONGEST_ANSWER_S
from shared.domain.steps import TurnRequest
from shared.ports.live_calls import LiveCalls
from shared.ports.orchestrations import Orchestrations
from shared.ports.pipes import Pipes
from shared.use_cases.hearing.interrupting import Interrupting

logger = logging.getLogger(__name__)

_WATCH_GRACE_MS = 1000


async def has_listened(pipes: Pipes, request: TurnRequest) -> None:
    """This step writes nothing more: the call's records may be kept now, and its pipes removed."""
    listened = pipe_names.turn(request.call_id, request.turn, pipe_names.LISTENED)
    await pipes.append(listened, {"event": "end"}, position=pipe_names.END_POSITION)


async def end_listening(
    pipes: Pipes,
    live_calls: LiveCalls,
    request: TurnRequest,
    interrupting: Interrupting,
    *,
    reason: EndReason,
    at_ms: float,
) -> str:
    """The call ends with this turn: nothing is to be said or answered, and nobody is to listen. Gives the reason that
    stands.
    """
    await live_calls.end(request.call_id, reason)
    known = await live_calls.get(request.call_id)
    await interrupting.end(at_ms)
    position, fields = takes.written(takes.Ended())
    transcript = pipe_names.turn(request.call_id, request.turn, pipe_names.TRANSCRIPT)
    await pipes.append(transcript, fields, position=position)
    cursor = pipe_names.turn(request.call_id, request.turn + 1, pipe_names.CURSOR)
    await pipes.append(cursor, {"event": "end"}, position="1-0")
    return known.end_reason if known and known.end_reason else str(reason)


async def tell_watch(request: TurnRequest, orchestrations: Orchestrations, limit_ms: int) -> None:
    """From now on the caller waits for an answer; without a limit: nobody does."""
    try:
        await orchestrations.turn_over(request.call_id, request.turn, limit_ms)
    except VoiceAgentError as error:
        logger.warning("call %s turn %d: nobody watches it: %s", request.call_id, request.turn, error)


def watched_ms(agent: Agent, interrupting: Interrupting | None = None) -> int:
    """How long the watch lets those work who should answer, who give up by themselves a little sooner. They begin
    once the answer before has been said, where that may not be interrupted.
    """
    is_in_the_way = interrupting is not None and interrupting.overlaps and not agent.interruptible
    return agent.manner.reply_limit_ms + _WATCH_GRACE_MS + (LONGEST_ANSWER_S * 1000 if is_in_the_way else 0)
