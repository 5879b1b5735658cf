"""All tools of an agent as one box: what a model asks for is checked, confirmed, done at most once, and bounded."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, replace

from shared.domain.agents.document import Agent
from shared.domain.agents.tools import Effect
from shared.domain.errors import InvalidRequest, StoreError, ToolError
from shared.domain.tools.arguments import faults_of_arguments
from shared.domain.tools.outcomes import OutcomeUnknown, not_asked
from shared.domain.tools.results import bounded
from shared.ports.tool_box import Tool, ToolRequest, ToolResult
from shared.ports.tool_ledger import LedgerEntry, ToolLedger
from shared.ports.tool_source import ToolSource
from shared.use_cases.tools.confirmations import Confirmations

logger = logging.getLogger(__name__)

_GUARD_S = 0.5
"""So much longer than its deadline a source may need to say so itself."""
_UNKNOWN = (
    "nobody knows whether this was done. Do not call it again. Tell the caller that it may or may not have gone"
    " through, and that it will be looked at."
)


@dataclass(frozen=True, slots=True)
class JoinedTools:
    """Fills the port `ToolBox`. Of tools with the same name the one of the earlier source counts."""

    sources: Sequence[ToolSource]
    ledger: ToolLedger
    confirmations: Confirmations

    async def tools(self, agent: Agent) -> Sequence[Tool]:
        return [tool for tool, _ in (await self._offered(agent)).values()]

    async def call(self, agent: Agent, request: ToolRequest) -> ToolResult:
        """What can be told a model comes as a result: refusals, wrong arguments, unknown outcomes. Raises: ToolError
        (retryable) where the ledger does not answer, and nothing has happened.
        """
        offered = await self._offered(agent)
        if request.name not in offered:
            known = ", ".join(offered) or "none"
            return ToolResult(None, f"there is no tool {request.name[:64]!r}; there are: {known}")
        tool, source = offered[request.name]
        try:
            faults = faults_of_arguments(tool.parameters, request.arguments)
        except InvalidRequest as error:
            return ToolResult(None, f"the tool cannot be used: {error.message}")
        if faults:
            return ToolResult(None, f"the arguments are wrong: {'; '.join(faults)}")
        if tool.effect is Effect.READS:
            return await self._answered(agent, tool, source, request)
        return await self._done_once(agent, tool, source, request)

    async def _offered(self, agent: Agent) -> dict[str, tuple[Tool, ToolSource]]:
        listed = await asyncio.gather(*(source.tools(agent) for source in self.sources))
        offered: dict[str, tuple[Tool, ToolSource]] = {}
        for source, tools in zip(self.sources, listed, strict=True):
            for tool in tools:
                if tool.name in offered:
                    logger.warning("agent %s has several tools %s; the first counts", agent.agent_id, tool.name)
                offered.setdefault(tool.name, (tool, source))
        return offered

    async def _done_once(self, agent: Agent, tool: Tool, source: ToolSource, request: ToolRequest) -> ToolResult:
        """What is known of it comes first: what was done is not asked about again."""
        try:
            before = await self.ledger.begin(request)
            if before is not None and before.name != request.name:
                return ToolResult(None, f"in this place {before.name} was called already; call {request.name} anew")
            if before is not None and before.result is not None:
                return _as_before(before, request)
            question = await self.confirmations.question(request) if tool.effect is Effect.IRREVERSIBLE else None
            if question is not None:
                await self.ledger.forget(request)
                return question
        except StoreError as error:
            raise not_asked(f"the ledger of tools does not answer ({error.code})") from error
        if before is not None and not tool.idempotent:
            return ToolResult(None, _UNKNOWN)
        return await self._noted(agent, tool, source, request, before)

    async def _noted(
        self, agent: Agent, tool: Tool, source: ToolSource, request: ToolRequest, before: LedgerEntry | None
    ) -> ToolResult:
        """What was begun is begun again with what it began with, whatever a model says the second time."""
        if before is not None and before.arguments != request.arguments:
            request = replace(request, arguments=before.arguments)
        try:
            result = await self._called(agent, tool, source, request)
        except OutcomeUnknown as error:
            logger.warning("call %s: what came of tool %s is not known: %s", request.call_id, tool.name, error)
            result = ToolResult(None, _UNKNOWN)
        except ToolError as error:
            result = _failed(request, tool, error)
            if error.retryable:
                await self._kept(self.ledger.forget(request))
                return result
        await self._kept(self.ledger.finish(request, result))
        return result

    async def _answered(self, agent: Agent, tool: Tool, source: ToolSource, request: ToolRequest) -> ToolResult:
        try:
            return await self._called(agent, tool, source, request)
        except OutcomeUnknown:
            return ToolResult(None, "it did not answer in time")
        except ToolError as error:
            return _failed(request, tool, error)

    async def _called(self, agent: Agent, tool: Tool, source: ToolSource, request: ToolRequest) -> ToolResult:
        try:
            async with asyncio.timeout(tool.deadline_s + _GUARD_S):
                result = await source.call(agent, tool, request)
        except TimeoutError:
            raise OutcomeUnknown(f"{tool.name} did not answer within {tool.deadline_s:g} s") from None
        return ToolResult(bounded(result.content), result.failed)

    async def _kept(self, noting: Awaitable[None]) -> None:
        """What has happened is told, noted or not; if not, whoever asks again is told that nobody knows."""
        try:
            await noting
        except StoreError as error:
            logger.warning("a tool's outcome is not noted: %s", error)


def _as_before(before: LedgerEntry, request: ToolRequest) -> ToolResult:
    """A step that runs again may ask with other words for what is done already."""
    result = before.result
    assert result is not None
    if before.arguments == request.arguments:
        return result
    return ToolResult({"done_already_with": before.arguments, "result": result.content}, result.failed)


def _failed(request: ToolRequest, tool: Tool, error: ToolError) -> ToolResult:
    """What it says may repeat what the caller said, so that the log has its code alone."""
    logger.info("call %s: tool %s: %s", request.call_id, tool.name, error.code)
    return ToolResult(None, error.message)
