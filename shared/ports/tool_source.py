"""Where tools come from: each kind of declaration in an agent's document has its own source."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from shared.domain.agents.document import Agent
from shared.ports.tool_box import Tool, ToolRequest, ToolResult


class ToolSource(Protocol):
    async def tools(self, agent: Agent) -> Sequence[Tool]:
        """Those that can be offered now, never later than in a few seconds; their schemas are plain
        (`shared.domain.tools.schemas.flat`). Does not fail.
        """
        ...

    async def call(self, agent: Agent, tool: Tool, request: ToolRequest) -> ToolResult:
        """Once, or again as far as the tool allows; arguments fit the schema. The result is bounded.

        Raises: ToolError, retryable where nothing has happened; OutcomeUnknown
        (`shared.domain.tools.outcomes`) where nobody knows.
        """
        ...
