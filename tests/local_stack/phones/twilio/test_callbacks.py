"""How the carrier tells of a call when all is not well."""

from __future__ import annotations

import pytest

from local_stack.phones.conversation import Plan
from local_stack.phones.twilio.account import Account
from local_stack.phones.twilio.misbehaviour import Misbehaviour
from local_stack.phones.twilio.options import Direction
from local_stack.phones.twilio.signature import sign
from tests.local_stack.phones.twilio.calling import ACCOUNT
from tests.local_stack.phones.twilio.text_app import TextApp, serving
from tests.local_stack.phones.twilio.text_calls import text_call

EVENTS = frozenset({"initiated", "ringing", "answered", "completed"})


async def call_with(app: TextApp, *ways: Misbehaviour, **changes: object) -> None:
    app.twiml("/voice", "<Pause/><Hangup/>")
    await text_call(
        app, plan=Plan(speaks=False), utterances=(), direction=Direction.OUTBOUND, status_events=EVENTS,
        misbehaviours=frozenset(ways), **changes,
    ).run()  # fmt: skip


@pytest.mark.parametrize(
    ("ways", "numbers"),
    [
        ([], "0123"),
        ([Misbehaviour.DUPLICATE_CALLBACKS], "00112233"),
        ([Misbehaviour.REORDERED_CALLBACKS], "1032"),
        ([Misbehaviour.LOST_CALLBACKS], "012"),
    ],
)
async def test_callbacks_come_in_order_twice_out_of_order_or_not_at_all(
    ways: list[Misbehaviour], numbers: str
) -> None:
    async with serving(TextApp()) as app:
        await call_with(app, *ways)
    assert "".join(told["SequenceNumber"] for told in app.fields_of("/status")) == numbers
    assert all(told["Timestamp"].endswith("+0000") for told in app.fields_of("/status"))


async def test_late_callbacks_come_after_what_they_tell_of() -> None:
    async with serving(TextApp()) as app:
        app.twiml("/voice", "<Pause/><Hangup/>")
        call = text_call(
            app, plan=Plan(speaks=False), utterances=(), direction=Direction.OUTBOUND, status_events=EVENTS,
            misbehaviours=frozenset({Misbehaviour.LATE_CALLBACKS}),
        )  # fmt: skip
        await call.run()
    told = [event.at_ms for event in call.log.events if event.facts.get("kind") == "status"]
    ended = next(event.at_ms for event in call.log.events if event.name == "call_ended")
    assert len(told) == 4
    assert told[-1] > ended + 1900


async def test_a_callback_that_fails_is_tried_once_more_with_the_same_token() -> None:
    async with serving(TextApp()) as app:
        app.twiml("/voice", "<Hangup/>")
        app.failures_left = 1
        call = text_call(app, plan=Plan(speaks=False), utterances=())
        result = await call.run()
    assert result.end_reason == "the app hung up"
    asked = [request for request in app.requests if request.path == "/voice"]
    assert len(asked) == 2
    assert len({request.headers["I-Twilio-Idempotency-Token"] for request in asked}) == 1


async def test_the_address_says_how_often_it_is_tried() -> None:
    async with serving(TextApp()) as app:
        app.failures_left = 3
        app.twiml("/voice", "<Hangup/>")
        result = await text_call(
            app, plan=Plan(speaks=False), utterances=(), voice_url=app.origin + "/voice#rc=3&tt=2000"
        ).run()
    assert len(app.fields_of("/voice")) == 4
    assert result.end_reason == "the app hung up"


async def test_a_shared_key_signs_instead_of_the_token() -> None:
    account = Account(ACCOUNT.sid, ACCOUNT.auth_token, {"SK1": "a shared secret"})
    async with serving(TextApp()) as app:
        await call_with(app, Misbehaviour.SHARED_KEY, account=account)
    request = app.requests[0]
    assert request.headers["X-Twilio-Signature"] == sign("a shared secret", request.url, request.fields, "sha256")
    assert request.headers["X-Twilio-Webhooks-Signature-Settings"] == "key=SK1,algorithm=HMAC_SHA256"
