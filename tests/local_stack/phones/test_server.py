from __future__ import annotations

import asyncio
import base64
import json
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import unused_port

from local_stack.phones import wav
from local_stack.phones.server import make_app
from local_stack.phones.switchboard import Switchboard
from local_stack.phones.twilio.call_book import CallBook
from tests.local_stack.phones.switchboards import twilio_only
from tests.local_stack.phones.twilio.calling import ACCOUNT
from tests.local_stack.phones.twilio.voice_app import VoiceApp, running, tone


@asynccontextmanager
async def phones(app_url: str, state_dir: Path | None = None) -> AsyncIterator[tuple[str, Switchboard]]:
    """A phones part as `__main__` runs it, with cancellation when the client goes away."""
    switchboard = twilio_only(CallBook(ACCOUNT, state_dir))
    async with serving_phones(make_app(switchboard, app_url)) as url:
        yield url, switchboard


@asynccontextmanager
async def serving_phones(app: web.Application) -> AsyncIterator[str]:
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=1.0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    (address, port) = runner.addresses[0][:2]
    try:
        yield f"http://{address}:{port}"
    finally:
        await runner.cleanup()


def wav_of(seconds: float, folder: Path) -> bytes:
    wav.write(folder / "said.wav", tone(seconds, 600), 8000)
    return (folder / "said.wav").read_bytes()


async def test_health_tells_that_it_is_ready() -> None:
    async with (
        phones("http://localhost:1") as (url, _),
        aiohttp.ClientSession() as session,
        session.get(url + "/health") as response,
    ):
        assert (await response.json())["status"] == "ok"


async def test_a_call_is_placed_and_its_events_come_while_it_lasts(tmp_path: Path) -> None:
    said = base64.b64encode(wav_of(0.3, tmp_path)).decode()
    wish = {
        "utterances": [{"wav_base64": said, "text": "a tone"}, {"file": str(tmp_path / "said.wav")}],
        "turns": 1,
        "quiet_ms": 100,
    }
    async with (
        running(VoiceApp()) as app,
        phones(app.origin, tmp_path) as (url, _),
        aiohttp.ClientSession() as session,
    ):
        events: list[dict[str, Any]] = []
        async with session.post(url + "/_local/calls", json=wish) as response:
            assert response.content_type == "application/x-ndjson"
            async for line in response.content:
                events.append(json.loads(line))
                if events[-1]["event"] == "agent_started" and events[-1]["turn"] == 0:
                    assert not app.close_codes
    names = [event["event"] for event in events]
    assert names[0] == "call_started"
    assert names[-1] == "call_result"
    assert names.count("caller_started") == 1
    result = events[-1]["result"]
    assert result["turns"][1]["text"] == "a tone"
    assert Path(result["files"]["agent_wav"]).is_file()
    assert app.requests[0].path == "/api/webhooks/twilio/voice"
    assert app.requests[-1].path == "/api/webhooks/twilio/status"


async def test_who_stops_listening_hangs_up() -> None:
    async with (
        running(VoiceApp()) as app,
        phones(app.origin) as (url, switchboard),
        aiohttp.ClientSession() as session,
    ):
        async with session.post(url + "/_local/calls", json={"speaks": False}) as response:
            async for line in response.content:
                if json.loads(line)["event"] == "agent_started":
                    break
            response.close()
        async with asyncio.timeout(20):
            while not app.of("/api/webhooks/twilio/status"):
                await asyncio.sleep(0.01)
        assert app.messages[-1]["event"] == "stop"
        assert switchboard.calls()[0].status == "completed"


async def test_the_caller_can_be_made_to_hang_up() -> None:
    async with running(VoiceApp()) as app, phones(app.origin) as (url, _), aiohttp.ClientSession() as session:
        async with session.post(url + "/_local/calls", json={"speaks": False}) as response:
            events = []
            async for line in response.content:
                events.append(json.loads(line))
                if events[-1]["event"] == "agent_started":
                    sid = events[0]["call_sid"]
                    async with session.delete(f"{url}/_local/calls/{sid}") as hung_up:
                        assert hung_up.status == 204
        assert events[-1]["result"]["status"] == "completed"
        async with session.delete(f"{url}/_local/calls/{sid}") as again:
            assert again.status == 404
        async with session.get(f"{url}/_local/calls") as listed:
            assert (await listed.json())["calls"] == [{"call_sid": sid, "status": "completed"}]


async def test_who_improvises_is_told_what_to_say_in_the_course_of_the_call(tmp_path: Path) -> None:
    said = {"wav_base64": base64.b64encode(wav_of(0.3, tmp_path)).decode(), "text": "a tone"}
    wish = {"improvises": True, "quiet_ms": 100}
    async with running(VoiceApp()) as app, phones(app.origin) as (url, _), aiohttp.ClientSession() as session:
        thoughts: list[int] = []
        statuses: list[int] = []
        async with session.post(url + "/_local/calls", json=wish) as response:
            async for line in response.content:
                event = json.loads(line)
                if event["event"] == "call_started":
                    call = f"{url}/_local/calls/{event['call_sid']}"
                elif event["event"] == "caller_thinks":
                    thoughts.append(event["turn"])
                    for utterance in [{"label": "nothing"}, said] if thoughts == [0] else []:
                        async with session.post(f"{call}/utterances", json=utterance) as told:
                            statuses.append(told.status)
                    if thoughts != [0]:
                        async with session.delete(call) as over:
                            statuses.append(over.status)
        async with session.post(f"{call}/utterances", json=said) as late:
            statuses.append(late.status)
    assert (thoughts, statuses) == ([0, 1], [400, 204, 204, 404])
    assert event["result"]["turns"][1]["text"] == "a tone"


@pytest.mark.parametrize(
    ("wish", "reason"),
    [
        ([], "not a JSON object"),
        ({}, "utterances is missing"),
        ({"speaks": "no"}, "speaks is true or false"),
        ({"speaks": False, "colour": 1}, "unknown field 'colour'"),
        ({"speaks": False, "from": 7}, "from is not a text"),
        ({"speaks": False, "from": "me"}, "not a phone number"),
        ({"speaks": False, "voice_url": "ftp://a"}, "not an http address"),
        ({"speaks": False, "misbehaviours": ["rude"]}, "misbehaviours is a list of"),
        ({"speaks": False, "turns": -1}, "turns is not a whole number"),
        ({"speaks": False, "turns": True}, "turns is not a whole number"),
        ({"speaks": False, "quiet_ms": None}, "quiet_ms is not a whole number"),
        ({"speaks": False, "pattern": "q"}, "pattern"),
        ({"utterances": {}}, "utterances is not a list"),
        ({"utterances": ["hello"]}, "not a JSON object"),
        ({"utterances": [{"wav_base64": "%"}]}, "not base64"),
        ({"utterances": [{"wav_base64": "AAAA"}]}, "not a WAV file"),
        ({"utterances": [{"file": "/nowhere.wav"}]}, "No such file"),
        ({"utterances": [{"digits": "x"}]}, "keys are"),
        ({"utterances": []}, "utterances is missing or empty"),
    ],
)
async def test_a_wish_that_cannot_be_granted_is_refused_in_one_line(wish: Any, reason: str) -> None:
    async with (
        phones("http://localhost:1") as (url, switchboard),
        aiohttp.ClientSession() as session,
        session.post(url + "/_local/calls", json=wish) as response,
    ):
        answer = await response.json()
    assert response.status == 400
    assert reason in answer["error"]
    assert "\n" not in answer["error"]
    assert switchboard.calls() == []


async def test_a_web_page_cannot_place_calls() -> None:
    async with phones("http://localhost:1") as (url, _), aiohttp.ClientSession() as session:
        async with session.post(url + "/_local/calls", data=b'{"speaks":false}') as response:
            assert response.status == 400
        async with session.post(
            url + "/_local/calls", data=b"{", headers={"Content-Type": "application/json"}
        ) as response:
            assert (await response.json())["error"] == "the body is not JSON"


async def test_a_person_at_a_number_can_be_described() -> None:
    async with phones("http://localhost:1") as (url, switchboard), aiohttp.ClientSession() as session:
        wish = {"callee": "busy", "ring_ms": 5, "speaks": False}
        async with session.put(url + "/_local/people/+15550100009", json=wish) as response:
            assert response.status == 204
        async with session.put(url + "/_local/people/+15550100009", json={"callee": "asleep"}) as response:
            assert response.status == 400
        assert switchboard.people["+15550100009"].ring_ms == 5
        for _ in range(2):
            async with session.delete(url + "/_local/people/+15550100009") as response:
                assert response.status == 204
        assert switchboard.people == {}


async def start_part(port: int, *words: str) -> asyncio.subprocess.Process:
    sid_and_token = ("--account-sid", ACCOUNT.sid, "--auth-token", "t")
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "local_stack.phones", "--port", str(port), *(words or sid_and_token),
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGINT])
async def test_the_part_starts_answers_and_ends_with_0(name: signal.Signals) -> None:
    port = unused_port()
    process = await start_part(port)
    async with asyncio.timeout(40), aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.get(f"http://127.0.0.1:{port}/health") as response:
                    assert response.status == 200
                    break
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.05)
        process.send_signal(name)
        assert await process.wait() == 0


@pytest.mark.slow
async def test_a_taken_port_is_one_clear_line_and_status_2() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = await start_part(port)
        async with asyncio.timeout(40):
            _, errors = await process.communicate()
    assert process.returncode == 2
    assert errors.decode().count("\n") == 1
    assert f"port {port}" in errors.decode()


@pytest.mark.slow
async def test_a_wrong_account_is_one_clear_line_and_status_2() -> None:
    process = await start_part(unused_port(), "--account-sid", "me", "--auth-token", "t")
    async with asyncio.timeout(40):
        _, errors = await process.communicate()
    assert process.returncode == 2
    assert b"account SID" in errors
