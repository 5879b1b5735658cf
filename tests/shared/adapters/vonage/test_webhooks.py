"""What Vonage brings over HTTP is let in once, and only if it is signed JSON."""

from __future__ import annotations

from typing import Any

import pytest

from shared.adapters.vonage.leg_notes import KnownLegs, LegNotes
from shared.adapters.vonage.webhooks import MAX_BODY_BYTES, VonageRequest, VonageWebhooks
from shared.domain.errors import InvalidRequest, Unauthenticated, VoiceAgentError
from tests.fakes.clock import FakeClock
from tests.fakes.memory import FakeOnce, FakeShortMemory
from tests.shared.adapters.vonage.signed import ACCOUNTS, ANSWER, LEG, OTHER_LEG, authorization, body_of


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def webhooks(clock: FakeClock) -> VonageWebhooks:
    return VonageWebhooks(ACCOUNTS, FakeOnce(clock), clock)


async def refused(webhooks: VonageWebhooks, code: str, kind: type[VoiceAgentError], **request: Any) -> None:
    with pytest.raises(kind) as error:
        await webhooks.verify(**request)
    assert error.value.code == code


async def test_a_request_is_let_in_once(webhooks: VonageWebhooks, clock: FakeClock) -> None:
    body = body_of(ANSWER)
    request = {"body": body, "authorization": authorization(body, clock.now_ms() / 1000)}
    verified = await webhooks.verify(content_type="application/json; charset=utf-8", **request)
    assert (verified.leg, verified.caller, verified.callee) == (LEG, "+14155550100", "+15550100014")
    await refused(webhooks, "vonage_replay", Unauthenticated, content_type="application/json", **request)
    await webhooks.let_come_again(verified)
    await webhooks.verify(content_type="application/json", **request)


async def test_a_replay_is_known_as_long_as_its_signature_is_good(webhooks: VonageWebhooks, clock: FakeClock) -> None:
    body = body_of(ANSWER)
    request = {"content_type": "application/json", "body": body}
    request["authorization"] = authorization(body, clock.now_ms() / 1000 + 59)
    await webhooks.verify(**request)
    await clock.sleep_ms(358_000)
    await refused(webhooks, "vonage_replay", Unauthenticated, **request)
    await clock.sleep_ms(3_000)
    await refused(webhooks, "vonage_signature", Unauthenticated, **request)


async def test_who_does_not_sign_uses_up_nothing(webhooks: VonageWebhooks, clock: FakeClock) -> None:
    body, now_s = body_of(ANSWER), clock.now_ms() / 1000
    forged = authorization(body, now_s, secret="x" * 32, jti="the-same")
    request = {"content_type": "application/json", "body": body}
    await refused(webhooks, "vonage_signature", Unauthenticated, authorization=forged, **request)
    await webhooks.verify(authorization=authorization(body, now_s, jti="the-same"), **request)


@pytest.mark.parametrize(
    ("body", "content_type", "code"),
    [
        (b"{}" + b" " * MAX_BODY_BYTES, "application/json", "body_too_large"),
        (b"a=b", "application/x-www-form-urlencoded", "content_type"),
        (b"{}", "", "content_type"),
        (b"no json", "application/json", "not_json"),
        (b"[" * 5000, "application/json", "not_json"),
        (b"[]", "application/json", "not_an_object"),
    ],
)
async def test_what_is_no_document_is_refused(
    webhooks: VonageWebhooks, clock: FakeClock, body: bytes, content_type: str, code: str
) -> None:
    bearer = authorization(body, clock.now_ms() / 1000)
    await refused(webhooks, code, InvalidRequest, content_type=content_type, body=body, authorization=bearer)


@pytest.mark.parametrize(
    ("given", "shown"),
    [("447700900000", "+447700900000"), ("+447700900000", "+447700900000"), ("unknown", "unknown"), ("", "")],
)
def test_a_number_gets_its_plus_sign(given: str, shown: str) -> None:
    assert VonageRequest({"from": given}, "jti").caller == shown
    assert VonageRequest({"from_user": given}, "jti").caller == shown


@pytest.mark.parametrize("leg", [None, 7, "", "x", "../../etc/passwd-000", "a" * 65, "é" * 32])
def test_a_leg_is_an_id(leg: object) -> None:
    with pytest.raises(InvalidRequest):
        assert VonageRequest({"uuid": leg}, "jti").leg
    assert VonageRequest({"uuid": OTHER_LEG}, "jti").leg == OTHER_LEG
    assert VonageRequest({"call_uuid": LEG}, "jti").leg == LEG


async def test_what_is_noted_of_a_leg() -> None:
    legs = KnownLegs(FakeShortMemory())
    assert await legs.of(LEG) == LegNotes()
    await legs.note(LEG, VonageRequest(ANSWER, "jti").notes("call-1", "+15550100014"))
    await legs.note(LEG, VonageRequest({"conversation_uuid": "CON-2"}, "jti").notes("call-1"))
    assert await legs.of(LEG) == LegNotes("call-1", "CON-2", "+15550100014", "https://api-us-3.vonage.com")
    assert (await legs.leg_of("call-1"), await legs.leg_of("call-2")) == (LEG, "")


async def test_a_region_elsewhere_is_not_noted() -> None:
    legs = KnownLegs(FakeShortMemory())
    await legs.note(LEG, LegNotes("call-1", region_url="https://api.vonage.com.evil.example"))
    assert (await legs.of(LEG)).region_url == ""


async def test_half_a_character_reaches_nobody(webhooks: VonageWebhooks, clock: FakeClock) -> None:
    body = b'{"speech":{"results":[{"text":"so \\ud83d","confidence":"0.9"}]},"uuid":"%s"}' % LEG.encode()
    signed = authorization(body, clock.now_ms() / 1000)
    verified = await webhooks.verify(content_type="application/json", body=body, authorization=signed)
    assert verified.words(1).text == "so ?"
