"""A step of a turn is another one where words come and go than where sound does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Concatenate, Generic, ParamSpec

from shared.domain.steps import TurnRequest
from shared.ports.live_calls import LiveCalls

_P = ParamSpec("_P")


@dataclass(frozen=True, slots=True)
class ByLine(Generic[_P]):
    """The step that the call's line needs."""

    live_calls: LiveCalls
    of_sound: Callable[Concatenate[TurnRequest, _P], Awaitable[str]]
    of_words: Callable[Concatenate[TurnRequest, _P], Awaitable[str]]

    async def __call__(self, request: TurnRequest, /, *arguments: _P.args, **options: _P.kwargs) -> str:
        live = await self.live_calls.get(request.call_id)
        step = self.of_words if live is not None and live.line.carries_text else self.of_sound
        return await step(request, *arguments, **options)
