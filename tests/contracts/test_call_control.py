"""What can be done with a call at every carrier, and how it fails."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from aiohttp import web

from local_stack.phones.server import make_app
from local_stack.phones.twilio.account import Account, new_sid
from local_stack.phones.twilio.exchange import Exchange
from shared.adapters.twilio.call_control import TwilioCallControl
from shared.domain.errors import TelephonyError
from shared.ports.call_control import CallControl
from tests.contracts.speech_service import Handler, stub_service
from tests.fakes.telephony import FakeCallControl
from tests.services import free_port

ACCOUNT = Account(new_sid("AC"), "made-up")


@asynccontextmanager
async def phones() -> AsyncIterator[str]:
    """The local carrier; gives its address."""
    runner = web.AppRunner(make_app(Exchange(ACCOUNT, None), "http://127.0.0.1:9"), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def control(url: str, token: str = ACCOUNT.auth_token, deadline_s: float = 5.0) -> TwilioCallControl:
    return TwilioCallControl(account_sid=ACCOUNT.sid, auth_token=token, base_url=url, deadline_s=deadline_s)


async def place(url: str) -> str:
    """A call that lasts; gives its id."""
    twiml = '<Response><Pause length="60"/></Response>'
    form = {"To": "+14155550100", "From": "+15550100001", "Twiml": twiml}
    async with httpx.AsyncClient(auth=(ACCOUNT.sid, ACCOUNT.auth_token)) as client:
        answer = await client.post(f"{url}/2010-04-01/Accounts/{ACCOUNT.sid}/Calls.json", data=form)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["sid"])


async def status_of(url: str, sid: str) -> str:
    async with httpx.AsyncClient(auth=(ACCOUNT.sid, ACCOUNT.auth_token)) as client:
        answer = await client.get(f"{url}/2010-04-01/Accounts/{ACCOUNT.sid}/Calls/{sid}.json")
        return str(answer.json()["status"])


async def refused(control: CallControl, code: str, *, retryable: bool) -> None:
    with pytest.raises(TelephonyError) as error:
        await control.hang_up("CA" + "0" * 32)
    assert (error.value.code, error.value.retryable) == (code, retryable)


async def test_a_call_is_ended_and_ending_it_again_is_no_error() -> None:
    async with phones() as url:
        sid = await place(url)
        await control(url).hang_up(sid)
        async with asyncio.timeout(5):
            while await status_of(url, sid) != "completed":
                await asyncio.sleep(0.02)
        await control(url).hang_up(sid)


@pytest.mark.parametrize("carrier", ["twilio", "fake"])
async def test_a_call_that_is_not_there_is_no_error(carrier: str) -> None:
    if carrier == "fake":
        fake = FakeCallControl()
        await fake.hang_up("CA1")
        assert fake.hung_up == ["CA1"]
        return
    async with phones() as url:
        await control(url).hang_up(new_sid("CA"))


async def test_a_wrong_secret_is_refused_for_good() -> None:
    async with phones() as url:
        await refused(control(url, token="wrong"), "twilio_refused", retryable=False)


def answering(*statuses: int, body: dict[str, object] | None = None) -> tuple[Handler, list[str]]:
    """A carrier that gives these answers, the last one again and again."""
    asked: list[str] = []

    async def carrier(request: web.Request) -> web.Response:
        form = await request.post()
        asked.append(f"{request.method} {request.path} {dict(form)}")
        return web.json_response(body or {}, status=statuses[min(len(asked), len(statuses)) - 1])

    return carrier, asked


async def test_what_is_sent() -> None:
    carrier, asked = answering(200)
    async with stub_service(carrier) as service:
        await control(f"{service.url}/").hang_up("CA1")
    assert asked == [f"POST /2010-04-01/Accounts/{ACCOUNT.sid}/Calls/CA1.json {{'Status': 'completed'}}"]


@pytest.mark.parametrize("status", [500, 503, 429])
async def test_a_hiccup_costs_one_more_try(status: int) -> None:
    carrier, asked = answering(status, 200)
    async with stub_service(carrier) as service:
        await control(service.url).hang_up("CA1")
    assert len(asked) == 2


@pytest.mark.parametrize(("status", "retryable", "tries"), [(500, True, 2), (429, True, 2), (400, False, 1)])
async def test_a_carrier_that_keeps_refusing(status: int, retryable: bool, tries: int) -> None:
    carrier, asked = answering(status)
    async with stub_service(carrier) as service:
        await refused(control(service.url), "twilio_refused", retryable=retryable)
    assert len(asked) == tries


async def test_a_call_that_is_not_in_progress_any_more_is_no_error() -> None:
    carrier, _ = answering(400, body={"code": 21220, "message": "Call is not in-progress."})
    async with stub_service(carrier) as service:
        await control(service.url).hang_up("CA1")


async def test_a_carrier_that_is_silent_costs_the_deadline_and_no_more() -> None:
    async def silent(request: web.Request) -> web.Response:
        await asyncio.sleep(30)
        return web.Response()

    async with stub_service(silent) as service:
        began = time.monotonic()
        await refused(control(service.url, deadline_s=0.2), "twilio_unavailable", retryable=True)
        assert time.monotonic() - began < 2.0


async def test_a_carrier_that_drips_costs_the_deadline_and_no_more() -> None:
    async def dripping(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        for _ in range(100):
            await response.write(b" ")
            await asyncio.sleep(0.1)
        return response

    async with stub_service(dripping) as service:
        began = time.monotonic()
        await refused(control(service.url, deadline_s=0.3), "twilio_unavailable", retryable=True)
        assert time.monotonic() - began < 2.0


async def test_a_carrier_that_is_not_there() -> None:
    await refused(control(f"http://127.0.0.1:{free_port()}", deadline_s=1.0), "twilio_unavailable", retryable=True)
