"""A message as its receiver checks it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.after_call.webhooks import (
    AGAIN_AFTER_S,
    Event,
    EventKind,
    Secret,
    body_of,
    delivery_id_of,
    headers_of,
)
from shared.domain.call import Call, CallState, EndReason, Provider
from shared.domain.telephony.lines import Line

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
CALL = Call(
    call_id="c1",
    tenant_id="t1",
    agent_id="desk",
    agent_version=3,
    provider=Provider.TWILIO,
    provider_call_id="CA1",
    line=Line.TWILIO,
    direction="inbound",
    caller="+15550109999",
    callee="+15550100000",
    state=CallState.COMPLETED,
    started_at=NOW - timedelta(minutes=2),
    ended_at=NOW,
    end_reason=EndReason.CALLER_HUNG_UP,
)


def event(kind: EventKind) -> Event:
    return Event("evt_1", "t1", "c1", kind, NOW)


def test_the_signature_of_the_standard() -> None:
    """The example of Standard Webhooks' own libraries. Source: https://github.com/standard-webhooks/standard-webhooks"""
    secret = Secret("k", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    at = datetime.fromtimestamp(1614265330, UTC)
    headers = headers_of("msg_p5jXN8AQM9LWM0D4loKWxJek", '{"test": 2432232314}', [secret], now=at)
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert headers["webhook-timestamp"] == "1614265330"
    assert headers["webhook-id"] == "msg_p5jXN8AQM9LWM0D4loKWxJek"
    assert headers["webhook-key-id"] == "k"


def test_while_secrets_change_both_sign() -> None:
    encoded = [base64.b64encode(letter * 32).decode() for letter in (b"a", b"b", b"c")]
    at = int(NOW.timestamp())
    secrets = [Secret("new", f"whsec_{encoded[0]}"), Secret("old", f"whsec_{encoded[1]}", at + 1)]
    gone = Secret("gone", f"whsec_{encoded[2]}", at)
    headers = headers_of("e", "ü", [*secrets, gone], now=NOW)
    expected = [
        base64.b64encode(hmac.new(letter * 32, f"e.{at}.ü".encode(), hashlib.sha256).digest()).decode()
        for letter in (b"a", b"b")
    ]
    assert headers["webhook-signature"] == f"v1,{expected[0]} v1,{expected[1]}"
    assert headers["webhook-key-id"] == "new old"


def test_a_body() -> None:
    document = json.loads(body_of(event(EventKind.ENDED), CALL, redacts=True, more={}))
    assert (document["type"], document["version"], document["id"]) == ("call.ended", 1, "evt_1")
    assert document["timestamp"] == "2026-11-23T01:00:00+00:00"
    data = document["data"]
    assert (data["call_id"], data["agent_id"], data["agent_version"]) == ("c1", "desk", 3)
    assert (data["from"], data["to"]) == ("**********99", "**********00")
    assert (data["state"], data["end_reason"], data["ended_at"]) == ("completed", "caller_hung_up", NOW.isoformat())


def test_a_body_without_redaction() -> None:
    data = json.loads(body_of(event(EventKind.ANALYSED), CALL, redacts=False, more={"analysis": {"n": 1}}))["data"]
    assert (data["from"], data["analysis"]) == ("+15550109999", {"n": 1})


def test_what_has_begun_has_no_end() -> None:
    data = json.loads(body_of(event(EventKind.STARTED), CALL, redacts=True, more={}))["data"]
    assert not {"state", "ended_at", "end_reason"} & set(data)


def test_ids_are_stable() -> None:
    assert delivery_id_of("e", "p") == delivery_id_of("e", "p")
    assert len({delivery_id_of(a, b) for a in ("e", "f") for b in ("p", "q")}) == 4


@pytest.mark.parametrize("hours", [24])
def test_it_is_tried_for_longer_than_a_day(hours: int) -> None:
    assert sum(AGAIN_AFTER_S) > hours * 3600
    assert list(AGAIN_AFTER_S) == sorted(AGAIN_AFTER_S)
