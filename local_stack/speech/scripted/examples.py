"""The smallest value that a JSON schema admits, for requests that want structured output."""

from __future__ import annotations

from typing import Any

_PLAIN: dict[str, Any] = {"string": "scripted", "integer": 0, "number": 0, "boolean": False, "null": None}


def example_of(schema: dict[str, Any], definitions: dict[str, Any] | None = None) -> Any:
    """A value with all properties that the schema names; first choices wherever it offers several."""
    known = definitions if definitions is not None else schema.get("$defs", {})
    if "$ref" in schema:
        return example_of(known[str(schema["$ref"]).rsplit("/", 1)[-1]], known)
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            return example_of(schema[choice][0], known)
    if "const" in schema or "enum" in schema:
        return schema["const"] if "const" in schema else schema["enum"][0]
    return _example_of_kind(schema, known)


def _example_of_kind(schema: dict[str, Any], known: dict[str, Any]) -> Any:
    kind = schema.get("type", "object")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        return {name: example_of(item, known) for name, item in schema.get("properties", {}).items()}
    if kind == "array":
        return [example_of(schema["items"], known)] * schema.get("minItems", 0) if "items" in schema else []
    if kind in ("integer", "number"):
        return schema.get("minimum", 0)
    return _PLAIN.get(kind)
