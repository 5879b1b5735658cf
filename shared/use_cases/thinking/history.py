"""What has been said in a call before this turn, as the caller has heard it."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field

from shared.domain import interruption, pipe_names
from shared.domain.call import Agent
from shared.domain.limits import LONGEST_ANSWER_S
from shared.domain.steps import TurnRequest
from shared.ports.live_calls import LiveCalls
from shared.ports.pipes import Pipes
from shared.use_cases.waiting import Waiting, is_end

logger = logging.getLogger(__name__)

_INTERRUPTED_WITHIN_S = 2.0
_LOOKED_BACK_TURNS = 60
"""Among them are noises and answers unheard, which are not remembered."""

Journals = list[dict[str, str]]


@dataclass(slots=True)
class History:
    """Begins to gather as soon as it is made; `close` ends that. Raises: StoreError."""

    pipes: Pipes
    live_calls: LiveCalls
    request: TurnRequest
    _settled: asyncio.Task[Journals] = field(init=False)

    def __post_init__(self) -> None:
        self._settled = asyncio.create_task(self._once_over(), name="history")

    async def close(self) -> None:
        self._settled.cancel()
        await asyncio.gather(self._settled, return_exceptions=True)

    async def journals(self, agent: Agent) -> Journals:
        """Those of the turns before. They are what was heard of the answers, so the last one must be over or held:
        an interrupted one is in a moment, one that may not be interrupted when it has been said.
        """
        if self._settled.done() and not self._settled.exception():
            return self._settled.result()
        request = self.request
        within_s = _INTERRUPTED_WITHIN_S if agent.interruptible else LONGEST_ANSWER_S
        held = await self._held_before()
        ended = await Waiting(self.pipes, self.live_calls).within(
            self._spoken_before, within_s, of=lambda entry: is_end(entry) or entry.position == held
        )
        if ended is None:
            logger.warning("call %s turn %d: the turn before has not ended", request.call_id, request.turn)
        return await self._read()

    async def last_words(self) -> str:
        """What the caller said last; it is known long before the answer to it has been heard."""
        if self.request.turn < 1:
            return ""
        journal = await self.live_calls.journal(self.request.call_id, self.request.turn - 1)
        return journal.get("heard", "")

    async def _once_over(self) -> Journals:
        """The same once the answer before is over, which it mostly is long before the caller has finished."""
        waiting = Waiting(self.pipes, self.live_calls)
        while await waiting.within(self._spoken_before, LONGEST_ANSWER_S, of=is_end) is None:
            pass  # a turn may listen for minutes; what stands in the journals before the end is not yet history
        return await self._read()

    async def _read(self) -> Journals:
        turn = self.request.turn
        return await self.live_calls.journals(self.request.call_id, range(max(0, turn - _LOOKED_BACK_TURNS), turn))

    async def _held_before(self) -> str:
        """Where it is told what was heard of the answer before until the hold that lasts; "" where none does."""
        control = pipe_names.turn(self.request.call_id, self.request.turn - 1, pipe_names.CONTROL)
        held = ""
        for entry in await self.pipes.read(control):
            match interruption.read(entry.position, entry.fields):
                case interruption.Hold(number):
                    held = f"{number}-0"
                case interruption.Resume():
                    held = ""
        return held

    @property
    def _spoken_before(self) -> str:
        return pipe_names.turn(self.request.call_id, self.request.turn - 1, pipe_names.SPOKEN)
