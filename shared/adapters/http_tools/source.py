"""Fills `ToolSource` with what an agent's document declares of HTTPS: single operations, and OpenAPI documents."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shared.adapters.http_tools.sending import Sending
from shared.domain.agents.document import Agent
from shared.domain.agents.tools import HttpTool, OpenApiTool
from shared.domain.errors import InvalidRequest
from shared.domain.tools.naming import tool_name
from shared.domain.tools.openapi import operations_of
from shared.domain.tools.requests import Operation, operation_of
from shared.domain.tools.schemas import flat
from shared.ports.tool_box import Tool, ToolRequest, ToolResult

logger = logging.getLogger(__name__)

_MOST_KEPT = 64


@dataclass(frozen=True, slots=True)
class _Declared:
    tool: Tool
    operation: Operation
    secret: str


class HttpTools:
    """What a published version declares never changes, and is read once."""

    def __init__(self, sending: Sending) -> None:
        self._sending = sending
        self._kept: dict[tuple[str, str, int], dict[str, _Declared]] = {}

    async def tools(self, agent: Agent) -> Sequence[Tool]:
        return [each.tool for each in self._declared(agent).values()]

    async def call(self, agent: Agent, tool: Tool, request: ToolRequest) -> ToolResult:
        declared = self._declared(agent)[tool.name]
        return await self._sending.send(declared.operation, declared.secret, tool, request)

    def _declared(self, agent: Agent) -> dict[str, _Declared]:
        key = (agent.tenant_id, agent.agent_id, agent.version)
        if agent.version and key in self._kept:
            return self._kept[key]
        declared: dict[str, _Declared] = {}
        for each in self._read(agent):
            declared.setdefault(each.tool.name, each)
        if agent.version:
            if len(self._kept) >= _MOST_KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = declared
        return declared

    def _read(self, agent: Agent) -> Iterator[_Declared]:
        for group in (agent.tools.http, agent.tools.openapi):
            for tool in group:
                if not self._sending.has_secret(agent.tenant_id, tool.secret):
                    logger.warning("agent %s: tool %s has no secret that is set up", agent.agent_id, tool.name)
                    continue
                try:
                    yield from [_of_http(tool)] if isinstance(tool, HttpTool) else _of_openapi(tool)
                except InvalidRequest as error:
                    logger.warning("agent %s: tool %s is not offered: %s", agent.agent_id, tool.name, error)


def _of_http(tool: HttpTool) -> _Declared:
    parameters = flat(tool.parameters)
    return _Declared(
        Tool(
            name=tool.name,
            description=tool.description,
            parameters=parameters,
            effect=tool.effect,
            idempotent=tool.idempotent or tool.method == "GET",
            deadline_s=tool.deadline_s,
            filler=tool.filler,
        ),
        operation_of(tool.method, tool.url, parameters.get("properties", {})),
        tool.secret,
    )


def _of_openapi(tool: OpenApiTool) -> list[_Declared]:
    return [
        _Declared(
            Tool(
                name=tool_name(tool.name, each.name),
                description=each.description,
                parameters=each.parameters,
                effect=each.effect,
                idempotent=each.idempotent,
                deadline_s=tool.deadline_s,
                group=tool.name,
            ),
            each.operation,
            tool.secret,
        )
        for each in operations_of(tool)
    ]
