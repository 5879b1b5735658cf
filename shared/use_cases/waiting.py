"""How a step waits for what another step writes: never for ever, and never for a call that is over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass

from shared.domain import pipe_names
from shared.domain.steps import TurnRequest
from shared.ports.live_calls import LiveCalls
from shared.ports.pipes import Entry, Pipes

_LOOK_AGAIN_S = 5.0


def is_last(entry: Entry) -> bool:
    """Whether nothing will follow this entry in its pipe."""
    return b"text" not in entry.fields


@dataclass(frozen=True, slots=True)
class Waiting:
    pipes: Pipes
    live_calls: LiveCalls

    async def first(self, call_id: str, pipe: str) -> Entry | None:
        """The first entry of a pipe, or None once the call has ended without one."""
        async with aclosing(self.pipes.follow(pipe, idle_s=_LOOK_AGAIN_S)) as batches:
            async for batch in batches:
                if batch:
                    return batch[0]
                if await self.is_over(call_id):
                    written = await self.pipes.read(pipe)
                    return written[0] if written else None
        return None

    async def within(
        self, pipe: str, seconds: float, *, of: Callable[[Entry], bool] = lambda _: True
    ) -> Entry | None:
        """The first entry of a pipe that is `of` the kind, or None if none comes in time."""
        try:
            async with asyncio.timeout(seconds):
                written = await self.pipes.read(pipe)  # what is waited for is mostly there already
                if found := next(filter(of, written), None):
                    return found
                after = written[-1].position if written else "0-0"
                async with aclosing(self.pipes.follow(pipe, after)) as batches:
                    async for batch in batches:
                        if found := next(filter(of, batch), None):
                            return found
        except TimeoutError:
            return None
        return None

    async def stop(self, request: TurnRequest) -> None:
        """Until this turn is told to be silent, or the call has ended."""
        await self.first(request.call_id, pipe_names.turn(request.call_id, request.turn, pipe_names.CONTROL))

    async def is_over(self, call_id: str) -> bool:
        live = await self.live_calls.get(call_id)
        return live is None or bool(live.end_reason)
