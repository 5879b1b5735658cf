"""How the tests call an app that is given words."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

from local_stack.phones.conversation import Plan
from local_stack.phones.people import CalledPerson
from local_stack.phones.twilio.call import TwilioCall, lone_carrier
from local_stack.phones.twilio.options import CallOptions
from tests.local_stack.phones.clocks import FastClock
from tests.local_stack.phones.spoken_words import ToneSpeech
from tests.local_stack.phones.twilio.calling import ACCOUNT
from tests.local_stack.phones.twilio.text_app import TextApp
from tests.local_stack.phones.twilio.voice_app import spoken

PLAN = Plan(quiet_ms=400, greeting_timeout_ms=4_000, reply_timeout_ms=15_000)


def text_call(
    app: TextApp,
    speech: ToneSpeech | None = None,
    people: dict[str, CalledPerson] | None = None,
    speed: float = 4.0,
    **changes: Any,
) -> TwilioCall:
    clock = FastClock(speed)
    carrier = lone_carrier(clock)
    carrier.speech = speech or ToneSpeech()
    carrier.people = people or {}
    options = CallOptions(
        account=ACCOUNT,
        from_number="+14155550100",
        to_number="+15550100013",
        voice_url=app.origin + "/voice",
        status_url=app.origin + "/status",
        utterances=(spoken(0.5), spoken(0.6)),
        plan=PLAN,
    )
    return TwilioCall(dataclasses.replace(options, **changes), clock=clock, carrier=carrier)


def names_of(call: TwilioCall) -> Iterable[str]:
    return [event.name for event in call.log.events]
