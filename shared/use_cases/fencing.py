"""Of two executions of one step, the older one falls silent: a worker that was given up may still be alive."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Self

from shared.domain import pipe_names
from shared.domain.call import TurnOutcome
from shared.domain.errors import Overtaken
from shared.domain.steps import TurnRequest
from shared.ports.live_calls import LiveCalls
from shared.ports.pipes import Entry, Fence, Pipes
from shared.use_cases.waiting import Waiting, is_end

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FencedPipes:
    """Fills the port `Pipes` for one execution of a step. Once a later one has begun, nothing is appended any more:
    whoever writes down what it is about to do does not do it then. `append` and `check` raise Overtaken.
    """

    pipes: Pipes
    fence_of_step: Fence

    @classmethod
    async def begin(cls, pipes: Pipes, request: TurnRequest, epoch: str) -> Self:
        """From now on executions of this step that began before hold no more. `epoch`: of `pipe_names.EPOCHS`. To be
        called before anything is read of what they did.
        """
        return cls(pipes, await pipes.fence(pipe_names.turn(request.call_id, request.turn, epoch)))

    async def append(
        self,
        pipe: str,
        fields: Mapping[str, bytes | str],
        *,
        position: str | None = None,
        must_exist: bool = False,
        fence: Fence | None = None,
    ) -> None:
        held = self.fence_of_step if fence is None else fence
        await self.pipes.append(pipe, fields, position=position, must_exist=must_exist, fence=held)

    async def still_mine(self) -> None:
        """Before a deed that is not written down."""
        await self.pipes.check(self.fence_of_step)

    async def fence(self, key: str) -> Fence:
        return await self.pipes.fence(key)

    async def check(self, fence: Fence) -> None:
        await self.pipes.check(fence)

    def follow(self, pipe: str, after: str = "0-0", *, idle_s: float = 5.0) -> AsyncGenerator[list[Entry], None]:
        return self.pipes.follow(pipe, after, idle_s=idle_s)

    async def read(self, pipe: str, after: str = "0-0") -> list[Entry]:
        return await self.pipes.read(pipe, after)

    async def last(self, pipe: str) -> Entry | None:
        return await self.pipes.last(pipe)

    async def trim(self, pipe: str, before: str) -> None:
        await self.pipes.trim(pipe, before)


async def fenced(
    pipes: Pipes,
    live_calls: LiveCalls,
    request: TurnRequest,
    epoch: str,
    deed: Callable[[FencedPipes, dict[str, str]], Awaitable[str]],
) -> str:
    """The outcome of a step's deed, or of its successor's. The deed gets the pipes on which it holds, and what stands
    in the turn's journal since then. `epoch`: of `pipe_names.EPOCHS`.
    """
    held = await FencedPipes.begin(pipes, request, epoch)
    try:
        return await deed(held, await live_calls.journal(request.call_id, request.turn))
    except Overtaken:
        return await _outcome_of_successor(pipes, live_calls, request)


async def _outcome_of_successor(pipes: Pipes, live_calls: LiveCalls, request: TurnRequest) -> str:
    """What became of the answer in other hands. Who was overtaken ends no sooner: the engine takes the first result
    that it gets for the step's.
    """
    logger.warning("call %s turn %d: somebody else speaks in our place", request.call_id, request.turn)
    spoken = pipe_names.turn(request.call_id, request.turn, pipe_names.SPOKEN)
    end = await Waiting(pipes, live_calls).first(request.call_id, spoken, of=is_end)
    if end is not None and b"outcome" in end.fields:
        return end.fields[b"outcome"].decode()
    journal = await live_calls.journal(request.call_id, request.turn)
    return journal.get("outcome", TurnOutcome.UNHEARD)
