"""The REST API: nothing without the application's token, and it misbehaves when told to."""

from __future__ import annotations

import asyncio
import io
import time
import uuid
import wave
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import jwt
import numpy as np
import pytest
from aiohttp import web

from local_stack.phones.vonage import rest
from local_stack.phones.vonage.account import Account
from local_stack.phones.vonage.book import CallBook
from tests.local_stack.phones.vonage.voice_app import APPLICATION, Parrot, account, private_key, voice_app

CALL: dict[str, Any] = {
    "to": [{"type": "phone", "number": "447700900001"}],
    "from": {"type": "phone", "number": "442079460000"},
    "ncco": [{"action": "wait", "timeout": 60}],
}


@dataclass
class Api:
    url: str
    http: aiohttp.ClientSession
    book: CallBook

    async def ask(self, method: str, path: str, document: Any = None, **claims: Any) -> tuple[int, Any]:
        headers = {} if claims.get("token") == "" else {"Authorization": f"Bearer {token(**claims)}"}
        async with self.http.request(method, self.url + path, json=document, headers=headers) as answer:
            return answer.status, (await answer.json(content_type=None) if answer.status != 204 else None)


def token(**changed: Any) -> str:
    now = int(time.time())
    claims = {"application_id": APPLICATION, "iat": now, "exp": now + 60, "jti": str(uuid.uuid4()), **changed}
    return jwt.encode(claims, changed.get("key") or private_key(), algorithm="RS256")


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    book, app = CallBook(account(), None, {}, Parrot()), web.Application()
    rest.add_routes(app, book)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with aiohttp.ClientSession() as http:
        yield Api(f"http://127.0.0.1:{runner.addresses[0][1]}", http, book)
    await book.close()
    await runner.cleanup()


async def placed(api: Api, *, talks: bool = False, **more: Any) -> str:
    ncco = [{"action": "talk", "text": "Hello."}] * 4 if talks else []
    code, created = await api.ask("POST", "/v1/calls", CALL | {"ncco": [*ncco, *CALL["ncco"]]} | more)
    assert (code, created["status"]) == (201, "started")
    await until_over(api, created["uuid"], "answered")
    return str(created["uuid"])


async def until_over(api: Api, leg: str, status: str = "completed") -> None:
    async with asyncio.timeout(5):
        while (await api.ask("GET", f"/v1/calls/{leg}"))[1]["status"] != status:
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("claims", [{"token": ""}, {"application_id": "other"}, {"exp": 1}, {"jti": None}], ids=str)
async def test_only_the_application_is_served(api: Api, claims: dict[str, Any]) -> None:
    changed = {name: value for name, value in claims.items() if value is not None}
    if changed != claims:
        now = int(time.time())
        bare = jwt.encode({"application_id": APPLICATION, "iat": now, "exp": now + 9}, private_key(), "RS256")
        async with api.http.get(f"{api.url}/v1/calls", headers={"Authorization": f"Bearer {bare}"}) as answer:
            assert answer.status == 401
        return
    assert (await api.ask("GET", "/v1/calls", **claims))[0] == 401


async def test_a_call_is_placed_found_led_elsewhere_and_ended(api: Api) -> None:
    leg = await placed(api)
    _, listed = await api.ask("GET", "/v1/calls?order=desc&page_size=100")
    (call,) = listed["_embedded"]["calls"]
    assert (call["uuid"], call["to"]["number"], call["direction"]) == (leg, "447700900001", "outbound")
    order = {"action": "transfer", "destination": {"type": "ncco", "ncco": [{"action": "wait", "timeout": 60}]}}
    assert (await api.ask("PUT", f"/v1/calls/{leg}", order))[0] == 204
    assert (await api.ask("PUT", f"/v1/calls/{leg}/dtmf", {"digits": "1p2#"}))[0] == 200
    assert (await api.ask("PUT", f"/v1/calls/{leg}/dtmf", {"digits": "A"}))[0] == 400
    assert (await api.ask("PUT", f"/v1/calls/{leg}", {"action": "hangup"}))[0] == 204
    async with asyncio.timeout(5):
        while (await api.ask("GET", f"/v1/calls/{leg}"))[1]["status"] != "completed":
            await asyncio.sleep(0.02)
    assert (await api.ask("PUT", f"/v1/calls/{leg}", {"action": "hangup"}))[0] == 400
    assert (await api.ask("PUT", "/v1/calls/unknown", {"action": "hangup"}))[0] == 404


async def test_keys_sound_in_the_ear_of_who_is_called(api: Api) -> None:
    heard = asyncio.Event()
    leg = await placed(api)
    entry = api.book.find(leg)
    assert entry is not None
    assert entry.call is not None
    call = entry.call
    assert (await api.ask("PUT", f"/v1/calls/{leg}/dtmf", {"digits": "12p#"}))[0] == 200
    call.line.listeners.append(lambda _: None if call.line.playback.waiting_ms else heard.set())
    async with asyncio.timeout(10):
        await heard.wait()
    await api.ask("PUT", f"/v1/calls/{leg}", {"action": "hangup"})
    await until_over(api, leg)
    assert [one.facts["digits"] for one in call.log.events if one.name == "keys_heard"] == ["12#"]


async def test_a_recording_is_told_of_and_given_to_the_application_only(api: Api) -> None:
    async with voice_app() as app:
        leg = await placed(api, talks=True, event_url=[f"{app.origin}/event"])
        _, call = await api.ask("GET", f"/v1/calls/{leg}")
        record = f"/v1/conversations/{call['conversation_uuid']}/record"
        start = {"action": "start", "split": "conversation", "channels": 2, "event_url": [f"{app.origin}/recording"]}
        assert (await api.ask("PUT", record, start))[0] == 204
        await asyncio.sleep(0.8)
        assert (await api.ask("PUT", record, {"action": "stop"}))[0] == 204
        async with asyncio.timeout(5):
            while not app.of("recording"):
                await asyncio.sleep(0.01)
        await api.ask("PUT", f"/v1/calls/{leg}", {"action": "hangup"})
        await until_over(api, leg)
    (told,) = app.of("recording")
    path = "/v1/files/" + told["recording_url"].rpartition("/")[2]
    headers = {"Authorization": f"Bearer {token()}"}
    async with api.http.get(api.url + path, headers=headers) as answer:
        assert (answer.status, answer.content_type) == (200, "audio/wav")
        body = await answer.read()
    assert len(body) == told["size"]
    with wave.open(io.BytesIO(body)) as opened:
        assert (opened.getnchannels(), opened.getframerate()) == (2, 8000)
        samples = np.frombuffer(opened.readframes(opened.getnframes()), "<i2").reshape(-1, 2)
        assert len(samples) >= 4000
        assert np.abs(samples[:, 1]).max() > 1000, "what was said to the person"
    async with api.http.get(api.url + path) as answer:
        assert answer.status == 401
    assert (await api.ask("GET", "/v1/files/another"))[0] == 404


@pytest.mark.parametrize(
    "changed",
    [
        {"to": []},
        {"to": [{"type": "phone", "number": "+447700900001"}]},
        {"answer_url": ["https://a.example"]},
        {"ncco": [{"action": "sing"}]},
        {"ringing_timer": 500},
        {"advanced_machine_detection": {"mode": "guess"}},
        {"colour": "red"},
    ],
    ids=str,
)
async def test_a_bad_order_is_refused(api: Api, changed: dict[str, Any]) -> None:
    status, problem = await api.ask("POST", "/v1/calls", CALL | changed)
    assert (status, problem["title"]) == (400, "Bad Request")
    assert api.book.entries == []


async def test_it_misbehaves_when_told(api: Api) -> None:
    async with api.http.put(f"{api.url}/_local/vonage/moods", json=["429", "500", "done_500"]) as answer:
        assert answer.status == 204
    assert (await api.ask("POST", "/v1/calls", CALL))[0] == 429
    assert (await api.ask("POST", "/v1/calls", CALL))[0] == 500
    assert api.book.entries == []
    assert (await api.ask("POST", "/v1/calls", CALL))[0] == 500
    assert len(api.book.entries) == 1
    async with api.http.put(f"{api.url}/_local/vonage/moods", json=["done_drop"]) as answer:
        assert answer.status == 204
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await api.ask("POST", "/v1/calls", CALL)
    assert len(api.book.entries) == 2
    async with api.http.put(f"{api.url}/_local/vonage/moods", json=["sulk"]) as answer:
        assert answer.status == 400


def test_an_account_is_whole_or_not_there() -> None:
    assert Account.of({}) is None
    with pytest.raises(ValueError, match="VONAGE_SIGNATURE_SECRET is missing"):
        Account.of({"VONAGE_API_KEY": "key"})
    names = ("VONAGE_API_KEY", "VONAGE_SIGNATURE_SECRET", "VONAGE_APPLICATION_ID", "VONAGE_PRIVATE_KEY")
    with pytest.raises(ValueError, match="private key"):
        Account.of(dict.fromkeys(names, "x"))
