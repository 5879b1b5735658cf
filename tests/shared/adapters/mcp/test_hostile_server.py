"""Servers that page without end, forget their sessions, flood, lie about their tools, or are not there."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from shared.adapters.mcp.source import McpTools
from shared.adapters.safe_http.web import SafeWeb
from shared.adapters.system_clock.clock import SystemClock
from shared.domain.agents.document import Agent
from shared.domain.agents.tools import McpServer, Tools
from shared.domain.errors import ToolError
from shared.domain.tools.outcomes import OutcomeUnknown
from tests.fakes.tools import an_agent, asked
from tests.services import free_port

OBJECT = {"type": "object"}
SECRET = "0123456789abcdef0123456789abcdef"


class Later(SystemClock):
    """The system's clock, moved on by hand."""

    ahead_ms = 0.0

    def now_ms(self) -> float:
        return super().now_ms() + self.ahead_ms


@dataclass
class Server:
    """`answer` gives the result (or a whole response) of a method; `sessions`: those it knows."""

    answer: Callable[[str, dict[str, Any]], Any]
    url: str = ""
    sessions: set[str] = field(default_factory=set)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    session: str = "one"

    async def handle(self, request: web.Request) -> web.StreamResponse:
        message = await request.json()
        method = message["method"]
        self.asked.append((method, {name.lower(): text for name, text in request.headers.items()}))
        headers = {}
        if method == "initialize":
            self.sessions.add(self.session)
            headers["Mcp-Session-Id"] = self.session
        elif request.headers.get("Mcp-Session-Id") not in self.sessions:
            return web.Response(status=404)
        if "id" not in message:
            return web.Response(status=202)
        result = self.answer(method, message.get("params", {}))
        if isinstance(result, web.StreamResponse):
            return result
        return web.json_response({"jsonrpc": "2.0", "id": message["id"], "result": result}, headers=headers)


def ordinary(method: str, params: dict[str, Any]) -> Any:
    if method == "initialize":
        return {"protocolVersion": "2025-06-18", "capabilities": {}, "serverInfo": {"name": "s", "version": "1"}}
    if method == "tools/list":
        return {"tools": [{"name": "book", "inputSchema": OBJECT, "annotations": {"destructiveHint": False}}]}
    return {"content": [{"type": "text", "text": "done"}, {"type": "image", "data": "…"}]}


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = Server(ordinary)
    app = web.Application()
    app.router.add_post("/mcp", server.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/mcp"
    yield server
    await runner.cleanup()


@pytest.fixture
async def tools() -> AsyncIterator[McpTools]:
    web_ = SafeWeb(loopback=True)
    yield McpTools(web_, {"acme": {"crm": SECRET}}, Later())
    await web_.aclose()


def agent_of(url: str, *allow: str, **more: Any) -> Agent:
    declared = McpServer(**{"name": "s", "url": url, "allow": allow or ("book",), "deadline_s": 1.0} | more)
    return an_agent(tools=Tools(mcp=(declared,)))


async def test_all_pages_are_read_but_not_without_end(server: Server, tools: McpTools) -> None:
    def paged(method: str, params: dict[str, Any]) -> Any:
        page = int(params.get("cursor", "0"))
        listed = {"tools": [{"name": f"t{page}", "inputSchema": OBJECT}], "nextCursor": str(page + 1)}
        return listed if method == "tools/list" else ordinary(method, params)

    server.answer = paged
    offered = await tools.tools(agent_of(server.url, "t0", "t1", "t7", "t500"))
    assert [tool.name for tool in offered] == ["s_t0", "s_t1", "s_t7"]
    assert [method for method, _ in server.asked].count("tools/list") == 20


async def test_a_session_that_is_forgotten_is_begun_anew(server: Server, tools: McpTools) -> None:
    agent = agent_of(server.url)
    (book,) = await tools.tools(agent)
    server.sessions.clear()
    server.session = "two"
    result = await tools.call(agent, book, asked("s_book"))
    assert result.content == "done\n(image left out)"
    methods = [method for method, _ in server.asked]
    assert methods[-4:] == ["tools/call", "initialize", "notifications/initialized", "tools/call"]
    last = server.asked[-1][1]
    assert (last["mcp-session-id"], last["mcp-protocol-version"]) == ("two", "2025-06-18")


async def test_calls_are_signed_and_lists_are_not_of_anybody(server: Server, tools: McpTools) -> None:
    agent = agent_of(server.url, secret="crm")
    (book,) = await tools.tools(agent)
    await tools.call(agent, book, asked("s_book"))
    listing = next(headers for method, headers in server.asked if method == "tools/list")
    calling = server.asked[-1][1]
    assert "voice-agent-context" not in listing
    assert calling["webhook-id"] == calling["idempotency-key"] == "call-1:5:0"
    assert await tools.tools(agent_of(server.url, secret="another")) == []


async def test_a_server_is_asked_for_its_tools_once_in_a_while(server: Server) -> None:
    clock, web_ = Later(), SafeWeb(loopback=True)
    tools = McpTools(web_, {}, clock)
    for _ in range(3):
        await tools.tools(agent_of(server.url))
    assert [method for method, _ in server.asked].count("tools/list") == 1
    clock.ahead_ms = 301_000
    await tools.tools(agent_of(server.url))
    assert [method for method, _ in server.asked].count("tools/list") == 2
    await web_.aclose()


async def test_a_server_that_is_away_has_no_tools_and_is_not_asked_at_once_again(tools: McpTools) -> None:
    agent = agent_of(f"http://127.0.0.1:{free_port()}/mcp")
    assert await tools.tools(agent) == []
    assert await tools.tools(agent) == []


@pytest.mark.parametrize(
    "given",
    [
        {"name": "book", "inputSchema": {"type": "object", "properties": {"a": {"$ref": "https://127.0.0.1/x"}}}},
        {"name": "book", "inputSchema": {"type": "object", "properties": {"a": {"type": "nonsense"}}}},
        {"name": "book", "inputSchema": {"type": "string"}},
        {"name": "book", "inputSchema": "x"},
        {"name": ["book"]},
        {"name": "hang_up", "inputSchema": OBJECT},
        "book",
    ],
)
async def test_a_tool_that_is_none_is_left_out(server: Server, tools: McpTools, given: Any) -> None:
    good = {"name": "fine", "inputSchema": OBJECT}
    server.answer = lambda method, params: (
        {"tools": [given, good]} if method == "tools/list" else ordinary(method, params)
    )
    offered = await tools.tools(agent_of(server.url, "book", "fine"))
    assert [tool.name for tool in offered] == ["s_fine"]


@pytest.mark.parametrize(
    ("response", "is_unknown"),
    [
        (lambda: web.Response(status=500), True),
        (lambda: web.Response(body=b"[" * 300_000, content_type="application/json"), True),
        (lambda: web.Response(body=b"x" * 600_000, content_type="text/event-stream"), True),
        (lambda: web.Response(body=b"data: {}\n\ndata: nothing\n\n", content_type="text/event-stream"), True),
        (lambda: web.json_response({"jsonrpc": "2.0", "id": 999, "result": {}}), True),
        (lambda: web.Response(status=400), False),
        (lambda: web.Response(status=302, headers={"Location": "http://169.254.169.254/"}), False),
        (lambda: web.Response(status=429), False),
    ],
)
async def test_an_answer_that_is_none_is_told_by_what_may_have_happened(
    server: Server, tools: McpTools, response: Callable[[], web.Response], *, is_unknown: bool
) -> None:
    agent = agent_of(server.url)
    (book,) = await tools.tools(agent)
    server.answer = lambda method, params: response() if method == "tools/call" else ordinary(method, params)
    with pytest.raises(ToolError) as told:
        await tools.call(agent, book, asked("s_book"))
    assert isinstance(told.value, OutcomeUnknown) == is_unknown


async def test_an_answer_within_a_stream_is_found_among_what_else_is_told(server: Server, tools: McpTools) -> None:
    agent = agent_of(server.url)
    (book,) = await tools.tools(agent)

    def streamed(method: str, params: dict[str, Any]) -> Any:
        if method != "tools/call":
            return ordinary(method, params)
        notice = json.dumps({"jsonrpc": "2.0", "method": "notifications/progress", "params": {}})
        asks = json.dumps({"jsonrpc": "2.0", "id": 4, "method": "sampling/createMessage", "params": {}})
        number = len([1 for each, _ in server.asked if not each.startswith("notifications")])
        answer = {"jsonrpc": "2.0", "id": number, "result": {"structuredContent": {"a": 1}}}
        told = f": hello\r\nevent: message\r\ndata: {notice}\r\n\r\ndata: {asks}\n\n"
        body = f"{told}id: 7\ndata: {json.dumps(answer)}\n\n"
        return web.Response(text=body, content_type="text/event-stream")

    server.answer = streamed
    assert (await tools.call(agent, book, asked("s_book"))).content == {"a": 1}


async def test_tenants_never_share_a_session(server: Server, tools: McpTools) -> None:
    await tools.tools(agent_of(server.url))
    declared = McpServer(name="s", url=server.url, allow=("book",))
    await tools.tools(an_agent(tenant_id="globex", tools=Tools(mcp=(declared,))))
    assert [method for method, _ in server.asked].count("initialize") == 2


@pytest.mark.parametrize("name", ["a\tb", "x" * 300])
async def test_a_session_with_an_improper_name_is_none(server: Server, tools: McpTools, name: str) -> None:
    server.session = name
    assert await tools.tools(agent_of(server.url)) == []


async def test_a_version_that_nobody_knows_is_none(server: Server, tools: McpTools) -> None:
    server.answer = lambda method, params: ordinary(method, params) | {"protocolVersion": "1999-01-01"}
    assert await tools.tools(agent_of(server.url)) == []
