"""What travels through the engine survives a deploy, and is refused where it cannot be understood."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared.domain.errors import InvalidRequest
from shared.domain.steps import SCHEMA_VERSION, CallRequest, Payload, TurnRequest, WrapUpRequest, heard_event

PAYLOADS = [
    CallRequest("t", "c"),
    CallRequest("t", "c", next_turn=21),
    TurnRequest("t", "c", 3),
    TurnRequest("t", "c", 1, greet=True),
    WrapUpRequest("t", "c", 4, "silent"),
]


@pytest.mark.parametrize("payload", PAYLOADS, ids=repr)
def test_a_round_trip_through_json(payload: Payload) -> None:
    document = json.loads(json.dumps(payload.to_json()))
    assert document["schema_version"] == SCHEMA_VERSION
    assert type(payload).from_json(document) == payload


@pytest.mark.parametrize("payload", PAYLOADS, ids=repr)
def test_a_field_of_a_later_release_is_passed_over(payload: Payload) -> None:
    assert type(payload).from_json({**payload.to_json(), "mood": "sunny"}) == payload


@pytest.mark.parametrize("document", [None, [], "x", 1, {}, {"schema_version": 2}, {"schema_version": "1"}])
def test_another_version_is_refused(document: Any) -> None:
    with pytest.raises(InvalidRequest, match="payload_version: TurnRequest"):
        TurnRequest.from_json(document)


def test_a_missing_field_is_refused() -> None:
    with pytest.raises(InvalidRequest, match=r"payload_incomplete: WrapUpRequest.*end_reason"):
        WrapUpRequest.from_json({"schema_version": 1, "tenant_id": "t", "call_id": "c", "last_turn": 1})


def test_fields_with_defaults_may_be_missing() -> None:
    document = {"schema_version": 1, "tenant_id": "t", "call_id": "c", "turn": 2}
    assert TurnRequest.from_json(document) == TurnRequest("t", "c", 2, greet=False)


def test_each_wait_has_a_name_of_its_own() -> None:
    assert len({heard_event(turn) for turn in range(100)}) == 100
