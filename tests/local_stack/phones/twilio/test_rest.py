from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestClient, TestServer

from local_stack.phones.conversation import Plan
from local_stack.phones.people import CalledPerson, Callee
from local_stack.phones.server import make_app
from local_stack.phones.twilio.call_book import CallBook
from tests.local_stack.phones.switchboards import twilio_only
from tests.local_stack.phones.twilio.calling import ACCOUNT, options_for
from tests.local_stack.phones.twilio.voice_app import VoiceApp, running

Client = TestClient[Any, Any]
BASE = f"/2010-04-01/Accounts/{ACCOUNT.sid}"
AUTH = {"Authorization": aiohttp.encode_basic_auth(ACCOUNT.sid, ACCOUNT.auth_token)}
NUMBERS = {"To": "+15550100001", "From": "+14155550100"}


@asynccontextmanager
async def carrier(book: CallBook | None = None) -> AsyncIterator[Client]:
    app = make_app(twilio_only(book or CallBook(ACCOUNT, None)), "http://localhost:1")
    async with TestClient(TestServer(app), headers=AUTH) as client:
        yield client


async def error_of(response: aiohttp.ClientResponse) -> tuple[int, int]:
    body = await response.json()
    assert body["status"] == response.status
    assert body["more_info"] == f"https://www.twilio.com/docs/errors/{body['code']}"
    assert body["message"]
    return response.status, body["code"]


async def until(client: Client, sid: str, status: str) -> dict[str, Any]:
    async with asyncio.timeout(20):
        while True:
            body: dict[str, Any] = await (await client.get(f"{BASE}/Calls/{sid}.json")).json()
            if body["status"] == status:
                return body
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("auth", [None, (ACCOUNT.sid, "wrong"), ("ACx", ACCOUNT.auth_token)])
async def test_only_the_account_itself_gets_in(auth: tuple[str, str] | None) -> None:
    app = make_app(twilio_only(CallBook(ACCOUNT, None)), "http://localhost:1")
    headers = {"Authorization": aiohttp.encode_basic_auth(*auth)} if auth else {}
    async with TestClient(TestServer(app), headers=headers) as client:
        response = await client.get(f"{BASE}/Calls.json")
        assert await error_of(response) == (401, 20003)
        assert response.headers["WWW-Authenticate"].startswith("Basic")
        malformed = await client.get(f"{BASE}/Calls.json", headers={"Authorization": "Basic ä"})
        assert malformed.status == 401


async def test_another_account_and_unknown_things_are_not_found() -> None:
    async with carrier() as client:
        other = BASE[:-1] + "2"
        for path in (f"{other}/Calls.json", f"{BASE}/Calls/CA0.json", f"{BASE}/Faxes.json", "/2010-04-01/x"):
            assert await error_of(await client.get(path)) == (404, 20404)
        gone = await client.post(f"{BASE}/Calls/CA0.json", data={"Status": "completed"})
        assert await error_of(gone) == (404, 20404)


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"From": "+14155550100", "Url": "http://a/b"}, 21201),
        ({"To": "+15550100001", "Url": "http://a/b"}, 21213),
        ({"To": "555", "From": "+14155550100", "Url": "http://a/b"}, 21211),
        ({"To": "+15550100001", "From": "me", "Url": "http://a/b"}, 21212),
        (NUMBERS, 21205),
        ({**NUMBERS, "Url": "nowhere"}, 21205),
        ({**NUMBERS, "Twiml": "x" * 4001}, 21245),
        ({**NUMBERS, "Url": "http://a/b", "Method": "PUT"}, 21403),
        ({**NUMBERS, "Url": "http://a/b", "TimeLimit": "0"}, 20001),
        ({**NUMBERS, "Url": "http://a/b", "StatusCallbackEvent": "hung-up"}, 21626),
    ],
)
async def test_a_wrong_wish_for_a_call_is_refused(form: dict[str, str], code: int) -> None:
    async with carrier() as client:
        assert await error_of(await client.post(f"{BASE}/Calls.json", data=form)) == (400, code)
        listed = await (await client.get(f"{BASE}/Calls.json")).json()
        assert listed["calls"] == []


async def test_an_outbound_call_rings_is_answered_and_told_by_callbacks(tmp_path: Path) -> None:
    book = CallBook(ACCOUNT, tmp_path)
    book.people[NUMBERS["To"]] = CalledPerson(ring_ms=20, plan=Plan(speaks=False))
    async with running(VoiceApp()) as app, carrier(book) as client:
        form = [*NUMBERS.items(), ("Url", app.origin + "/voice"), ("StatusCallback", app.origin + "/status")]
        form += [("StatusCallbackEvent", name) for name in ("initiated", "ringing", "answered", "completed")]
        response = await client.post(f"{BASE}/Calls.json", data=form)
        call = await response.json()
        assert response.status == 201
        assert (call["direction"], call["status"], call["to"]) == ("outbound-api", "queued", NUMBERS["To"])
        await until(client, call["sid"], "in-progress")
        async with asyncio.timeout(20):
            while not app.events("media"):
                await asyncio.sleep(0.01)
        ended = await client.post(f"{BASE}/Calls/{call['sid']}.json", data={"Status": "completed"})
        assert (ended.status, (await ended.json())["status"]) == (200, "completed")
        final = await until(client, call["sid"], "completed")
        async with asyncio.timeout(20):
            while len(app.of("/status")) < 4:
                await asyncio.sleep(0.01)
    assert int(final["duration"]) >= 1
    assert final["end_time"].endswith("+0000")
    told = [dict(request.fields) for request in app.of("/status")]
    assert [one["CallStatus"] for one in told] == ["initiated", "ringing", "in-progress", "completed"]
    assert [one["SequenceNumber"] for one in told] == ["0", "1", "2", "3"]
    assert dict(app.of("/voice")[0].fields)["CallStatus"] == "in-progress"
    assert (tmp_path / "calls" / call["sid"] / "agent.wav").exists()


@pytest.mark.parametrize("callee", [Callee.BUSY, Callee.NO_ANSWER, Callee.FAILED])
async def test_a_person_who_does_not_answer(callee: Callee) -> None:
    book = CallBook(ACCOUNT, None)
    book.people[NUMBERS["To"]] = CalledPerson(callee, ring_ms=0)
    async with running(VoiceApp()) as app, carrier(book) as client:
        form = {**NUMBERS, "Url": app.origin + "/voice", "StatusCallback": app.origin + "/status"}
        call = await (await client.post(f"{BASE}/Calls.json", data=form)).json()
        final = await until(client, call["sid"], callee.value)
    assert final["duration"] == "0"
    assert not app.of("/voice")


async def test_a_call_can_be_cancelled_while_it_rings_and_not_redirected() -> None:
    book = CallBook(ACCOUNT, None)
    book.people[NUMBERS["To"]] = CalledPerson(ring_ms=60_000)
    async with carrier(book) as client:
        form = {**NUMBERS, "Twiml": "<Response/>"}
        call = await (await client.post(f"{BASE}/Calls.json", data=form)).json()
        path = f"{BASE}/Calls/{call['sid']}.json"
        await until(client, call["sid"], "ringing")
        redirect = await client.post(path, data={"Url": "http://a/b"})
        assert await error_of(redirect) == (400, 21220)
        assert (await client.post(path, data={"Status": "canceled"})).status == 200
        await until(client, call["sid"], "canceled")
        assert await error_of(await client.post(path, data={"Status": "completed"})) == (404, 20404)


async def test_a_running_call_is_redirected_and_wrong_updates_are_refused() -> None:
    book = CallBook(ACCOUNT, None)
    async with running(VoiceApp()) as app, carrier(book) as client:
        task = book.start(options_for(app, plan=Plan(speaks=False)))
        path = f"{BASE}/Calls/{task.get_name()}.json"
        await until(client, task.get_name(), "in-progress")
        for form, code in (
            ({"Status": "paused"}, 20001),
            ({"Status": "canceled"}, 21220),
            ({}, 20001),
            ({"Url": "http://a/b", "Twiml": "<Response/>"}, 21218),
        ):
            assert await error_of(await client.post(path, data=form)) == (400, code)
        wrong_type = await client.post(path, json={"Status": "completed"})
        assert wrong_type.status == 415
        moved = await client.post(path, data={"Twiml": "<Response><Hangup/></Response>"})
        assert moved.status == 200
        result = await task
    assert result.end_reason == "the app hung up"
    assert app.messages[-1]["event"] == "stop"


async def test_calls_are_listed_by_number_and_status() -> None:
    book = CallBook(ACCOUNT, None)
    async with running(VoiceApp(twiml="<Response><Reject/></Response>")) as app, carrier(book) as client:
        await book.start(options_for(app))
        await book.start(options_for(app, to_number="+15550100002"))
        page = await (await client.get(f"{BASE}/Calls.json", params={"To": "+15550100002"})).json()
        assert [call["to"] for call in page["calls"]] == ["+15550100002"]
        page = await (await client.get(f"{BASE}/Calls.json", params={"Status": "busy", "PageSize": "1"})).json()
        assert len(page["calls"]) == 1
        assert (await client.get(f"{BASE}/Calls.json", params={"PageSize": "x"})).status == 400
