"""Calls the tools that a model wants: what only reads at once, what changes the world once the turn is over."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.domain.errors import ToolError
from shared.domain.steps import TurnRequest
from shared.domain.tools.arguments import faults_of_arguments
from shared.domain.tools.effects import leaves_the_call, may_run_tentatively
from shared.domain.tools.results import framed
from shared.ports.clock import Clock
from shared.ports.language_model import ToolCall
from shared.ports.tool_box import Tool, ToolBox, ToolRequest, ToolResult
from shared.use_cases.thinking.told import Told

logger = logging.getLogger(__name__)

A_MOMENT_MS = 800
"""How long a tool runs in silence."""
A_WHILE_MS = 4_000
"""The same where something was said just before it."""
MOST_CALLS = 8
"""In one answer."""
_GRACE_S = 2.0
_LONGEST_SHOWN = 64


_Told = tuple[str, ToolResult]
"""A tool's name, and what came of it."""


@dataclass(frozen=True, slots=True)
class Results:
    """What the model is told, call by call; `leaving`: what is left to do when the caller has heard everything."""

    texts: tuple[str, ...]
    leaving: ToolRequest | None = None


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A call that can be made."""

    tool: Tool
    request: ToolRequest


class ToolCalling:
    """For one take. `final` is set once it is certain that the take is heard: nothing that has an effect is done
    before, nor anything said of waiting. `did` is told what was done that had an effect.
    """

    def __init__(
        self,
        told: Told,
        request: TurnRequest,
        *,
        final: asyncio.Event,
        clock: Clock,
        did: Callable[[int, str, Mapping[str, Any], str], Awaitable[None]],
    ) -> None:
        self._told = told
        self._tools = {tool.name: tool for tool in told.tools}
        self._request = request
        self._final = final
        self._clock = clock
        self._did = did
        self._has_filled = False

    async def results(
        self,
        box: ToolBox,
        calls: Sequence[ToolCall],
        *,
        first: int,
        has_spoken: bool,
        say: Callable[[str], Awaitable[None]],
    ) -> Results:
        """`first`: the how manieth call of the answer the first one is, from 0. `say`: how a filler is spoken.
        Cancelling it ends what only reads; what has an effect and has begun is seen to its end first.
        """
        wanted = [self._wanted(call, number) for number, call in enumerate(calls, first)]
        running = asyncio.create_task(self._run(box, wanted, first), name="tools")
        filling = asyncio.create_task(self._moment(has_spoken), name="a tool's moment")
        try:
            await asyncio.wait({running, filling}, return_when=asyncio.FIRST_COMPLETED)
            filler = next((each.tool.filler for each in wanted if isinstance(each, _Wanted) and each.tool.filler), "")
            if not running.done() and (filler or self._told.filler) and not self._has_filled:
                self._has_filled = True
                await say(filler or self._told.filler)
            return await running
        finally:
            running.cancel()
            filling.cancel()
            await asyncio.gather(running, filling, return_exceptions=True)

    def _wanted(self, call: ToolCall, number: int) -> _Wanted | str:
        """What can be called, or what the model is told instead."""
        arguments = _read(call.arguments)
        tool = self._tools.get(call.name)
        if tool is None:
            known = ", ".join(self._tools)
            return framed(call.name[:_LONGEST_SHOWN], None, f"there is no such tool; there are: {known}")
        if arguments is None:
            return framed(tool.name, None, "the arguments are not a JSON object")
        told = self._told
        request = ToolRequest(
            key=f"{self._request.call_id}:{self._request.turn}:{number}",
            tenant_id=self._request.tenant_id,
            call_id=self._request.call_id,
            caller=told.caller,
            name=tool.name,
            arguments=arguments,
            turn=self._request.turn,
            heard=told.heard,
            language=told.language,
        )
        return _Wanted(tool, request)

    async def _moment(self, has_spoken: bool) -> None:
        await self._final.wait()
        await self._clock.sleep_ms(A_WHILE_MS if has_spoken else A_MOMENT_MS)

    async def _run(self, box: ToolBox, wanted: Sequence[_Wanted | str], first: int) -> Results:
        """Those that only read side by side, all others in their order."""
        if all(isinstance(each, str) or may_run_tentatively(each.tool.effect) for each in wanted):
            texts = await asyncio.gather(*(self._text(box, each, number) for number, each in enumerate(wanted)))
            return Results(tuple(texts))
        found: list[str] = []
        leaving: ToolRequest | None = None
        for number, each in enumerate(wanted):
            if leaving is not None:
                found.append(framed("", None, "not done: the call is being left"))
            elif isinstance(each, _Wanted) and self._leaves(each.tool.name):
                faults = faults_of_arguments(each.tool.parameters, each.request.arguments)
                if faults:
                    found.append(framed(each.tool.name, None, f"the arguments are wrong: {'; '.join(faults)}"))
                    continue
                leaving = each.request
                found.append(framed(each.tool.name, "done as soon as the caller has heard what was said"))
            else:
                found.append(await self._text(box, each, number, first))
        return Results(tuple(found), leaving)

    def _leaves(self, name: str) -> bool:
        return leaves_the_call(name, transfers_with_answers=self._told.transfers_with_answers)

    async def _text(self, box: ToolBox, each: _Wanted | str, number: int, first: int = 0) -> str:
        if isinstance(each, str):
            return each
        if number >= MOST_CALLS:
            return framed(each.tool.name, None, "not done: too many calls at once")
        if may_run_tentatively(each.tool.effect):
            return _told_of(await self._called(box, each))
        await self._final.wait()
        result = await _to_its_end(self._done(box, each, first + number), each.tool.deadline_s + _GRACE_S)
        return _told_of(result)

    async def _done(self, box: ToolBox, each: _Wanted, number: int) -> _Told:
        """Also where nobody waits for it any more, the turns after it know of it."""
        result = await self._called(box, each)
        await self._did(number, each.tool.name, each.request.arguments, _told_of(result))
        return result

    async def _called(self, box: ToolBox, each: _Wanted) -> _Told:
        try:
            return each.tool.name, await box.call(self._told.agent, each.request)
        except ToolError as error:
            logger.warning("call %s: tool %s failed: %s", self._request.call_id, each.tool.name, error.code)
            return each.tool.name, ToolResult(None, error.message)


def _told_of(told: _Told) -> str:
    name, result = told
    return framed(name, result.content, result.failed)


def _read(arguments: str) -> dict[str, Any] | None:
    """Models write nothing where nothing is wanted."""
    try:
        document = json.loads(arguments or "{}")
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


async def _to_its_end(deed: Awaitable[_Told], within_s: float) -> _Told:
    """A deed that was begun is not broken off: else nobody would know what came of it."""
    task = asyncio.ensure_future(deed)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task}, timeout=within_s)
        raise
