"""Where a call ends with an answer, or goes on without us: that is done once the caller has heard it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from shared.domain import pipe_names
from shared.domain.agents.tools import BuiltIn
from shared.domain.call import Agent, TurnOutcome
from shared.domain.ledger import Moment
from shared.domain.steps import TurnRequest
from shared.ports.clock import Clock
from shared.ports.live_calls import LiveCalls
from shared.ports.pipes import Pipes
from shared.ports.tool_box import ToolBox, ToolRequest
from shared.use_cases.fencing import FencedPipes
from shared.use_cases.texting.transfer_orders import note_back
from shared.use_cases.thinking.answering import Answering
from shared.use_cases.waiting import Waiting, is_end

logger = logging.getLogger(__name__)

_LATER_MS = 1_500
"""So much longer a provider's voice may take than it is reckoned to."""


@dataclass(frozen=True, slots=True)
class Parting:
    """`end_spent`: ends a call, by its id, whose tenant may spend no more. Raises: StoreError, ToolError."""

    pipes: Pipes
    live_calls: LiveCalls
    clock: Clock
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
        """Until the turn's answer has been said as far as it will be, by the clock where a provider speaks it and
        does not tell; False where the call ended before, or the caller went on.
        """
        call_id, turn = request.call_id, request.turn
        waiting = Waiting(self.pipes, self.live_calls)
        if await waiting.first(call_id, pipe_names.turn(call_id, turn, pipe_names.SPOKEN), of=is_end) is None:
            return False
        until_ms = float((await self.live_calls.journal(call_id, turn)).get(Moment.PLAYBACK_ENDED, 0))
        left_ms = until_ms - self.clock.now_ms()
        if left_ms <= 0:
            return True
        words = pipe_names.turn(call_id, turn + 1, pipe_names.TRANSCRIPT)
        has_gone_on = await waiting.within(words, (left_ms + _LATER_MS) / 1000) is not None
        return not has_gone_on and not await waiting.is_over(call_id)

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
            if leaving.name == BuiltIn.TRANSFER:
                await note_back(self.pipes, request.call_id)
