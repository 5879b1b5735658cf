"""The calls API: who may ask, what the parameters may be, and what comes back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import azure.functions as func
import pytest

from functions.api import calls
from shared.domain.call import Call, CallState, EndReason, Provider, Recording, Turn, TurnOutcome
from shared.domain.errors import Conflict, NotFound, StoreError
from shared.domain.knowledge.citations import Citation
from shared.domain.provider_recording import ProviderRecording, RecordingState
from shared.domain.telephony.handed import Handed
from shared.domain.telephony.handed import Line as Said
from shared.domain.telephony.lines import Line
from tests.functions.conftest import Installer, assert_problem, document_of, request, user_function

BEGAN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
CALL = Call(
    call_id="c1",
    tenant_id="tenant-1",
    agent_id="nora",
    provider=Provider.TWILIO,
    provider_call_id="CA1",
    line=Line.TWILIO,
    direction="inbound",
    caller="+14155550100",
    callee="+15550100001",
    state=CallState.COMPLETED,
    started_at=BEGAN,
    ended_at=BEGAN,
    end_reason=EndReason.SILENT,
    recording=Recording("recordings", "a.wav", 1234),
    provider_recordings=(
        ProviderRecording("RE1", "https://api.example.com/RE1", RecordingState.KEPT, 900, "recordings", "p.wav"),
        ProviderRecording("RE2", "https://api.example.com/RE2"),
    ),
    turns=(
        Turn(0, None, "Hello.", TurnOutcome.COMPLETED, {"first_frame_sent_ms": 1.5}),
        Turn(
            1,
            "Hi.",
            "What",
            TurnOutcome.INTERRUPTED,
            {"speech_ended_ms": 10.0, "transcript_ms": 20.0, "turn_ended_ms": 510.0, "first_frame_sent_ms": 530.0},
            {"takes": 2.0},
            (Citation("shop", "d1", "p1", "Handbook", "page 3", 0.9),),
        ),
    ),
)


class FakeLookUp:
    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.handed: Handed | StoreError | None = None
        self.understood: dict[str, Any] | StoreError | None = None

    async def many(self, tenant_id: str, **filters: Any) -> list[Call]:
        self.asked.append((tenant_id, filters))
        return [CALL]

    async def one(self, tenant_id: str, call_id: str) -> Call:
        if (tenant_id, call_id) != ("tenant-1", "c1"):
            raise NotFound("call_unknown", "there is no such call")
        return CALL

    async def handed_of(self, call: Call) -> Handed | None:
        if isinstance(self.handed, StoreError):
            raise self.handed
        return self.handed

    async def show(self, call: Call) -> dict[str, Any] | None:
        if isinstance(self.understood, StoreError):
            raise self.understood
        return self.understood


class FakeEnding:
    def __init__(self) -> None:
        self.ended: list[tuple[str, str]] = []

    async def by_operator(self, tenant_id: str, call_id: str) -> None:
        if self.ended:
            raise Conflict("call_ended", "the call has ended already")
        self.ended.append((tenant_id, call_id))


@pytest.fixture
def look_up(install: Installer) -> FakeLookUp:
    look_up = FakeLookUp()
    install(calls, look_up_calls=look_up, end_call=FakeEnding(), gateway=look_up, understanding=look_up)
    return look_up


async def list_calls(token: str | None = "operator", **params: str) -> func.HttpResponse:
    response: func.HttpResponse = await user_function(calls.list_calls)(request(params=params, token=token))
    return response


async def test_a_list_of_calls(look_up: FakeLookUp) -> None:
    response = await list_calls()
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    assert document_of(response)["calls"] == [
        {
            "call_id": "c1",
            "provider": "twilio",
            "provider_call_id": "CA1",
            "line": "twilio",
            "language": None,
            "direction": "inbound",
            "from": "+14155550100",
            "to": "+15550100001",
            "agent_id": "nora",
            "agent_version": 0,
            "state": "completed",
            "end_reason": "silent",
            "started_at": "2026-01-02T03:04:05+00:00",
            "ended_at": "2026-01-02T03:04:05+00:00",
            "answered_by": None,
            "duration_s": None,
            "price": None,
            "recording": {"container": "recordings", "blob": "a.wav", "duration_ms": 1234},
            "provider_recordings": [
                {"state": "kept", "address": None, "container": "recordings", "blob": "p.wav", "duration_ms": 900},
                {"state": "announced", "address": None, "container": None, "blob": None, "duration_ms": None},
            ],
        }
    ]
    assert look_up.asked == [("tenant-1", {"provider_call_id": None, "state": None, "before": None, "limit": 50})]


async def test_filters_are_handed_on(look_up: FakeLookUp) -> None:
    await list_calls(provider_call_id="CA1", state="in_progress", before="2026-01-02T03:04:05Z", limit="7")
    assert look_up.asked[0][1] == {
        "provider_call_id": "CA1",
        "state": CallState.IN_PROGRESS,
        "before": BEGAN,
        "limit": 7,
    }


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "201"}, "limit"),
        ({"limit": "-1"}, "limit"),
        ({"limit": "ten"}, "limit"),
        ({"limit": ""}, "limit"),
        ({"limit": "²"}, "limit"),
        ({"limit": "9" * 5000}, "limit"),
        ({"limit": "1.0"}, "limit"),
        ({"state": "asleep"}, "state"),
        ({"state": "COMPLETED"}, "state"),
        ({"before": "yesterday"}, "before"),
        ({"before": "2026-01-02T03:04:05"}, "before"),
        ({"before": "2026-13-01T00:00:00Z"}, "before"),
        ({"before": "2026-01-02T03:04:05 00:00"}, "before"),
    ],
)
async def test_bad_parameters(look_up: FakeLookUp, params: dict[str, str], code: str) -> None:
    assert_problem(await list_calls(**params), 400, code)
    assert look_up.asked == []


async def test_one_call_with_its_turns(look_up: FakeLookUp) -> None:
    response = await user_function(calls.get_call)(request(route={"call_id": "c1"}, token="admin"))
    assert document_of(response)["turns"] == [
        {
            "number": 0,
            "heard": None,
            "said": "Hello.",
            "outcome": "completed",
            "moments": {"first_frame_sent_ms": 1.5},
            "costs": {},
            "latency": None,
            "citations": [],
        },
        {
            "number": 1,
            "heard": "Hi.",
            "said": "What",
            "outcome": "interrupted",
            "moments": {
                "speech_ended_ms": 10.0,
                "transcript_ms": 20.0,
                "turn_ended_ms": 510.0,
                "first_frame_sent_ms": 530.0,
            },
            "costs": {"takes": 2.0},
            "latency": {
                "total_ms": 520.0,
                "parts_ms": {"decision": 500.0, "transcript": 0.0, "first_frame_sent": 20.0},
                "prepared_ms": {"transcript": 490.0},
                "speculation": False,
            },
            "citations": [
                {
                    "collection": "shop",
                    "document_id": "d1",
                    "passage_id": "p1",
                    "title": "Handbook",
                    "place": "page 3",
                    "score": 0.9,
                }
            ],
        },
    ]


async def test_who_put_a_call_through(look_up: FakeLookUp) -> None:
    one = user_function(calls.get_call)
    asked = request(route={"call_id": "c1"}, token="operator")
    assert document_of(await one(asked))["handed_by"] is None
    said = (Said("caller", "My line is dead."),)
    look_up.handed = Handed("contact-1", "+14155550100", {"account": "42"}, "a fault", said)
    assert document_of(await one(asked))["handed_by"] == {
        "provider": "connect",
        "contact_id": "contact-1",
        "caller": "+14155550100",
        "attributes": {"account": "42"},
        "reason": "a fault",
        "said": [{"who": "caller", "words": "My line is dead."}],
    }
    look_up.handed = StoreError("blob_unavailable", "x", retryable=True)
    assert document_of(await one(asked))["handed_by"] is None


async def test_what_was_understood(look_up: FakeLookUp) -> None:
    one = user_function(calls.get_call)
    asked = request(route={"call_id": "c1"}, token="operator")
    assert document_of(await one(asked))["understood"] is None
    look_up.understood = {"intent": "book"}
    assert document_of(await one(asked))["understood"] == {"intent": "book"}
    look_up.understood = StoreError("redis_unavailable", "x", retryable=True)
    assert document_of(await one(asked))["understood"] is None


async def test_a_call_that_is_not_there(look_up: FakeLookUp) -> None:
    response = await user_function(calls.get_call)(request(route={"call_id": "c2"}, token="operator"))
    assert_problem(response, 404, "call_unknown")


async def test_hanging_up(look_up: FakeLookUp) -> None:
    hang_up = user_function(calls.hang_up_call)
    response = await hang_up(request("POST", route={"call_id": "c1"}, token="operator"))
    assert (response.status_code, response.get_body()) == (202, b"")
    assert_problem(await hang_up(request("POST", route={"call_id": "c1"}, token="operator")), 409, "call_ended")


@pytest.mark.parametrize("name", ["list_calls", "get_call", "hang_up_call"])
@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 401, "token_missing"),
        ({"authorization": "Basic b3A6c2VjcmV0"}, 401, "token_missing"),
        ({"authorization": "Bearer"}, 401, "token_missing"),
        ({"authorization": "Bearer forged"}, 401, "token_malformed"),
        ({"authorization": "Bearer caller"}, 403, "role_missing"),
        ({"authorization": "Bearer nobody"}, 403, "role_missing"),
    ],
)
async def test_who_may_not(look_up: FakeLookUp, name: str, headers: dict[str, str], status: int, code: str) -> None:
    function = user_function(getattr(calls, name))
    assert_problem(await function(request(headers=headers, route={"call_id": "c1"})), status, code)
    assert look_up.asked == []


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_the_scheme_in_any_case(look_up: FakeLookUp, scheme: str) -> None:
    response = await user_function(calls.list_calls)(request(headers={"authorization": f"{scheme}  operator "}))
    assert response.status_code == 200
