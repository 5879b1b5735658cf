"""How the tests place a call to their small voice app."""

from __future__ import annotations

import dataclasses
from typing import Any

from local_stack.phones.conversation import Plan
from local_stack.phones.twilio.account import Account
from local_stack.phones.twilio.call import TwilioCall
from local_stack.phones.twilio.options import CallOptions
from tests.local_stack.phones.clocks import FastClock
from tests.local_stack.phones.twilio.voice_app import VoiceApp, spoken

ACCOUNT = Account("AC" + "0" * 31 + "1", "12345")
FAST_PLAN = Plan(quiet_ms=200, greeting_timeout_ms=20_000, reply_timeout_ms=20_000)


def options_for(app: VoiceApp, **changes: Any) -> CallOptions:
    """Two utterances, a status callback and nothing on disk, unless told otherwise."""
    options = CallOptions(
        account=ACCOUNT,
        from_number="+14155550100",
        to_number="+15550100001",
        voice_url=app.origin + "/voice?tenant=a%20b",
        status_url=app.origin + "/status",
        utterances=(spoken(0.3), spoken(0.4)),
        plan=FAST_PLAN,
    )
    return dataclasses.replace(options, **changes)


def call_to(app: VoiceApp, speed: float = 4.0, **changes: Any) -> TwilioCall:
    return TwilioCall(options_for(app, **changes), clock=FastClock(speed))
