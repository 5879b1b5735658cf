"""Outbound calls over HTTP: who may place them, what they may say, and what the tenant may dial."""

from __future__ import annotations

import json
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import azure.functions as func
import pytest

from functions.api import outbound
from functions.durable_calls import DurableCalls
from shared.domain.errors import Conflict, Forbidden, VoiceAgentError
from shared.domain.telephony.commands import Voicemail
from shared.domain.telephony.lines import Capability, Line, Unsupported
from shared.domain.telephony.outbound import OutboundPolicy
from shared.use_cases.calls.place_call import Wish
from tests.fakes.outbound import FakeOutboundCalls
from tests.fakes.stores import FakeCallStore
from tests.functions.conftest import Installer, assert_problem, document_of, request, user_function

WISH = {"to": "+14155550100", "agent_id": "nora", "caller_id": "+15550100001"}
POLICY = {
    "prefixes": ["+1415"],
    "time_zone": "Europe/Berlin",
    "weekdays": [1, 2, 3, 4, 5],
    "from_minute": 540,
    "until_minute": 1080,
    "most_at_once": 5,
    "longest_s": 600,
    "daily_spend": "12.50",
    "minute_prices": {"+": "0.5", "+1": "0.0085"},
}


class FakePlacing:
    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.error: VoiceAgentError | None = None

    async def __call__(self, tenant_id: str, wish: Wish, orchestrations: Any, *, idempotency_key: str) -> str:
        if self.error:
            raise self.error
        assert isinstance(orchestrations, DurableCalls)
        self.asked.append((tenant_id, wish, idempotency_key))
        return "call-1"


@pytest.fixture
def placing(install: Installer) -> FakePlacing:
    placing = FakePlacing()
    install(outbound, calling=SimpleNamespace(place_call=placing))
    return placing


@pytest.fixture
def store(install: Installer) -> FakeOutboundCalls:
    store = FakeOutboundCalls(FakeCallStore())
    install(outbound, calling=SimpleNamespace(outbound_calls=store))
    return store


async def place(document: Any, token: str | None = "operator", **headers: str) -> func.HttpResponse:
    asked = request("POST", headers=headers, body=json.dumps(document).encode(), token=token)
    response: func.HttpResponse = await user_function(outbound.place_call)(asked, "a client")
    return response


async def ask(name: str, document: Any = None, token: str | None = "admin") -> func.HttpResponse:
    asked = request(body=b"" if document is None else json.dumps(document).encode(), token=token)
    response: func.HttpResponse = await user_function(getattr(outbound, name))(asked)
    return response


async def test_a_call_is_placed(placing: FakePlacing) -> None:
    response = await place(WISH)
    assert (response.status_code, document_of(response)) == (202, {"call_id": "call-1"})
    assert response.headers["Location"] == "/api/calls/call-1"
    assert placing.asked == [("tenant-1", Wish(**WISH), "")]


async def test_with_everything(placing: FakePlacing) -> None:
    more = {"line": "twilio-relay", "voicemail": "leave_message", "message": "Please call back."}
    await place({**WISH, **more}, **{"idempotency-key": "k1"})
    wish = Wish(**WISH, line=Line.TWILIO_RELAY, voicemail=Voicemail.LEAVE_MESSAGE, message="Please call back.")
    assert placing.asked == [("tenant-1", wish, "k1")]


@pytest.mark.parametrize(("token", "status"), [(None, 401), ("caller", 403)])
async def test_who_may_not_place_calls(placing: FakePlacing, token: str | None, status: int) -> None:
    assert (await place(WISH, token)).status_code == status
    assert placing.asked == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"to": "911"}, "number_malformed"),
        ({"to": None}, "to"),
        ({"agent_id": None}, "agent_id"),
        ({"line": "morse"}, "line"),
        ({"voicemail": "talk"}, "voicemail"),
        ({"voicemail": "leave_message"}, "message"),
        ({"from": "+15550100001"}, "unknown_field"),
    ],
)
async def test_a_wish_that_makes_no_sense(placing: FakePlacing, changes: dict[str, Any], code: str) -> None:
    assert_problem(await place({**WISH, **changes}), 400, code)
    assert placing.asked == []


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Forbidden("destination_not_allowed", "not this one"), 403),
        (Forbidden("outside_calling_window", "not now"), 403),
        (Conflict("too_many_calls", "not so many"), 409),
        (Conflict("spend_limit", "not so much"), 409),
        (Unsupported(Line.WEB, Capability.OUTBOUND), 400),
    ],
)
async def test_refusals_have_their_codes(placing: FakePlacing, error: VoiceAgentError, status: int) -> None:
    placing.error = error
    assert_problem(await place(WISH), status, error.code)


async def test_as_long_as_nobody_has_said_so_nothing_may_be_dialled(store: FakeOutboundCalls) -> None:
    document = document_of(await ask("get_outbound_policy"))
    assert (document["prefixes"], document["most_at_once"], document["daily_spend"]) == ([], 0, "0")


async def test_a_policy_is_put_and_comes_back(store: FakeOutboundCalls) -> None:
    response = await ask("put_outbound_policy", POLICY)
    assert (response.status_code, document_of(response)) == (200, POLICY)
    assert document_of(await ask("get_outbound_policy")) == POLICY
    assert list(store.policies) == ["tenant-1"]
    assert store.policies["tenant-1"].minute_prices["+1"] == Decimal("0.0085")
    await ask("put_outbound_policy", {})
    assert store.policies["tenant-1"] == OutboundPolicy(), "what is not named is not allowed"


@pytest.mark.parametrize("name", ["get_outbound_policy", "put_outbound_policy"])
@pytest.mark.parametrize(("token", "status"), [(None, 401), ("caller", 403), ("operator", 403)])
async def test_only_administrators(store: FakeOutboundCalls, name: str, token: str | None, status: int) -> None:
    assert (await ask(name, POLICY, token)).status_code == status
    assert store.policies == {}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"prefixes": "+1"}, "prefixes"),
        ({"prefixes": [1]}, "prefixes"),
        ({"prefixes": ["1"]}, "prefixes"),
        ({"weekdays": ["Monday"]}, "weekdays"),
        ({"weekdays": [True]}, "weekdays"),
        ({"weekdays": [8]}, "weekdays"),
        ({"time_zone": "Mars"}, "time_zone"),
        ({"time_zone": 1}, "time_zone"),
        ({"from_minute": 1.5}, "from_minute"),
        ({"most_at_once": True}, "most_at_once"),
        ({"daily_spend": 1.5}, "daily_spend"),
        ({"daily_spend": "much"}, "daily_spend"),
        ({"daily_spend": "-1"}, "money"),
        ({"minute_prices": []}, "minute_prices"),
        ({"minute_prices": {"+1": None}}, "minute_prices"),
        ({"until_minute": 100}, "calling_window"),
        ({"spend": "1"}, "unknown_field"),
    ],
)
async def test_a_policy_that_makes_no_sense(store: FakeOutboundCalls, changes: dict[str, Any], code: str) -> None:
    assert_problem(await ask("put_outbound_policy", {**POLICY, **changes}), 400, code)
    assert store.policies == {}
