"""Tools that could not be offered are found before the document is published."""

from __future__ import annotations

from typing import Any

import pytest

from shared.domain.agents.consistency import faults_of
from shared.domain.agents.document import AgentDocument
from shared.domain.agents.tools import BuiltIn, BuiltInTool, Effect, HttpTool, McpServer, OpenApiTool, Tools

URL = "https://a.example/x"
OBJECT = {"type": "object", "properties": {"id": {"type": "string"}}}
OPENAPI = {
    "openapi": "3.1.0",
    "servers": [{"url": "https://a.example"}],
    "paths": {"/x": {"get": {"operationId": "x"}}},
}


def http(**more: Any) -> HttpTool:
    return HttpTool(**{"name": "t", "description": "d", "url": URL, "parameters": OBJECT} | more)


def test_what_can_be_offered_has_no_fault() -> None:
    tools = Tools(
        http=(http(url="https://a.example/{id}"),),
        openapi=(OpenApiTool(name="api", document=OPENAPI, operations=("x",)),),
        mcp=(McpServer(name="mcp", url=URL, allow=("x",), effects={"x": Effect.READS}),),
        built_in=(BuiltInTool(name=BuiltIn.TRANSFER, destinations={"sales": "+15550100001"}),),
    )
    assert faults_of(AgentDocument(name="a", persona="p", greeting="g", tools=tools)) == []


@pytest.mark.parametrize(
    ("tools", "where"),
    [
        (Tools(http=(http(url="https://{id}.example/"),)), "tools.http[0]"),
        (Tools(http=(http(name="hang_up"),)), "tools.http[0]"),
        (Tools(http=(http(url="https://a.example/{other}"),)), "tools.http[0]"),
        (
            Tools(http=(http(parameters={"type": "object", "properties": {"id": {"type": "nonsense"}}}),)),
            "tools.http[0]",
        ),
        (
            Tools(http=(http(parameters={"type": "object", "properties": {"a": {"$ref": "https://x/y"}}}),)),
            "tools.http[0]",
        ),
        (Tools(openapi=(OpenApiTool(name="api", document=OPENAPI, operations=("y",)),)), "tools.openapi[0]"),
        (Tools(openapi=(OpenApiTool(name="api", document={}, operations=("x",)),)), "tools.openapi[0]"),
        (
            Tools(
                openapi=(OpenApiTool(name="api", document=OPENAPI, operations=("x",), effects={"y": Effect.READS}),)
            ),
            "tools.openapi[0]",
        ),
        (
            Tools(mcp=(McpServer(name="m", url=URL, allow=("x",), effects={"y": Effect.READS}),)),
            "tools.mcp[0].effects",
        ),
        (
            Tools(built_in=(BuiltInTool(name=BuiltIn.TRANSFER, destinations={"sales": "110"}),)),
            "tools.built_in[0].destinations.sales",
        ),
        (
            Tools(http=(http(name="m_x"),), mcp=(McpServer(name="m", url=URL, allow=("x",)),)),
            "tools.mcp[0]",
        ),
    ],
)
def test_what_cannot_is_named(tools: Tools, where: str) -> None:
    document = AgentDocument(name="a", persona="p", greeting="g", tools=tools)
    assert [fault.field for fault in faults_of(document)] == [where]
