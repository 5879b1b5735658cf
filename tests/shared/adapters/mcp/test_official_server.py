"""Our client against the protocol's own server, in each of its manners."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

import pytest
import uvicorn
from mcp.server.mcpserver import MCPServer
from mcp_types import ToolAnnotations
from pydantic import Field

from shared.adapters.mcp.source import McpTools
from shared.adapters.safe_http.web import SafeWeb
from shared.adapters.system_clock.clock import SystemClock
from shared.domain.agents.document import Agent
from shared.domain.agents.tools import Effect, McpServer, Tools
from shared.domain.errors import ToolError
from tests.fakes.tools import an_agent, asked
from tests.services import free_port

ALLOWED = ("free_slots", "book", "fails", "slow")


def clinic() -> MCPServer:
    server = MCPServer("clinic")

    @server.tool(annotations=ToolAnnotations(read_only_hint=True))
    def free_slots(day: Annotated[str, Field(description="such as 2026-05-04")]) -> dict[str, Any]:
        """Free slots of a day."""
        return {"day": day, "slots": ["09:00", "09:30"]}

    @server.tool(annotations=ToolAnnotations(destructive_hint=False, idempotent_hint=True))
    def book(day: str, at: str = "09:00") -> str:
        """Book a slot."""
        return f"booked {day} {at}"

    @server.tool()
    def fails() -> str:
        """It never works."""
        raise ValueError("the calendar is closed")

    @server.tool()
    async def slow() -> str:
        await asyncio.sleep(30)
        return "late"

    @server.tool()
    def delete_everything() -> str:
        """Not for agents."""
        return "gone"

    return server


@pytest.fixture(params=["stream, sessions", "json, sessions", "stream, stateless", "json, stateless"])
async def url(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    app = clinic().streamable_http_app(
        json_response="json" in request.param, stateless_http="stateless" in request.param
    )
    port = free_port()
    config = uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error", timeout_graceful_shutdown=0)
    running = uvicorn.Server(config)
    serving = asyncio.create_task(running._serve())
    async with asyncio.timeout(10):
        while not running.started:
            await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{port}/mcp"
    running.should_exit = True
    running.force_exit = True
    await serving


@pytest.fixture
async def tools() -> AsyncIterator[McpTools]:
    web = SafeWeb(loopback=True)
    yield McpTools(web, {}, SystemClock())
    await web.aclose()


def agent_of(url: str) -> Agent:
    declared = McpServer(name="clinic", url=url, allow=ALLOWED, effects={"slow": Effect.CHANGES}, deadline_s=1.0)
    return an_agent(tools=Tools(mcp=(declared,)))


async def test_what_is_allowed_is_offered_with_its_schema_and_effect(url: str, tools: McpTools) -> None:
    offered = {tool.name: tool for tool in await tools.tools(agent_of(url))}
    assert set(offered) == {f"clinic_{name}" for name in ALLOWED}
    slots = offered["clinic_free_slots"]
    assert (slots.effect, slots.description) == (Effect.READS, "Free slots of a day.")
    assert slots.parameters["properties"]["day"]["description"] == "such as 2026-05-04"
    assert slots.parameters["required"] == ["day"]
    book = offered["clinic_book"]
    assert (book.effect, book.idempotent) == (Effect.CHANGES, True)
    assert offered["clinic_fails"].effect is Effect.IRREVERSIBLE, "the protocol's default is the worst case"
    assert offered["clinic_slow"].effect is Effect.CHANGES


async def test_a_tool_is_called(url: str, tools: McpTools) -> None:
    agent = agent_of(url)
    offered = {tool.name: tool for tool in await tools.tools(agent)}

    async def call(name: str, **arguments: Any) -> Any:
        return await tools.call(agent, offered[name], asked(name, arguments))

    slots = await call("clinic_free_slots", day="2026-05-04")
    assert slots.content == {"day": "2026-05-04", "slots": ["09:00", "09:30"]}
    booked = await call("clinic_book", day="2026-05-04")
    assert "booked 2026-05-04 09:00" in str(booked.content)
    failed = await call("clinic_fails")
    assert failed.failed == "the tool reports an error"
    with pytest.raises(ToolError, match="no answer within"):
        await call("clinic_slow")
    again = await call("clinic_free_slots", day="2026-05-05")
    assert again.content["day"] == "2026-05-05"


async def test_what_is_not_allowed_cannot_be_called(url: str, tools: McpTools) -> None:
    agent = agent_of(url)
    offered = {tool.name: tool for tool in await tools.tools(agent)}
    forged = offered["clinic_book"].__class__(
        **{name: getattr(offered["clinic_book"], name) for name in offered["clinic_book"].__slots__}
        | {"name": "clinic_delete_everything"}
    )
    with pytest.raises(ToolError):
        await tools.call(agent, forged, asked("clinic_delete_everything"))
