"""Operations of OpenAPI documents become one flat schema each, and their arguments find their places."""

from __future__ import annotations

from typing import Any

import pytest

from shared.domain.agents.tools import Effect, OpenApiTool
from shared.domain.errors import InvalidRequest
from shared.domain.tools.openapi import OpenApiOperation, operations_of
from shared.domain.tools.requests import prepare

DOCUMENT: dict[str, Any] = {
    "openapi": "3.0.3",
    "servers": [{"url": "https://{region}.example.com/v1/", "variables": {"region": {"default": "eu"}}}],
    "paths": {
        "/orders/{id}": {
            "parameters": [
                {"$ref": "#/components/parameters/Id"},
                {"name": "verbose", "in": "query", "schema": {"type": "boolean"}},
            ],
            "get": {"operationId": "getOrder", "summary": "One order"},
            "patch": {
                "operationId": "changeOrder",
                "parameters": [
                    {"name": "verbose", "in": "query", "schema": {"type": "string"}},
                    {"name": "X-Reason", "in": "header", "schema": {"type": "string"}},
                    {"name": "Authorization", "in": "header", "required": True, "schema": {"type": "string"}},
                ],
                "requestBody": {"$ref": "#/components/requestBodies/Change"},
            },
            "delete": {},
        },
        "/search": {
            "post": {
                "operationId": "search",
                "requestBody": {
                    "content": {"application/json": {"schema": {"type": "array", "items": {"type": "string"}}}}
                },
            }
        },
    },
    "components": {
        "parameters": {"Id": {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}},
        "requestBodies": {
            "Change": {
                "required": True,
                "content": {"application/json; charset=utf-8": {"schema": {"$ref": "#/components/schemas/Change"}}},
            }
        },
        "schemas": {
            "Change": {
                "type": "object",
                "required": ["id", "note"],
                "properties": {"id": {"type": "integer"}, "note": {"type": "string", "nullable": True}},
            }
        },
    },
}


def read(*names: str, document: dict[str, Any] = DOCUMENT, **more: Any) -> list[OpenApiOperation]:
    return operations_of(OpenApiTool(name="shop", document=document, operations=names, **more))


def test_a_get_reads_and_its_parameters_are_those_of_path_and_operation() -> None:
    (get,) = read("getOrder")
    assert (get.effect, get.idempotent, get.description) == (Effect.READS, True, "One order")
    assert get.parameters == {
        "type": "object",
        "properties": {"id": {"type": "string"}, "verbose": {"type": "boolean"}},
        "required": ["id"],
        "additionalProperties": False,
    }
    prepared = prepare(get.operation, {"id": "7", "verbose": True})
    assert prepared.url == "https://eu.example.com/v1/orders/7?verbose=true"


def test_a_body_lies_flat_beside_the_parameters_and_names_that_meet_stay_apart() -> None:
    (patch,) = read("changeOrder")
    assert (patch.effect, patch.idempotent) == (Effect.CHANGES, False)
    assert set(patch.parameters["properties"]) == {"id", "verbose", "X-Reason", "id_in_body", "note"}
    assert patch.parameters["properties"]["verbose"] == {"type": "string"}
    assert patch.parameters["required"] == ["id", "id_in_body", "note"]
    arguments = {"id": "7", "id_in_body": 8, "note": None, "X-Reason": "asked"}
    prepared = prepare(patch.operation, arguments)
    assert prepared.url == "https://eu.example.com/v1/orders/7"
    assert prepared.body == b'{"id": 8, "note": null}'
    assert prepared.headers == {"X-Reason": "asked", "content-type": "application/json"}


def test_operations_without_an_id_and_bodies_that_are_no_objects() -> None:
    delete, search = read("DELETE /orders/{id}", "search", effects={"DELETE /orders/{id}": Effect.IRREVERSIBLE})
    assert (delete.effect, delete.idempotent) == (Effect.IRREVERSIBLE, True)
    assert prepare(search.operation, {"body": ["a"]}).body == b'["a"]'


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"openapi": "2.0"}, "3.0 or 3.1"),
        ({"servers": []}, "no server"),
        ({"servers": [{"url": "/relative"}]}, "absolute"),
        ({"servers": [{"url": "https://{host}.example.com"}]}, "no default"),
        ({"paths": {}}, "no operation getOrder"),
        ({"paths": {"/o/{id}": {"get": {"operationId": "getOrder"}}}}, "needs id"),
        ({"components": {}}, "nothing stands"),
        ({"paths": {"/o": {"get": {"operationId": "getOrder", "parameters": [{"$ref": "https://x/y"}]}}}}, "within"),
        (
            {
                "paths": {
                    "/o": {
                        "get": {
                            "operationId": "getOrder",
                            "parameters": [{"name": "c", "in": "cookie", "required": True}],
                        }
                    }
                }
            },
            "cannot be given",
        ),
    ],
)
def test_what_cannot_be_read_is_said(change: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidRequest, match=told):
        read("getOrder", document=DOCUMENT | change)


def test_names_that_models_cannot_say_are_said_otherwise_and_sent_as_they_are() -> None:
    names = ("filter[a]", "filter(a)", "filter a")
    listed = [{"name": name, "in": "query", "schema": {}} for name in names]
    (search,) = read("s", document=DOCUMENT | {"paths": {"/s": {"get": {"operationId": "s", "parameters": listed}}}})
    assert len(search.parameters["properties"]) == 3
    arguments = dict(zip(search.parameters["properties"], "123", strict=True))
    assert all(name.replace("_", "").isalnum() for name in arguments)
    assert prepare(search.operation, arguments).url.endswith("/s?filter%5Ba%5D=1&filter%28a%29=2&filter+a=3")


def test_the_server_cannot_be_chosen_by_an_argument() -> None:
    (get,) = read("getOrder")
    assert "region" not in get.parameters["properties"]
