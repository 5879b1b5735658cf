"""A recording is fetched from Vonage with our application's token, and that token goes to nobody else."""

from __future__ import annotations

import httpx
import pytest

from shared.adapters.vonage.recordings import VonageRecordings
from shared.adapters.vonage.rest import VonageApi
from shared.domain.errors import InvalidRequest, TelephonyError
from tests.contracts.call_controls import rsa_key

URL = "https://api-us-3.vonage.com/v1/files/aaaaaaaa-0000-4000-8000-000000000001"
SOUND = b"RIFF....WAVE" + bytes(5000)


class Vonage:
    """Answers as it is told, and remembers what it was asked."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, *answers: httpx.Response, base_url: str = "https://api.nexmo.com"
    ) -> None:
        self.asked: list[httpx.Request] = []
        self._answers = list(answers)
        real = httpx.AsyncClient
        transport = httpx.MockTransport(self._answer)
        monkeypatch.setattr(httpx, "AsyncClient", lambda **options: real(**{**options, "transport": transport}))
        self.api = VonageApi(application_id="application-1", private_key=rsa_key(), base_url=base_url)
        self.recordings = VonageRecordings(self.api)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        return self._answers.pop(0)

    async def fetched(self, url: str = URL) -> bytes:
        return b"".join([piece async for piece in self.recordings.read(url)])


async def test_it_is_fetched_where_it_lies_with_the_applications_token(monkeypatch: pytest.MonkeyPatch) -> None:
    vonage = Vonage(monkeypatch, httpx.Response(200, content=SOUND))
    assert await vonage.fetched() == SOUND
    assert str(vonage.asked[0].url) == URL
    assert vonage.asked[0].headers["Authorization"] == f"Bearer {vonage.api.token()}"


async def test_where_the_api_is_not_vonages_own_it_is_fetched_there(monkeypatch: pytest.MonkeyPatch) -> None:
    vonage = Vonage(monkeypatch, httpx.Response(200, content=SOUND), base_url="http://localhost:7083")
    assert await vonage.fetched("http://localhost:7083/v1/files/a") == SOUND


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/v1/files/a",
        "http://api.nexmo.com/v1/files/a",
        "https://api.nexmo.com:8443/v1/files/a",
        "https://api.nexmo.com.evil.example/v1/files/a",
        "https://x@api.nexmo.com/v1/files/a",
        "https://api.nexmo.com/v1/calls",
        "https://api.nexmo.com/v1/files/../calls",
        "http://169.254.169.254/v1/files/a",
        "http://localhost:7083/v1/files/a",
        "https://[",
        "",
    ],
)
async def test_no_other_address_is_asked(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    vonage = Vonage(monkeypatch)
    with pytest.raises(InvalidRequest):
        await vonage.fetched(url)
    assert vonage.asked == []


async def test_a_redirect_to_anybody_else_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    vonage = Vonage(monkeypatch, httpx.Response(302, headers={"Location": "https://evil.example/a"}))
    with pytest.raises(TelephonyError) as raised:
        await vonage.fetched()
    assert raised.value.code == "recording_elsewhere"
    assert len(vonage.asked) == 1


@pytest.mark.parametrize(("status", "is_later"), [(404, True), (429, True), (500, True), (401, False), (403, False)])
async def test_what_may_be_there_later_is_said_so(
    monkeypatch: pytest.MonkeyPatch, status: int, is_later: bool
) -> None:
    with pytest.raises(TelephonyError) as raised:
        await Vonage(monkeypatch, httpx.Response(status)).fetched()
    assert raised.value.retryable is is_later


async def test_it_stays_at_vonage_as_long_as_vonage_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not await Vonage(monkeypatch).recordings.delete(URL)
