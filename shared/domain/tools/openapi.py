"""Operations of an OpenAPI 3.0 or 3.1 document as tools: one flat schema for the model, one place for each argument.

Source: https://spec.openapis.org/oas/v3.0.3, https://spec.openapis.org/oas/v3.1.0
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from shared.domain.agents.tools import Effect, OpenApiTool
from shared.domain.errors import InvalidRequest
from shared.domain.tools.requests import In, Operation, Place, is_header_for_models
from shared.domain.tools.schemas import Schema, flat, resolved

_METHODS = ("get", "put", "post", "delete", "patch")
_JSON, _FORM = "application/json", "application/x-www-form-urlencoded"
_LONGEST_DESCRIPTION = 1_000
_WHOLE_BODY = "body"
_OTHER = re.compile(r"[^A-Za-z0-9_.-]")
"""What some models do not take in the name of an argument."""
_LONGEST_NAME = 48
_VARIABLE = re.compile(r"\{([^{}]+)\}")


@dataclass(frozen=True, slots=True)
class OpenApiOperation:
    """`name`: as the tool's document names it, the `operationId` or `GET /path`."""

    name: str
    description: str
    parameters: Schema
    effect: Effect
    idempotent: bool
    operation: Operation


def operations_of(tool: OpenApiTool) -> list[OpenApiOperation]:
    """Those that the tool names, in its order. Raises: InvalidRequest that says what cannot be read."""
    document = tool.document
    if not str(document.get("openapi", "")).startswith(("3.0", "3.1")):
        raise InvalidRequest("openapi", "the document is one of OpenAPI 3.0 or 3.1")
    found = {name: parts for parts in _all(document) for name in parts.names}
    if missing := [name for name in tool.operations if name not in found]:
        raise InvalidRequest("openapi", f"the document has no operation {', '.join(missing)[:200]}")
    return [_read(tool, name, found[name]) for name in tool.operations]


@dataclass(frozen=True, slots=True)
class _Parts:
    method: str
    path: str
    item: Mapping[str, Any]
    operation: Mapping[str, Any]

    @property
    def names(self) -> list[str]:
        """An operation without an id of its own goes by its method and path; it does so besides in any case."""
        given = self.operation.get("operationId")
        by_path = f"{self.method.upper()} {self.path}"
        return [by_path, given] if isinstance(given, str) and given else [by_path]


def _all(document: Mapping[str, Any]) -> Iterator[_Parts]:
    paths = document.get("paths")
    for path, entry in paths.items() if isinstance(paths, Mapping) else ():
        item = resolved(document, entry)
        if not isinstance(item, Mapping) or not str(path).startswith("/"):
            continue
        for method in _METHODS:
            if isinstance(operation := item.get(method), Mapping):
                yield _Parts(method, str(path), item, operation)


def _read(tool: OpenApiTool, name: str, parts: _Parts) -> OpenApiOperation:
    arguments = _Arguments(tool.document)
    try:
        for parameter in _parameters(tool.document, parts):
            arguments.add_parameter(parameter)
        arguments.add_body(parts.operation.get("requestBody"))
        url = _server(tool.document, parts) + parts.path
        operation = Operation(parts.method.upper(), url, arguments.places, arguments.is_form)
        if missing := set(_VARIABLE.findall(url)) - {place.name for place in arguments.in_path}:
            raise InvalidRequest("openapi", f"its path needs {', '.join(sorted(missing))}")
    except InvalidRequest as error:
        raise InvalidRequest("openapi", f"{name}: {error.message}") from None
    said = parts.operation.get("description") or parts.operation.get("summary") or name
    is_get = parts.method == "get"
    return OpenApiOperation(
        name=name,
        description=str(said)[:_LONGEST_DESCRIPTION],
        parameters=arguments.schema,
        effect=tool.effects.get(name, Effect.READS if is_get else Effect.CHANGES),
        idempotent=parts.method in ("get", "put", "delete"),  # Source: RFC 9110, 9.2.2
        operation=operation,
    )


def _parameters(document: Mapping[str, Any], parts: _Parts) -> list[Mapping[str, Any]]:
    """An operation's own take the place of its path's."""
    by_place: dict[tuple[str, str], Mapping[str, Any]] = {}
    for holder in (parts.item, parts.operation):
        listed = holder.get("parameters")
        for entry in listed if isinstance(listed, list) else ():
            parameter = resolved(document, entry)
            if not isinstance(parameter, Mapping) or not isinstance(parameter.get("name"), str):
                raise InvalidRequest("openapi", "a parameter has no name")
            by_place[str(parameter.get("in")), parameter["name"]] = parameter
    return list(by_place.values())


def _server(document: Mapping[str, Any], parts: _Parts) -> str:
    """The first one, with its variables as they are by default. It is given in the document and nowhere else."""
    listed = parts.operation.get("servers") or parts.item.get("servers") or document.get("servers")
    server = listed[0] if isinstance(listed, list) and listed else None
    if not isinstance(server, Mapping) or not isinstance(server.get("url"), str):
        raise InvalidRequest("openapi", "no server is named")
    variables = server.get("variables")

    def default_of(found: re.Match[str]) -> str:
        variable = variables.get(found[1]) if isinstance(variables, Mapping) else None
        default = variable.get("default") if isinstance(variable, Mapping) else None
        if not isinstance(default, str):
            raise InvalidRequest("openapi", f"the server's {found[1]} has no default")
        return default

    url = _VARIABLE.sub(default_of, server["url"]).rstrip("/")
    parted = urlsplit(url)
    if parted.scheme not in ("https", "http") or not parted.hostname or parted.query or parted.fragment:
        raise InvalidRequest("openapi", "the server's url is absolute, without query")
    return url


class _Arguments:
    """The arguments of one operation. Where names meet, the later one is told apart by its place."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self.places: dict[str, Place] = {}
        self.schema: Schema = {"type": "object", "properties": {}, "additionalProperties": False}
        self.is_form = False

    @property
    def in_path(self) -> list[Place]:
        return [place for place in self.places.values() if place.where is In.PATH]

    def add_parameter(self, parameter: Mapping[str, Any]) -> None:
        name, where = parameter["name"], str(parameter.get("in"))
        is_required = parameter.get("required") is True or where == "path"
        if where not in ("path", "query", "header") or (where == "header" and not is_header_for_models(name)):
            if is_required and where != "header":
                raise InvalidRequest("openapi", f"{name} is needed in {where}, which cannot be given")
            return
        schema = flat(self._schema_of(parameter), self._document)
        if isinstance(said := parameter.get("description"), str):
            schema.setdefault("description", said[:_LONGEST_DESCRIPTION])
        self._add(name, Place(In(where), name), schema, is_required=is_required)

    def add_body(self, given: Any) -> None:
        body = resolved(self._document, given)
        content = body.get("content") if isinstance(body, Mapping) else None
        if not isinstance(content, Mapping) or not content:
            return
        is_required = body.get("required") is True
        kind = next((kind for kind in content if _is_json(kind)), _FORM if _FORM in content else None)
        if kind is None:
            if is_required:
                raise InvalidRequest("openapi", "its body is neither JSON nor a form")
            return
        self.is_form = kind == _FORM
        media = content[kind]
        schema = flat(media.get("schema", {}) if isinstance(media, Mapping) else {}, self._document)
        properties = schema.get("properties")
        if isinstance(properties, dict) and properties and not schema.keys() & {"allOf", "anyOf", "oneOf"}:
            needed = schema.get("required", [])
            for name, each in properties.items():
                self._add(name, Place(In.BODY, name), each, is_required=is_required and name in needed)
        elif self.is_form:
            raise InvalidRequest("openapi", "its form names no fields")
        else:
            self._add(_WHOLE_BODY, Place(In.WHOLE_BODY, _WHOLE_BODY), schema, is_required=is_required)

    def _schema_of(self, parameter: Mapping[str, Any]) -> Any:
        if "schema" in parameter:
            return parameter["schema"]
        content = parameter.get("content")
        media = next(iter(content.values()), None) if isinstance(content, Mapping) else None
        return media.get("schema", {}) if isinstance(media, Mapping) else {}

    def _add(self, name: str, place: Place, schema: Schema, *, is_required: bool) -> None:
        argument = plain = _OTHER.sub("_", name)[:_LONGEST_NAME]
        if argument in self.places:
            argument = f"{plain}_in_{place.where.replace(' ', '_')}"
        if argument in self.places:
            argument = f"{plain}_{len(self.places)}"
        self.places[argument] = place
        self.schema["properties"][argument] = schema
        if is_required:
            self.schema.setdefault("required", []).append(argument)


def _is_json(kind: str) -> bool:
    bare = kind.partition(";")[0].strip().lower()
    return bare == _JSON or bare.endswith("+json")
