"""A caller whose number cannot be shown is put through all the same: the person sees the number that was called.

Source: https://www.twilio.com/docs/api/errors/13214
"""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from shared.domain.telephony.commands import Transfer
from shared.domain.telephony.text_turns import Next, TextReply
from tests.contracts.call_controls import twilio_control
from tests.contracts.speech_service import stub_service
from tests.shared.adapters.twilio import requests as made
from tests.shared.adapters.twilio.test_call_control import CALL, RUNNING, Api
from tests.shared.adapters.twilio.test_twiml import DOCUMENTS

OURS = "+15550100001"
TRANSFER = Transfer("+14155550199")
CALLERS = [
    ("+14155550100", None),
    ("anonymous", OURS),
    ("", OURS),
    ("+", OURS),
    ("client:nora", OURS),
    ("sip:nora@example.com", OURS),
]


def shown(document: str) -> str | None:
    dial = ET.fromstring(document).find("Dial")
    assert dial is not None
    return dial.get("callerId")


@pytest.mark.parametrize(("caller", "expected"), CALLERS)
def test_in_the_answer_to_a_request(caller: str, expected: str | None) -> None:
    webhook = made.verified(made.ADDRESSES.resume(), From=caller, To=OURS)
    assert shown(DOCUMENTS.cold_transfer(TRANSFER, caller_id=webhook.caller_id)) == expected
    reply = TextReply(1, ("Sure.",), 1, Next.TRANSFER, "en", "", TRANSFER)
    assert shown(DOCUMENTS.turn("call-1", reply, caller_id=webhook.caller_id)) == expected


@pytest.mark.parametrize(("caller", "expected"), CALLERS)
async def test_by_an_order(caller: str, expected: str | None) -> None:
    call = (200, RUNNING[1] | {"from": caller, "to": OURS})
    api = Api({f"GET /Calls/{CALL}.json": call, f"POST /Calls/{CALL}.json": (200, {})})
    async with stub_service(api.answer) as service:
        await twilio_control(service.url).transfer(CALL, TRANSFER)
    assert shown(api.form()["Twiml"][0]) == expected


def test_a_call_of_ours_shows_our_number_by_itself() -> None:
    webhook = made.verified(made.ADDRESSES.resume(), From=OURS, To="+14155550100", Direction="outbound-api")
    assert webhook.caller_id == ""
