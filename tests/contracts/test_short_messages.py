"""A text message goes out once, against the carrier's simulator, in each of its moods."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from local_stack.phones.server import make_app
from local_stack.phones.twilio.call_book import CallBook
from shared.adapters.twilio.accounts import TwilioAccount, TwilioAccounts
from shared.adapters.twilio.rest import TwilioRest
from shared.adapters.twilio.sms import TwilioShortMessages
from shared.domain.errors import ToolError
from shared.domain.tools.outcomes import OutcomeUnknown
from tests.local_stack.phones.spoken_words import ToneSpeech
from tests.local_stack.phones.switchboards import twilio_only
from tests.local_stack.phones.twilio.calling import ACCOUNT
from tests.local_stack.phones.twilio.test_rest import AUTH, BASE


class Carrier:
    def __init__(self, client: TestClient[Any, Any], messages: TwilioShortMessages) -> None:
        self.client = client
        self.messages = messages

    async def send(self) -> str:
        return await self.messages.send("acme", sender="+15550100009", to="+15550100001", text="Your slot: 9:00")

    async def bodies(self) -> list[str]:
        answer = await (await self.client.get(f"{BASE}/Messages.json")).json()
        return [each["body"] for each in answer["messages"]]

    async def mood(self, *moods: str) -> None:
        answer = await self.client.put("/_local/twilio/moods", json=list(moods))
        assert answer.status < 300, await answer.text()


@pytest.fixture
async def carrier() -> AsyncIterator[Carrier]:
    book = CallBook(ACCOUNT, None, {}, ToneSpeech())
    async with TestClient(TestServer(make_app(twilio_only(book), "http://127.0.0.1:9")), headers=AUTH) as client:
        accounts = TwilioAccounts(TwilioAccount(ACCOUNT.sid, (ACCOUNT.auth_token,)))
        rest = TwilioRest(accounts, str(client.make_url("")), deadline_s=1.0)
        yield Carrier(client, TwilioShortMessages(rest))


async def test_it_goes_out(carrier: Carrier) -> None:
    assert (await carrier.send()).startswith("SM")
    assert await carrier.bodies() == ["Your slot: 9:00"]


@pytest.mark.parametrize(
    ("mood", "sent"),
    [("500", 0), ("503", 0), ("drop", 0), ("done_500", 1), ("done_drop", 1), ("done_late", 1)],
)
async def test_an_answer_that_says_nothing_leaves_it_open_and_is_not_sent_again(
    carrier: Carrier, mood: str, sent: int
) -> None:
    await carrier.mood(mood)
    with pytest.raises(OutcomeUnknown):
        await carrier.send()
    assert len(await carrier.bodies()) == sent


async def test_a_busy_carrier_has_not_sent_it(carrier: Carrier) -> None:
    await carrier.mood("429")
    with pytest.raises(ToolError) as told:
        await carrier.send()
    assert told.value.retryable
    assert await carrier.bodies() == []
