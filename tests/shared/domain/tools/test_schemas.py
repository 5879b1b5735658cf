"""Schemas from outside become plain: no references, bounded, in one dialect."""

from __future__ import annotations

from typing import Any

import pytest

from shared.domain.errors import InvalidRequest
from shared.domain.tools.schemas import flat, resolved


def test_references_are_put_in_their_place() -> None:
    root = {"$defs": {"a/b": {"type": "string", "maxLength": 3}, "c": {"$ref": "#/$defs/a~1b"}}}
    schema = {"type": "object", "properties": {"x": {"$ref": "#/$defs/c", "description": "an x"}}}
    assert flat(schema, root) == {
        "type": "object",
        "properties": {"x": {"type": "string", "maxLength": 3, "description": "an x"}},
    }


def test_a_circle_ends_where_it_closes() -> None:
    root = {"node": {"type": "object", "properties": {"next": {"$ref": "#/node"}, "name": {"type": "string"}}}}
    flattened = flat({"$ref": "#/node"}, root)
    assert flattened["properties"] == {"next": {}, "name": {"type": "string"}}


def test_references_that_double_do_not_explode() -> None:
    root: dict[str, Any] = {
        f"s{i}": {"allOf": [{"$ref": f"#/s{i + 1}"}, {"$ref": f"#/s{i + 1}"}]} for i in range(30)
    } | {"s30": {}}
    with pytest.raises(InvalidRequest):
        flat({"$ref": "#/s0"}, root)


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "https://example.com/schema.json"},
        {"$ref": "other.json#/a"},
        {"$ref": "#/nothing"},
        {"type": "object", "properties": {"a": 5}},
        "object",
        None,
        {"enum": "abc"},
        {"items": {"items": {"items": "x"}}},
    ],
)
def test_what_is_no_schema_is_refused(schema: Any) -> None:
    with pytest.raises(InvalidRequest):
        flat(schema, {})


def test_depth_and_size_are_bounded() -> None:
    deep: dict[str, Any] = {}
    for _ in range(200):
        deep = {"items": deep}
    with pytest.raises(InvalidRequest):
        flat(deep)
    with pytest.raises(InvalidRequest):
        flat({"enum": list(range(5_000))})


def test_the_dialect_of_openapi_3_0_is_translated() -> None:
    schema = {"type": "integer", "nullable": True, "minimum": 3, "exclusiveMinimum": True, "example": 4, "xml": {}}
    assert flat(schema) == {"type": ["integer", "null"], "exclusiveMinimum": 3}
    assert flat({"type": "string", "enum": ["a"], "nullable": True})["enum"] == ["a", None]


def test_names_of_properties_are_not_taken_for_keywords() -> None:
    schema = {"type": "object", "properties": {"$ref": {"type": "string"}, "example": {"type": "string"}}}
    assert set(flat(schema)["properties"]) == {"$ref", "example"}


def test_resolving_never_runs_in_circles() -> None:
    root = {"a": {"$ref": "#/b"}, "b": {"$ref": "#/a"}}
    with pytest.raises(InvalidRequest):
        resolved(root, root["a"])
