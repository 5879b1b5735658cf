"""Whether the tools of a document can be offered as they are declared, said before it is published."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from shared.domain.agents.faults import Fault
from shared.domain.agents.tools import BuiltIn, BuiltInTool, HttpTool, McpServer, OpenApiTool, Tools
from shared.domain.errors import InvalidRequest
from shared.domain.telephony.commands import is_e164
from shared.domain.tools.arguments import check_schema
from shared.domain.tools.naming import tool_name
from shared.domain.tools.openapi import operations_of
from shared.domain.tools.requests import operation_of
from shared.domain.tools.schemas import flat


def faults_of_tools(tools: Tools) -> Iterator[Fault]:
    for i, http in enumerate(tools.http):
        yield from _said(f"tools.http[{i}]", partial(_check_http, http))
    for i, openapi in enumerate(tools.openapi):
        yield from _said(f"tools.openapi[{i}]", partial(_check_openapi, openapi))
    for i, server in enumerate(tools.mcp):
        yield from _unknown(f"tools.mcp[{i}].effects", server.effects, server.allow)
    for i, built_in in enumerate(tools.built_in):
        yield from _not_dialled(f"tools.built_in[{i}]", built_in)
    yield from _twice(tools)


def _said(where: str, check: Callable[[], None]) -> Iterator[Fault]:
    try:
        check()
    except InvalidRequest as error:
        yield Fault(where, error.message)


def _check_http(tool: HttpTool) -> None:
    if tool.name in list(BuiltIn):
        raise InvalidRequest("name", f"{tool.name} is a tool of the house's own")
    parameters = flat(tool.parameters)
    check_schema(parameters)
    operation_of(tool.method, tool.url, parameters.get("properties", {}))


def _check_openapi(tool: OpenApiTool) -> None:
    for operation in operations_of(tool):
        check_schema(operation.parameters)
    if unknown := sorted(set(tool.effects) - set(tool.operations)):
        raise InvalidRequest("effects", f"effects are said of {', '.join(unknown)}, which is not offered")


def _unknown(where: str, named: Iterable[str], known: Iterable[str]) -> Iterator[Fault]:
    if unknown := sorted(set(named) - set(known)):
        yield Fault(where, f"are said of {', '.join(unknown)}, which is not allowed")


def _not_dialled(where: str, tool: BuiltInTool) -> Iterator[Fault]:
    for name, number in tool.destinations.items():
        if not is_e164(number):
            yield Fault(f"{where}.destinations.{name}", "is a number in E.164, with +")


def _twice(tools: Tools) -> Iterator[Fault]:
    """Names that meet only once the operations and servers are spelled out."""
    seen = {tool.name for group in (tools.http, tools.built_in) for tool in group}
    for where, name in [
        *((f"tools.openapi[{i}]", name) for i, each in enumerate(tools.openapi) for name in _names(each)),
        *((f"tools.mcp[{i}]", name) for i, each in enumerate(tools.mcp) for name in _names(each)),
    ]:
        if name in seen:
            yield Fault(where, f"there is more than one {name}")
        seen.add(name)


def _names(group: OpenApiTool | McpServer) -> list[str]:
    return [
        tool_name(group.name, name) for name in (group.operations if isinstance(group, OpenApiTool) else group.allow)
    ]
