"""JSON Schemas from documents and servers, made plain: no references, no end to their size, no traps for who checks.

What is left can be shown to a model as it stands, and is checked in a time that its own size bounds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.domain.errors import InvalidRequest

_MOST_NODES = 4_000
_DEEPEST = 24
_LONGEST_TEXT = 1_000
_KEPT = frozenset(
    {"type", "description", "title", "default", "enum", "const", "format", "pattern", "required"}
    | {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}
    | {"minLength", "maxLength", "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties"}
)
_ONE_SCHEMA = frozenset({"items", "additionalProperties", "not"})
_SCHEMAS = frozenset({"allOf", "anyOf", "oneOf"})
Schema = dict[str, Any]


def flat(schema: Any, root: Mapping[str, Any] | None = None) -> Schema:
    """The schema with what its references within `root` (else itself) point to in their place.

    Where a reference comes back to itself anything goes. What OpenAPI 3.0 says otherwise than JSON Schema 2020-12
    (nullable, exclusive bounds as flags) is said as there. Raises: InvalidRequest for one that is not a schema, is
    too large, or refers elsewhere.
    """
    return _Flattening(root if root is not None else schema).of(schema, ())


def resolved(root: Mapping[str, Any], value: Any) -> Any:
    """What stands where a reference of an OpenAPI document points; anything else as it is. Raises: InvalidRequest."""
    for _ in range(_DEEPEST):
        if not isinstance(value, Mapping) or not isinstance(value.get("$ref"), str):
            return value
        value = _pointed(root, value["$ref"])
    raise InvalidRequest("schema", "references lead in a circle")


def _pointed(root: Any, reference: str) -> Any:
    """Source: RFC 6901, 6"""
    if not reference.startswith("#"):
        raise InvalidRequest("schema", "references lead within the document only")
    place = root
    for part in reference[1:].split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(place, Mapping) and name in place:
            place = place[name]
        else:
            raise InvalidRequest("schema", f"nothing stands at {reference[:100]}")
    return place


class _Flattening:
    def __init__(self, root: Any) -> None:
        self._root = root
        self._nodes = 0

    def of(self, schema: Any, within: tuple[str, ...], depth: int = 0) -> Schema:
        self._add(1)
        if depth > _DEEPEST:
            raise InvalidRequest("schema", f"a schema is at most {_DEEPEST} deep")
        if schema is True:
            return {}
        if schema is False:
            return {"not": {}}
        if not isinstance(schema, Mapping):
            raise InvalidRequest("schema", "a schema is an object")
        reference = schema.get("$ref")
        if isinstance(reference, str):
            return self._referred(reference, schema, within, depth)
        plain = {name: _bounded(value) for name, value in schema.items() if name in _KEPT}
        self._count(plain)
        for name, value in schema.items():
            if name in _ONE_SCHEMA and not isinstance(value, bool):
                plain[name] = self.of(value, within, depth + 1)
            elif name in _ONE_SCHEMA:
                plain[name] = value if name == "additionalProperties" else self.of(value, within, depth + 1)
            elif name in _SCHEMAS and isinstance(value, list) and value:
                plain[name] = [self.of(each, within, depth + 1) for each in value]
            elif name == "properties" and isinstance(value, Mapping):
                plain[name] = {str(key): self.of(each, within, depth + 1) for key, each in value.items()}
        return _in_2020(plain, is_nullable=schema.get("nullable") is True)

    def _referred(self, reference: str, schema: Mapping[str, Any], within: tuple[str, ...], depth: int) -> Schema:
        if reference in within:
            return {}
        there = self.of(_pointed(self._root, reference), (*within, reference), depth + 1)
        if isinstance(said := schema.get("description"), str):
            there["description"] = said[:_LONGEST_TEXT]
        return there

    def _count(self, plain: Schema) -> None:
        """Lists of values count as well, for they are checked one by one."""
        for name in ("enum", "required"):
            value = plain.get(name)
            if value is None:
                continue
            if not isinstance(value, list):
                raise InvalidRequest("schema", f"{name} is a list")
            self._add(len(value))

    def _add(self, nodes: int) -> None:
        self._nodes += nodes
        if self._nodes > _MOST_NODES:
            raise InvalidRequest("schema", f"a schema has at most {_MOST_NODES} parts")


def _bounded(value: Any) -> Any:
    return value[:_LONGEST_TEXT] if isinstance(value, str) else value


def _in_2020(schema: Schema, *, is_nullable: bool) -> Schema:
    """Source: https://spec.openapis.org/oas/v3.0.3#properties, https://json-schema.org/draft/2020-12"""
    for flag, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(is_exclusive := schema.get(flag), bool):
            del schema[flag]
            if is_exclusive and bound in schema:
                schema[flag] = schema.pop(bound)
    if is_nullable:
        if isinstance(kind := schema.get("type"), str):
            schema["type"] = [kind, "null"]
        if isinstance(choices := schema.get("enum"), list) and None not in choices:
            schema["enum"] = [*choices, None]
    return schema
