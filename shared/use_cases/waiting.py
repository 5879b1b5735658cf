"""How a step waits for what another step writes: never for ever, and never for a call that is over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass

from shared.domain import interruption, pipe_names, takes
from shared.domain.steps import TurnRequest
from shared.ports.live_calls import LiveCall, LiveCalls
from shared.ports.pipes import Entry, Pipes

_LOOK_AGAIN_S = 5.0


def is_end(entry: Entry) -> bool:
    """Whether nothing will follow this entry in its pipe."""
    return entry.position == pipe_names.END_POSITION


@dataclass(frozen=True, slots=True)
class Waiting:
    pipes: Pipes
    live_calls: LiveCalls

    async def entries(self, call_id: str, pipe: str) -> AsyncGenerator[Entry, None]:
        """All entries of a pipe as they come, until the call is over and the pipe has no more."""
        seen = "0-0"
        async with aclosing(self.pipes.follow(pipe, idle_s=_LOOK_AGAIN_S)) as batches:
            async for batch in batches:
                found = batch
                ended = not batch and await self.is_over(call_id)
                if ended:
                    found = await self.pipes.read(pipe, seen)
                for entry in found:
                    seen = entry.position
                    yield entry
                if ended:
                    return

    async def first(self, call_id: str, pipe: str, *, of: Callable[[Entry], bool] = lambda _: True) -> Entry | None:
        """The first entry of a pipe that is `of` the kind, or None once the call has ended without one."""
        async with aclosing(self.entries(call_id, pipe)) as entries:
            async for entry in entries:
                if of(entry):
                    return entry
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

    async def takes(self, request: TurnRequest) -> AsyncGenerator[takes.TakeEvent, None]:
        """What listening says of this turn's takes, as it comes; `Ended` is the last where the call is over."""
        pipe = pipe_names.turn(request.call_id, request.turn, pipe_names.TRANSCRIPT)
        async with aclosing(self.entries(request.call_id, pipe)) as entries:
            async for entry in entries:
                yield takes.read(entry.position, entry.fields)
        yield takes.Ended()

    async def orders(self, request: TurnRequest) -> AsyncGenerator[interruption.Order, None]:
        """What the next turn's listening tells this turn's speaking, as it comes; ends with the call."""
        pipe = pipe_names.turn(request.call_id, request.turn, pipe_names.CONTROL)
        async with aclosing(self.entries(request.call_id, pipe)) as entries:
            async for entry in entries:
                yield interruption.read(entry.position, entry.fields)

    async def stop(self, request: TurnRequest) -> None:
        """Until this turn's answer is stopped for good, or the call has ended."""
        async with aclosing(self.orders(request)) as orders:
            async for order in orders:
                if isinstance(order, interruption.Stop):
                    return

    async def connected(self, call_id: str) -> LiveCall | None:
        """The call once it has a socket, or has one again; None if it ended without."""
        live = await self.live_calls.get(call_id)
        if live is not None and live.connection_id:
            return live
        async with aclosing(self.entries(call_id, pipe_names.events(call_id))) as entries:
            async for _ in entries:
                live = await self.live_calls.get(call_id)
                if live is None or live.connection_id or live.end_reason:
                    break
        return live if live is not None and live.connection_id else None

    async def is_over(self, call_id: str) -> bool:
        live = await self.live_calls.get(call_id)
        return live is None or bool(live.end_reason)
