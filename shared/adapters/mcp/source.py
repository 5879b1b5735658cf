"""Fills `ToolSource` with the tools of MCP servers, as far as the agent's document allows them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.adapters.mcp.session import McpSession
from shared.domain.agents.document import Agent
from shared.domain.agents.tools import Effect, McpServer
from shared.domain.errors import InvalidRequest, ToolError
from shared.domain.tools.arguments import check_schema
from shared.domain.tools.naming import tool_name
from shared.domain.tools.outcomes import refused
from shared.domain.tools.results import bounded
from shared.domain.tools.schemas import flat
from shared.domain.tools.signing import Context
from shared.ports.clock import Clock
from shared.ports.tool_box import Tool, ToolRequest, ToolResult
from shared.ports.web_requests import WebRequests

logger = logging.getLogger(__name__)

_LISTED_WITHIN_S = 3.0
_FRESH_MS, _AGAIN_AFTER_MS = 300_000.0, 30_000.0
_MOST_PAGES, _MOST_TOOLS = 20, 200
_MOST_SERVERS = 64
_LONGEST_DESCRIPTION = 1_000


@dataclass
class _Server:
    """What a worker knows of a server: the session, and the tools that it had when it was last asked."""

    session: McpSession
    listed: Sequence[Mapping[str, Any]] = ()
    good_until_ms: float = 0.0
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)
    loop: asyncio.AbstractEventLoop | None = None


class McpTools:
    """`secrets`: by tenant and name. Sessions are of one tenant each, and never shared."""

    def __init__(self, web: WebRequests, secrets: Mapping[str, Mapping[str, str]], clock: Clock) -> None:
        self._web = web
        self._secrets = secrets
        self._clock = clock
        self._servers: dict[tuple[str, str, str], _Server] = {}

    async def tools(self, agent: Agent) -> Sequence[Tool]:
        """A server that does not answer has none for half a minute, or those that it had."""
        listed = await asyncio.gather(*(self._tools_of(agent, each) for each in agent.tools.mcp))
        return [tool for tools in listed for tool in tools.values()]

    async def call(self, agent: Agent, tool: Tool, request: ToolRequest) -> ToolResult:
        for declared in agent.tools.mcp:
            for name in declared.allow:
                if tool_name(declared.name, name) == tool.name:
                    return await self._call(agent, declared, name, tool, request)
        raise refused("there is no such tool any more")

    async def _call(
        self, agent: Agent, declared: McpServer, name: str, tool: Tool, request: ToolRequest
    ) -> ToolResult:
        server = self._server(agent, declared)
        context = Context(request.tenant_id, request.call_id, request.caller, request.name, request.key)
        params = {
            "name": name,
            "arguments": dict(request.arguments),
            "_meta": {"voice-agent/idempotency-key": request.key, "voice-agent/call-id": request.call_id},
        }
        until_ms = self._clock.now_ms() + tool.deadline_s * 1000
        result = await server.session.ask("tools/call", params, until_ms, context)
        content = _content(result)
        if result.get("isError") is True:
            return ToolResult(content, "the tool reports an error")
        return ToolResult(content)

    async def _tools_of(self, agent: Agent, declared: McpServer) -> dict[str, Tool]:
        if declared.secret and declared.secret not in self._secrets.get(agent.tenant_id, {}):
            logger.warning("agent %s: server %s has no secret that is set up", agent.agent_id, declared.name)
            return {}
        tools: dict[str, Tool] = {}
        for given in await self._listed(self._server(agent, declared), declared):
            if given.get("name") in declared.allow:
                try:
                    tool = _tool(declared, given)
                except InvalidRequest as error:
                    logger.warning("server %s: a tool is not offered: %s", declared.name, error)
                    continue
                tools.setdefault(tool.name, tool)
        return tools

    async def _listed(self, server: _Server, declared: McpServer) -> Sequence[Mapping[str, Any]]:
        async with server.asking:
            now_ms = self._clock.now_ms()
            if now_ms < server.good_until_ms:
                return server.listed
            try:
                server.listed = await _pages(server.session, now_ms + _LISTED_WITHIN_S * 1000)
                server.good_until_ms = now_ms + _FRESH_MS
            except ToolError as error:
                logger.warning("server %s has not listed its tools: %s", declared.name, error)
                server.good_until_ms = self._clock.now_ms() + _AGAIN_AFTER_MS
            return server.listed

    def _server(self, agent: Agent, declared: McpServer) -> _Server:
        """One for each event loop: a lock belongs to the loop that has waited for it."""
        key = (agent.tenant_id, declared.url, declared.secret)
        loop = asyncio.get_running_loop()
        server = self._servers.get(key)
        if server is None or server.loop is not loop:
            if len(self._servers) >= _MOST_SERVERS:
                del self._servers[next(iter(self._servers))]
            secret = self._secrets.get(agent.tenant_id, {}).get(declared.secret, "") if declared.secret else ""
            session = McpSession(self._web, self._clock, declared.url, secret)
            server = self._servers[key] = _Server(session, loop=loop)
        return server


async def _pages(session: McpSession, until_ms: float) -> list[Mapping[str, Any]]:
    """Raises: ToolError."""
    tools: list[Mapping[str, Any]] = []
    cursor: Any = None
    for _ in range(_MOST_PAGES):
        page = await session.ask("tools/list", {"cursor": cursor} if cursor is not None else {}, until_ms)
        listed = page.get("tools")
        tools += [tool for tool in listed if isinstance(tool, Mapping)] if isinstance(listed, list) else []
        cursor = page.get("nextCursor")
        if not isinstance(cursor, str) or not cursor or len(tools) >= _MOST_TOOLS:
            break
    return tools[:_MOST_TOOLS]


def _tool(declared: McpServer, given: Mapping[str, Any]) -> Tool:
    """Raises: InvalidRequest."""
    name = str(given["name"])
    notes = given.get("annotations")
    notes = notes if isinstance(notes, Mapping) else {}
    parameters = flat(given.get("inputSchema", {"type": "object"}))
    if parameters.get("type") != "object":
        raise InvalidRequest("schema", "the parameters of a tool are an object")
    check_schema(parameters)
    effect = declared.effects.get(name, _effect(notes))
    return Tool(
        name=tool_name(declared.name, name),
        description=str(given.get("description") or given.get("title") or name)[:_LONGEST_DESCRIPTION],
        parameters=parameters,
        effect=effect,
        idempotent=effect is Effect.READS or notes.get("idempotentHint") is True,
        deadline_s=declared.deadline_s,
        group=declared.name,
    )


def _effect(notes: Mapping[str, Any]) -> Effect:
    """Source: https://modelcontextprotocol.io/specification/2025-06-18/schema#toolannotations; destructive where
    nothing is said.
    """
    if notes.get("readOnlyHint") is True:
        return Effect.READS
    return Effect.CHANGES if notes.get("destructiveHint") is False else Effect.IRREVERSIBLE


def _content(result: Mapping[str, Any]) -> Any:
    """What is structured, else the texts; sounds and pictures are nothing for a call."""
    if result.get("structuredContent") is not None:
        return bounded(result["structuredContent"])
    listed = result.get("content")
    texts = [
        str(part.get("text", "")) if part.get("type") == "text" else f"({part.get('type')!s:.20} left out)"
        for part in (listed if isinstance(listed, list) else ())
        if isinstance(part, Mapping)
    ]
    return bounded("\n".join(texts))
