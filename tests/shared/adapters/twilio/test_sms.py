"""A text message is sent once, in the account that has the number, and whether it went is told honestly."""

from __future__ import annotations

from urllib.parse import parse_qs

import httpx
import pytest

from shared.adapters.twilio.accounts import TwilioAccount, TwilioAccounts
from shared.adapters.twilio.rest import TwilioRest
from shared.adapters.twilio.sms import TwilioShortMessages
from shared.domain.errors import ToolError
from shared.domain.tools.outcomes import OutcomeUnknown

ACCOUNT, SUB, OTHER = "AC" + "0" * 32, "AC" + "9" * 32, "AC" + "7" * 32
SENT = httpx.Response(201, json={"sid": "SM1"})


class Twilio:
    """Answers as it is told, an exception by raising it, and remembers what it was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: httpx.Response | Exception) -> None:
        self.asked: list[httpx.Request] = []
        self._answers = list(answers)
        real = httpx.AsyncClient
        transport = httpx.MockTransport(self._answer)
        monkeypatch.setattr(httpx, "AsyncClient", lambda **options: real(**{**options, "transport": transport}))
        accounts = TwilioAccounts(
            TwilioAccount(OTHER, ("other",), tenants=frozenset({"globex"})),
            TwilioAccount(ACCOUNT, ("token",)),
            TwilioAccount(SUB, ("sub",)),
        )
        self._messages = TwilioShortMessages(TwilioRest(accounts, "https://api.twilio.com"))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def send(self) -> str:
        return await self._messages.send("acme", sender="+15550100009", to="+15550100001", text="Grüße & 9:00 ✓")


def refusal(status: int, code: int) -> httpx.Response:
    return httpx.Response(status, json={"code": code, "message": "no"})


async def test_it_is_sent_with_what_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    twilio = Twilio(monkeypatch, SENT)
    assert await twilio.send() == "SM1"
    (asked,) = twilio.asked
    assert asked.url.path == f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
    form = parse_qs(asked.content.decode())
    assert form == {"To": ["+15550100001"], "From": ["+15550100009"], "Body": ["Grüße & 9:00 ✓"]}


async def test_a_number_of_another_account_is_tried_there(monkeypatch: pytest.MonkeyPatch) -> None:
    twilio = Twilio(monkeypatch, refusal(400, 21606), SENT)
    assert await twilio.send() == "SM1"
    assert [SUB in asked.url.path for asked in twilio.asked] == [False, True]


@pytest.mark.parametrize(
    "answer", [httpx.Response(500), httpx.Response(201, json={}), httpx.ReadTimeout("late"), httpx.ReadError("gone")]
)
async def test_what_may_have_gone_is_not_sent_again(
    monkeypatch: pytest.MonkeyPatch, answer: httpx.Response | Exception
) -> None:
    twilio = Twilio(monkeypatch, answer)
    with pytest.raises(OutcomeUnknown):
        await twilio.send()
    assert len(twilio.asked) == 1


@pytest.mark.parametrize(
    ("answer", "is_retryable"),
    [
        (refusal(400, 21610), False),
        (refusal(400, 21211), False),
        (refusal(401, 20003), False),
        (refusal(429, 20429), True),
        (httpx.ConnectError("refused"), True),
    ],
)
async def test_what_has_certainly_not_gone(
    monkeypatch: pytest.MonkeyPatch, answer: httpx.Response | Exception, *, is_retryable: bool
) -> None:
    twilio = Twilio(monkeypatch, answer)
    with pytest.raises(ToolError) as told:
        await twilio.send()
    assert not isinstance(told.value, OutcomeUnknown)
    assert told.value.retryable is is_retryable
    assert "+15550100001" not in str(told.value)
