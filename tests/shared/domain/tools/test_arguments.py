"""Arguments of wrong kinds are told in words that a model can act upon; checking never takes long."""

from __future__ import annotations

import time
from typing import Any

import pytest

from shared.domain.errors import InvalidRequest
from shared.domain.tools.arguments import check_schema, faults_of_arguments

SCHEMA = {
    "type": "object",
    "properties": {
        "day": {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$"},
        "people": {"type": "integer", "minimum": 1, "maximum": 8},
        "room": {"enum": ["inside", "outside"]},
        "who": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]},
    },
    "required": ["day", "people"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"day": "2026-05-04", "people": 2}, []),
        ({"day": "2026-05-04"}, ["the arguments: needs people"]),
        ({"day": "2026-05-04", "people": "2"}, ["people: must be integer, not string"]),
        ({"day": "2026-05-04", "people": True}, ["people: must be integer, not boolean"]),
        ({"day": "2026-05-04", "people": 99}, ["people: maximum is 8"]),
        ({"day": "tomorrow", "people": 2}, [r"day: must look like ^\d{4}-\d{2}-\d{2}$"]),
        ({"day": "2026-05-04", "people": 2, "room": "roof"}, ['room: must be one of "inside", "outside"']),
        ({"day": "2026-05-04", "people": 2, "who": {}}, ["who: needs name"]),
        ({"day": "2026-05-04", "people": 2, "x": 1}, ["the arguments: has only day, people, room, who"]),
        ([], ["the arguments: must be object, not array"]),
    ],
)
def test_what_is_wrong_is_said(arguments: Any, told: list[str]) -> None:
    assert faults_of_arguments(SCHEMA, arguments) == told


@pytest.mark.parametrize("arguments", [{"day": "x" * 20_000}, {"day": float("nan")}, {"day": object()}])
def test_what_is_too_long_or_no_json_is_not_looked_at(arguments: Any) -> None:
    assert len(faults_of_arguments(SCHEMA, arguments)) == 1


@pytest.mark.parametrize(
    "pattern", [r"^(a+)+$", r"^(a|a)*$", r"(a*)\1b", r"^(?=a*)a*$", r"a*a*a*b", "(", "a{0,99}a{0,99}a{0,99}b"]
)
def test_a_pattern_that_could_hold_up_the_worker_is_left_to_the_tool(pattern: str) -> None:
    schema = {"type": "object", "properties": {"x": {"type": "string", "pattern": pattern}}}
    began = time.monotonic()
    assert faults_of_arguments(schema, {"x": "a" * 5_000 + "!"}) == []
    assert time.monotonic() - began < 1


def test_texts_that_are_matched_are_short() -> None:
    schema = {"type": "object", "properties": {"x": {"type": "string", "pattern": "^a*$"}}}
    assert faults_of_arguments(schema, {"x": "a" * 201}) == ["x: maxLength is 200"]


@pytest.mark.parametrize("schema", [{"type": "nonsense"}, {"required": ["a", 5]}, {"minimum": "1"}])
def test_a_schema_that_is_none_is_found_before_it_is_published(schema: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest):
        check_schema(schema)
    check_schema(SCHEMA)


def test_a_schema_that_cannot_be_checked_is_no_crash() -> None:
    with pytest.raises(InvalidRequest):
        faults_of_arguments({"type": "object", "properties": {"a": {"$ref": "https://127.0.0.1/x"}}}, {"a": 1})
    for schema in ({"$ref": "#"}, {"type": "nonsense"}, {"maxProperties": "x"}):
        with pytest.raises(InvalidRequest):
            faults_of_arguments(schema, {"a": 1})


def test_what_is_said_is_short_whatever_was_given() -> None:
    schema = {"type": "object", "additionalProperties": {"type": "integer"}}
    (told,) = faults_of_arguments(schema, {"k" * 10_000: "x"})
    assert len(told) < 200
