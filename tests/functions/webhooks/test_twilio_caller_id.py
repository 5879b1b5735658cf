"""A caller whose number cannot be shown is put through with ours, whichever door the order goes out by."""

from __future__ import annotations

from dataclasses import replace

import azure.functions as func
import pytest

from functions.webhooks import twilio_requests
from shared.domain.telephony.commands import Transfer
from shared.domain.telephony.orders import transfer_text
from shared.domain.telephony.text_turns import Next
from tests.functions.conftest import Installer
from tests.functions.webhooks.twilio_doors import MODULES, REPLY, Behind, post

OURS = "+15550100001"


@pytest.fixture
def behind(install: Installer) -> Behind:
    behind = Behind()
    install(*MODULES, twilio_requests, **behind.services())
    return behind


@pytest.mark.parametrize("caller", ["+14155550100", "anonymous"])
async def test_at_each_door(behind: Behind, caller: str) -> None:
    transfer = Transfer("+14155550199")
    behind.reply = replace(REPLY, next=Next.TRANSFER, transfer=transfer)
    ends = {"From": caller, "To": OURS}
    answers: list[func.HttpResponse] = [
        await post("turn", query="?call=call-1&turn=1", SpeechResult="A person.", **ends),
        await post("resume", CallStatus="in-progress", HandoffData=transfer_text(transfer), **ends),
    ]
    for answer in answers:
        assert (f'callerId="{OURS}"' in answer.get_body().decode()) is (caller == "anonymous")
