"""Where a call ends with an answer, or goes on without us: that is done once the caller has heard it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from shared.domain import pipe_names
from shared.domain.call import Agent, TurnOutcome
from shared.domain.steps import TurnRequest
from shared.ports.live_calls import LiveCalls
from shared.ports.pipes import Pipes
from shared.ports.tool_box import ToolBox, ToolRequest
from shared.use_cases.fencing import FencedPipes
from shared.use_cases.thinking.answering import Answering
from shared.use_cases.waiting import Waiting, is_end

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Parting:
    """`end_spent`: ends a call, by its id, whose tenant may spend no more. Raises: StoreError, ToolError."""

    pipes: Pipes
    live_calls: LiveCalls
    tools: ToolBox | None = None
    end_spent: Callable[[str], Awaitable[None]] | None = None

    async def __call__(self, request: TurnRequest, agent: Agent, answered: Answering, fence: FencedPipes) -> None:
        if answered.is_last and self.end_spent is not None:
            await self._heard(request)
            await fence.still_mine()
            await self.end_spent(request.call_id)
        elif answered.leaving is not None and self.tools is not None:
            await self._leave(request, self.tools, answered.agent or agent, answered.leaving, fence)

    async def _heard(self, request: TurnRequest) -> bool:
        """Until the turn's answer has been said as far as it will be; False where the call ended before."""
        spoken = pipe_names.turn(request.call_id, request.turn, pipe_names.SPOKEN)
        return await Waiting(self.pipes, self.live_calls).first(request.call_id, spoken, of=is_end) is not None

    async def _leave(
        self, request: TurnRequest, tools: ToolBox, agent: Agent, leaving: ToolRequest, fence: FencedPipes
    ) -> None:
        """Never where the caller has interrupted what was said of it."""
        ended = await self._heard(request)
        journal = await self.live_calls.journal(request.call_id, request.turn)
        if not ended:
            return
        if journal.get("outcome") not in (TurnOutcome.COMPLETED, TurnOutcome.UNHEARD):
            logger.info("call %s turn %d: %s is not called any more", request.call_id, request.turn, leaving.name)
            return
        await fence.still_mine()
        result = await tools.call(agent, leaving)
        if result.failed:
            logger.warning("call %s: tool %s failed", request.call_id, leaving.name)
