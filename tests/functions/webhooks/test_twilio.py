"""Twilio's webhooks over HTTP: an answer for every form, and each end of a call noted once."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import azure.functions as func
import pytest

from functions.webhooks import twilio
from shared.adapters.twilio.signature import signature
from shared.adapters.twilio.webhooks import TwilioWebhooks
from shared.domain.call import EndReason, Provider
from shared.domain.errors import Conflict, NotFound, StoreError, VoiceAgentError
from shared.use_cases.calls.answer_call import CallOffered, call_id_of
from tests.functions.conftest import Installer, assert_problem, request, user_function

ACCOUNT, TOKEN, BASE = "AC" + "0" * 32, "secret", "https://voice.example.com"
FORM = {
    "AccountSid": ACCOUNT,
    "CallSid": "CA" + "a" * 32,
    "From": "+14155550100",
    "To": "+15550100001",
    "FromCity": "",
}
CALL_ID = call_id_of(Provider.TWILIO, FORM["CallSid"])


class FakeAnswering:
    def __init__(self) -> None:
        self.offers: list[CallOffered] = []
        self.error: VoiceAgentError | None = None

    async def by_number(self, offer: CallOffered, orchestrations: Any) -> str:
        if self.error:
            raise self.error
        self.offers.append(offer)
        return "the-ticket"


class FakeEnding:
    def __init__(self) -> None:
        self.noted: list[tuple[str, EndReason]] = []

    async def note(self, call_id: str, reason: EndReason) -> None:
        self.noted.append((call_id, reason))


@pytest.fixture
def answering(install: Installer) -> FakeAnswering:
    answering = FakeAnswering()
    webhooks = TwilioWebhooks(
        account_sid=ACCOUNT, auth_tokens=(TOKEN,), public_base_url=BASE, media_socket_url="wss://media.example.com/c"
    )
    install(twilio, carriers=SimpleNamespace(twilio_webhooks=webhooks), answer_call=answering, end_call=FakeEnding())
    return answering


def ending() -> FakeEnding:
    made: FakeEnding = twilio.services().end_call  # type: ignore[attr-defined]
    return made


async def post(name: str, *, query: str = "", signed: bool = True, **changes: str) -> func.HttpResponse:
    form = FORM | changes
    path = f"/api/webhooks/twilio/{name}{query}"
    headers = {"content-type": "application/x-www-form-urlencoded"}
    if signed:
        headers["x-twilio-signature"] = signature(TOKEN, BASE + path, form.items())
    function = user_function(getattr(twilio, f"twilio_{name.replace('-', '_')}"))
    # behind the platform's proxy the host in the URL is not the public one
    sent = request("POST", f"http://10.0.0.4:8080{path}", headers=headers, body=urlencode(form).encode())
    response: func.HttpResponse = await (function(sent, object()) if name == "voice" else function(sent))
    return response


async def test_a_call_is_answered_with_a_stream(answering: FakeAnswering) -> None:
    response = await post("voice", CallStatus="ringing")
    assert (response.status_code, response.mimetype) == (200, "text/xml")
    assert b'value="the-ticket"' in response.get_body()
    assert response.headers["Cache-Control"] == "no-store"
    assert answering.offers == [CallOffered(Provider.TWILIO, FORM["CallSid"], "+14155550100", "+15550100001")]


async def test_the_query_counts(answering: FakeAnswering) -> None:
    assert (await post("voice", query="?tenant=a%20b&x=")).status_code == 200


@pytest.mark.parametrize("error", [NotFound("number_unknown", "nobody"), Conflict("call_ended", "over")])
async def test_a_call_nobody_takes_is_declined(answering: FakeAnswering, error: VoiceAgentError) -> None:
    answering.error = error
    response = await post("voice")
    assert response.status_code == 200
    assert b"<Reject" in response.get_body()


async def test_a_store_that_is_down_is_a_503_so_that_twilio_tries_its_fallback(answering: FakeAnswering) -> None:
    answering.error = StoreError("redis_unavailable", "x", retryable=True)
    assert_problem(await post("voice"), 503, "redis_unavailable")


@pytest.mark.parametrize("name", ["voice", "status", "stream-status"])
async def test_nothing_without_a_signature(answering: FakeAnswering, name: str) -> None:
    assert_problem(await post(name, signed=False, CallStatus="completed"), 401, "twilio_signature")
    assert answering.offers == []
    assert ending().noted == []


@pytest.mark.parametrize(
    ("status", "noted"), [("completed", True), ("failed", True), ("in-progress", False), ("ringing", False)]
)
async def test_the_end_of_a_call_is_noted(answering: FakeAnswering, status: str, noted: bool) -> None:
    assert (await post("status", CallStatus=status)).status_code == 204
    assert ending().noted == ([(CALL_ID, EndReason.CALLER_HUNG_UP)] if noted else [])


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ("stream-started", None),
        ("stream-stopped", EndReason.CALLER_HUNG_UP),
        ("stream-error", EndReason.ERROR),
        ("", None),
    ],
)
async def test_a_broken_stream_ends_its_call(answering: FakeAnswering, event: str, reason: EndReason | None) -> None:
    assert (await post("stream-status", StreamEvent=event, StreamError="x" * 5000)).status_code == 204
    assert ending().noted == ([(CALL_ID, reason)] if reason else [])
