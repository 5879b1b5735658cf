from __future__ import annotations

import asyncio
import io
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestClient, TestServer

from local_stack.phones.conversation import Plan
from local_stack.phones.people import CalledPerson, Callee
from local_stack.phones.server import make_app
from local_stack.phones.twilio.call_book import CallBook
from local_stack.phones.twilio.signature import sign
from tests.local_stack.phones.spoken_words import ToneSpeech
from tests.local_stack.phones.switchboards import twilio_only
from tests.local_stack.phones.twilio.calling import ACCOUNT
from tests.local_stack.phones.twilio.test_rest import AUTH, BASE, NUMBERS, error_of
from tests.local_stack.phones.twilio.text_app import TextApp, serving
from tests.local_stack.phones.twilio.voice_app import spoken

TO = NUMBERS["To"]
LISTENS = CalledPerson(ring_ms=20)
SAYS_HELLO = CalledPerson(ring_ms=20, utterances=(spoken(0.3),), plan=Plan(turns=1, greeting_timeout_ms=0))
PAUSE = '<Pause length="60"/>'


@dataclass
class Carrier:
    client: TestClient[Any, Any]
    book: CallBook
    app: TextApp

    async def create(self, **form: str) -> dict[str, Any]:
        response = await self.client.post(f"{BASE}/Calls.json", data={**NUMBERS, **form})
        assert response.status == 201, await response.text()
        body: dict[str, Any] = await response.json()
        return body

    async def get(self, path: str, **query: str) -> dict[str, Any]:
        response = await self.client.get(BASE + path, params=query)
        assert response.status == 200, await response.text()
        body: dict[str, Any] = await response.json()
        return body

    async def post(self, path: str, **form: str) -> aiohttp.ClientResponse:
        return await self.client.post(BASE + path, data=form)

    async def until(self, sid: str, status: str) -> dict[str, Any]:
        async with asyncio.timeout(20):
            while (call := await self.get(f"/Calls/{sid}.json"))["status"] != status:
                await asyncio.sleep(0.01)
        return call


@asynccontextmanager
async def carrier(person: CalledPerson = LISTENS, app: TextApp | None = None) -> AsyncIterator[Carrier]:
    book = CallBook(ACCOUNT, None, {TO: person}, ToneSpeech())
    async with (
        serving(app or TextApp()) as running,
        TestClient(TestServer(make_app(twilio_only(book), running.origin)), headers=AUTH) as client,
    ):
        running.twiml("/voice", PAUSE)
        yield Carrier(client, book, running)


async def told(app: TextApp, path: str, count: int = 1) -> list[dict[str, str]]:
    async with asyncio.timeout(20):
        while len(app.fields_of(path)) < count:
            await asyncio.sleep(0.01)
    return app.fields_of(path)


@pytest.mark.parametrize(
    ("person", "mode", "who"),
    [
        (SAYS_HELLO, "Enable", "human"),
        (CalledPerson(Callee.MACHINE, 20, (spoken(0.5),)), "Enable", "machine_start"),
        (CalledPerson(Callee.MACHINE, 20, (spoken(0.5),)), "DetectMessageEnd", "machine_end_beep"),
        (CalledPerson(Callee.FAX, 20), "Enable", "fax"),
        (LISTENS, "Enable", "unknown"),
    ],
)
async def test_who_picks_up_is_known_before_the_twiml_is_asked_for(person: CalledPerson, mode: str, who: str) -> None:
    async with carrier(person) as line:
        form = {"MachineDetection": mode, "MachineDetectionSilenceTimeout": "2000"}
        call = await line.create(Url=line.app.origin + "/voice", **form)
        asked = await told(line.app, "/voice")
        assert asked[0]["AnsweredBy"] == who
        assert (await line.get(f"/Calls/{call['sid']}.json"))["answered_by"] == who


async def test_or_it_is_told_while_the_call_goes_on() -> None:
    machine = CalledPerson(Callee.MACHINE, 20, (spoken(0.5),))
    async with carrier(machine) as line:
        form = {"MachineDetection": "DetectMessageEnd", "AsyncAmd": "true"}
        callback = line.app.origin + "/amd"
        call = await line.create(Url=line.app.origin + "/voice", AsyncAmdStatusCallback=callback, **form)
        (answer,) = await told(line.app, "/amd")
        assert (answer["AnsweredBy"], answer["CallSid"]) == ("machine_end_beep", call["sid"])
        assert int(answer["MachineDetectionDuration"]) >= 500
        assert "AnsweredBy" not in line.app.fields_of("/voice")[0]


async def test_nobody_picks_up_in_time() -> None:
    async with carrier(CalledPerson(ring_ms=60_000)) as line:
        call = await line.create(Twiml="<Response/>", Timeout="1")
        assert (await line.until(call["sid"], "no-answer"))["duration"] == "0"


async def test_a_recording_is_begun_paused_stopped_and_fetched() -> None:
    async with carrier(SAYS_HELLO) as line:
        sid = (await line.create(Url=line.app.origin + "/voice"))["sid"]
        await line.until(sid, "in-progress")
        path = f"/Calls/{sid}/Recordings"
        callback = {"RecordingStatusCallback": line.app.origin + "/rec", "RecordingChannels": "dual"}
        begun = await line.post(f"{path}.json", **callback, RecordingStatusCallbackEvent="in-progress completed")
        recording = await begun.json()
        assert (begun.status, recording["status"], recording["call_sid"]) == (201, "in-progress", sid)
        await asyncio.sleep(0.3)
        assert (await (await line.post(f"{path}/Twilio.CURRENT.json", Status="paused")).json())["status"] == "paused"
        await line.post(f"{path}/{recording['sid']}.json", Status="in-progress")
        assert await error_of(await line.post(f"{path}/Twilio.CURRENT.json", Status="gone")) == (400, 20001)
        await line.post(f"{path}/Twilio.CURRENT.json", Status="stopped")
        events = await told(line.app, "/rec", 2)
        assert [event["RecordingStatus"] for event in events] == ["in-progress", "completed"]
        assert [one["status"] for one in (await line.get(f"{path}.json"))["recordings"]] == ["completed"]
        media = f"{BASE}/Recordings/{recording['sid']}"
        with wave.open(io.BytesIO(await (await line.client.get(media + ".wav")).read())) as file:
            assert file.getnchannels() == 2
            assert file.getnframes() >= 1600
        wrong = {"Authorization": aiohttp.encode_basic_auth(ACCOUNT.sid, "wrong")}
        assert (await line.client.get(media, headers=wrong)).status == 401
        assert events[1]["RecordingUrl"].endswith(media)
        assert (await line.client.delete(media + ".json")).status == 204
        assert (await line.client.get(media + ".json")).status == 404


async def test_calls_are_found_again_by_number_and_time() -> None:
    async with carrier() as line:
        sid = (await line.create(Url=line.app.origin + "/voice"))["sid"]
        now = datetime.now(UTC)
        before, after = (now - timedelta(minutes=1)).isoformat(), (now + timedelta(minutes=1)).isoformat()
        today = now.date().isoformat()
        for query, found in (
            ({"StartTime>": before}, True),
            ({"StartTime>": after}, False),
            ({"StartTime<": after, "StartTime>": before}, True),
            ({"StartTime": today, "To": TO}, True),
            ({"StartTime": today, "To": "+15550100077"}, False),
        ):
            calls = (await line.get("/Calls.json", **query))["calls"]
            assert [call["sid"] for call in calls] == ([sid] if found else []), query
        assert (await line.client.get(f"{BASE}/Calls.json", params={"StartTime>": "soon"})).status == 400


async def test_the_api_misbehaves_as_told() -> None:
    async with carrier() as line:
        moods = ["429", "500", "done_500", "done_drop", "drop"]
        assert (await line.client.put("/_local/twilio/moods", json=["angry"])).status == 400
        assert (await line.client.put("/_local/twilio/moods", json=moods)).status == 204
        form = {**NUMBERS, "Twiml": "<Response><Pause/></Response>"}
        calls = f"{BASE}/Calls.json"
        assert await error_of(await line.client.post(calls, data=form)) == (429, 20429)
        assert await error_of(await line.client.post(calls, data=form)) == (500, 20500)
        assert await error_of(await line.client.post(calls, data=form)) == (500, 20500)
        for _ in range(2):
            with pytest.raises(aiohttp.ClientError):
                await line.client.post(calls, data=form)
        assert len((await line.get("/Calls.json"))["calls"]) == 2


async def test_a_subaccount_signs_with_a_token_of_its_own() -> None:
    async with carrier() as line:
        made = await line.client.post("/2010-04-01/Accounts.json", data={"FriendlyName": "acme"})
        sub = await made.json()
        assert (made.status, sub["owner_account_sid"]) == (201, ACCOUNT.sid)
        path = f"/2010-04-01/Accounts/{sub['sid']}/Calls.json"
        form = {**NUMBERS, "Url": line.app.origin + "/voice"}
        own = {"Authorization": aiohttp.encode_basic_auth(sub["sid"], sub["auth_token"])}
        call = await (await line.client.post(path, data=form, headers=own)).json()
        (request,) = await _requests(line.app, "/voice")
        assert dict(request.fields)["AccountSid"] == sub["sid"] == call["account_sid"]
        assert request.headers["X-Twilio-Signature"] == sign(sub["auth_token"], request.url, request.fields)
        assert (await line.client.get(f"{BASE}/Calls.json", headers=own)).status == 404
        assert (await line.get("/Calls.json"))["calls"] == []
        assert (await line.client.get(f"/2010-04-01/Accounts/{sub['sid']}.json")).status == 200


async def _requests(app: TextApp, path: str) -> list[Any]:
    await told(app, path)
    return [request for request in app.requests if request.path == path]


async def test_a_conference_by_the_api() -> None:
    async with carrier() as line:
        room = '<Dial><Conference startConferenceOnEnter="true">sales room</Conference></Dial>'
        line.app.twiml("/voice", room)
        first = (await line.create(Url=line.app.origin + "/voice"))["sid"]
        async with asyncio.timeout(10):
            while not (rooms := (await line.get("/Conferences.json", FriendlyName="sales room"))["conferences"]):
                await asyncio.sleep(0.01)
        sid = rooms[0]["sid"]
        called = await line.post(f"/Conferences/{sid}/Participants.json", **NUMBERS, Label="helper", Muted="true")
        second = (await called.json())["call_sid"]
        people = f"/Conferences/{sid}/Participants"
        async with asyncio.timeout(10):
            while len((await line.get(f"{people}.json"))["participants"]) < 2:
                await asyncio.sleep(0.01)
        helper = await line.get(f"{people}/helper.json")
        assert (helper["call_sid"], helper["muted"]) == (second, True)
        changed = await (await line.post(f"{people}/{second}.json", Muted="false", Hold="true")).json()
        assert (changed["muted"], changed["hold"]) == (False, True)
        assert (await line.get(f"/Conferences/{sid}.json"))["status"] == "in-progress"
        assert (await line.client.delete(f"{BASE}{people}/{second}.json")).status == 204
        await line.until(second, "completed")
        assert (await (await line.post(f"/Conferences/{sid}.json", Status="completed")).json())[
            "status"
        ] == "completed"
        await line.until(first, "completed")
        assert (await line.post(f"/Conferences/{sid}.json", Status="completed")).status == 404


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"MachineDetection": "Maybe"}, 21401),
        ({"AsyncAmd": "yes"}, 20001),
        ({"SendDigits": "x"}, 21502),
        ({"Timeout": "0"}, 20001),
        ({"Record": "true", "RecordingChannels": "three"}, 20001),
    ],
)
async def test_wrong_wishes(form: dict[str, str], code: int) -> None:
    async with carrier() as line:
        full = {**NUMBERS, "Twiml": "<Response/>", "MachineDetection": "Enable", **form}
        assert await error_of(await line.client.post(f"{BASE}/Calls.json", data=full)) == (400, code)


async def test_what_was_asked_of_the_app_can_be_looked_up() -> None:
    async with carrier() as line:
        sid = (await line.create(Url=line.app.origin + "/voice?call=c-1"))["sid"]
        await told(line.app, "/voice")
        async with asyncio.timeout(10):
            while not (events := (await line.get(f"/Calls/{sid}/Events.json"))["events"]):
                await asyncio.sleep(0.01)
        assert events[0]["request"]["url"].endswith("/voice?call=c-1")
        assert events[0]["response"]["response_code"] == 200
