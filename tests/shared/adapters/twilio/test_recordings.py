"""A recording is fetched from Twilio, with the secret of the account that has it, and from nobody else."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable

import httpx
import pytest

from shared.adapters.twilio.accounts import TwilioAccount, TwilioAccounts
from shared.adapters.twilio.recordings import TwilioRecordings
from shared.adapters.twilio.rest import TwilioRest
from shared.domain.errors import InvalidRequest, TelephonyError

ACCOUNT, SUB, OTHER = "AC" + "0" * 32, "AC" + "9" * 32, "AC" + "7" * 32
RECORDING = "RE" + "1" * 32
PATH = f"/2010-04-01/Accounts/{ACCOUNT}/Recordings/{RECORDING}"
URL = f"https://api.twilio.com{PATH}"
SOUND = b"RIFF....WAVE" + bytes(5000)


class Twilio:
    """Answers as it is told, and remembers what it was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: httpx.Response) -> None:
        self.asked: list[httpx.Request] = []
        self._answers = list(answers)
        real = httpx.AsyncClient
        transport = httpx.MockTransport(self._answer)
        monkeypatch.setattr(httpx, "AsyncClient", lambda **options: real(**{**options, "transport": transport}))
        accounts = TwilioAccounts(TwilioAccount(ACCOUNT, ("token",)), TwilioAccount(SUB, ("sub",)))
        self.recordings = TwilioRecordings(TwilioRest(accounts, "https://api.twilio.com"))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        return self._answers.pop(0)

    async def fetched(self, url: str = URL) -> bytes:
        return b"".join([piece async for piece in self.recordings.read(url)])


@pytest.fixture
def twilio(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Twilio]:
    return lambda *answers: Twilio(monkeypatch, *answers)


def _secret(account: str, token: str) -> str:
    return "Basic " + b64encode(f"{account}:{token}".encode()).decode()


async def test_both_sides_are_asked_for_with_the_accounts_secret(twilio: Callable[..., Twilio]) -> None:
    api = twilio(httpx.Response(200, content=SOUND))
    assert await api.fetched() == SOUND
    (asked,) = api.asked
    assert str(asked.url) == f"{URL}.wav?RequestedChannels=2"
    assert asked.headers["Authorization"] == _secret(ACCOUNT, "token")


async def test_a_subaccounts_recording_is_fetched_with_its_own_secret(twilio: Callable[..., Twilio]) -> None:
    api = twilio(httpx.Response(200, content=SOUND))
    await api.fetched(URL.replace(ACCOUNT, SUB))
    assert api.asked[0].headers["Authorization"] == _secret(SUB, "sub")


async def test_a_recording_of_one_channel_is_taken_as_it_is(twilio: Callable[..., Twilio]) -> None:
    api = twilio(httpx.Response(400, json={"code": 16113}), httpx.Response(200, content=SOUND))
    assert await api.fetched() == SOUND
    assert str(api.asked[1].url) == f"{URL}.wav"


@pytest.mark.parametrize(
    "url",
    [
        URL.replace(ACCOUNT, OTHER),
        "https://api.twilio.com/2010-04-01/Accounts",
        f"https://evil.example/{RECORDING}",
        f"{URL}/../../../Keys",
        "file:///etc/passwd",
        "",
    ],
)
async def test_what_is_no_recording_in_an_account_of_ours_is_not_asked_for(
    twilio: Callable[..., Twilio], url: str
) -> None:
    api = twilio()
    with pytest.raises(InvalidRequest):
        await api.fetched(url)
    with pytest.raises(InvalidRequest):
        await api.recordings.delete(url)
    assert api.asked == []


@pytest.mark.parametrize(
    "host", ["http://169.254.169.254", "https://evil.example", "https://api.twilio.com.evil.example"]
)
async def test_the_host_of_an_address_is_never_asked(twilio: Callable[..., Twilio], host: str) -> None:
    api = twilio(httpx.Response(200, content=SOUND))
    await api.fetched(host + PATH)
    assert [asked.url.host for asked in api.asked] == ["api.twilio.com"]


async def test_a_redirect_within_twilio_is_followed_without_the_secret(twilio: Callable[..., Twilio]) -> None:
    elsewhere = "https://media.twiliocdn.com/a.wav"
    api = twilio(httpx.Response(307, headers={"Location": elsewhere}), httpx.Response(200, content=SOUND))
    assert await api.fetched() == SOUND
    assert str(api.asked[1].url) == elsewhere
    assert "Authorization" not in api.asked[1].headers


@pytest.mark.parametrize(
    "location",
    [
        "https://evil.example/a.wav",
        "http://media.twiliocdn.com/a.wav",
        "http://169.254.169.254/",
        "https://x@api.twilio.com/",
    ],
)
async def test_a_redirect_to_anybody_else_is_not(twilio: Callable[..., Twilio], location: str) -> None:
    api = twilio(httpx.Response(302, headers={"Location": location}))
    with pytest.raises(TelephonyError) as raised:
        await api.fetched()
    assert (raised.value.code, raised.value.retryable) == ("recording_elsewhere", False)
    assert len(api.asked) == 1


@pytest.mark.parametrize(("status", "is_later"), [(404, True), (429, True), (503, True), (401, False), (410, False)])
async def test_what_may_be_there_later_is_said_so(twilio: Callable[..., Twilio], status: int, is_later: bool) -> None:
    with pytest.raises(TelephonyError) as raised:
        await twilio(httpx.Response(status)).fetched()
    assert raised.value.retryable is is_later


@pytest.mark.parametrize("status", [204, 404])
async def test_what_is_deleted_or_gone_is_gone(twilio: Callable[..., Twilio], status: int) -> None:
    api = twilio(httpx.Response(status))
    assert await api.recordings.delete(URL)
    assert (api.asked[0].method, str(api.asked[0].url)) == ("DELETE", f"{URL}.json")


async def test_what_cannot_be_deleted_is_told(twilio: Callable[..., Twilio]) -> None:
    with pytest.raises(TelephonyError):
        await twilio(httpx.Response(403)).recordings.delete(URL)
