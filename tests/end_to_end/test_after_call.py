"""After a call it is read, what is personal in it is hidden, and a webhook is told, whatever goes wrong meanwhile."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import psycopg
import pytest
import pytest_asyncio
from aiohttp import web
from azure.core.exceptions import ResourceNotFoundError

from tests.end_to_end.scripted_service import ScriptedService
from tests.end_to_end.stack import Stack

pytestmark = [pytest.mark.slow, pytest.mark.end_to_end]

NUMBER = "+15550100077"
VOICE = "vm-nobodyavail"
SAID = "I am Ann Miller and my card is four one one one, one one one one, one one one one, one one one one"
SHOWN = "I am [name] and my card is [card]"
REPLY = "Thank you, Ann Miller."


@dataclass
class Receiver:
    """A tenant's endpoints: what came to the first, in its order; it refuses the first request of each message. The
    second one wants nothing more.
    """

    url: str = ""
    messages: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    turned_away: int = 0

    async def turn_away(self, _: web.Request) -> web.Response:
        self.turned_away += 1
        return web.Response(status=410)

    async def take(self, request: web.Request) -> web.Response:
        name = request.headers["webhook-id"]
        if name not in self.refused:
            self.refused.add(name)
            return web.Response(status=503)
        self.bodies.append(await request.read())
        self.headers.append({key.lower(): value for key, value in request.headers.items()})
        self.messages.append(json.loads(self.bodies[-1]))
        return web.Response(status=204)

    def is_signed(self, n: int, secret: str) -> bool:
        content = f"{self.headers[n]['webhook-id']}.{self.headers[n]['webhook-timestamp']}.".encode() + self.bodies[n]
        key = base64.b64decode(secret.removeprefix("whsec_"))
        expected = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
        return f"v1,{expected}" in self.headers[n]["webhook-signature"].split(" ")


@dataclass
class Story:
    """One call, and what became of it."""

    stack: Stack
    admin: str
    receiver: Receiver
    endpoint: dict[str, Any]
    gone: dict[str, Any]
    record: dict[str, Any]

    @property
    def call_id(self) -> str:
        return str(self.record["call_id"])


async def ask(stack: Stack, method: str, path: str, token: str, document: Any = None) -> tuple[int, Any]:
    async with (
        aiohttp.ClientSession() as session,
        session.request(
            method, stack.app_url + path, json=document, headers={"Authorization": f"Bearer {token}"}
        ) as answer,
    ):
        text = await answer.text()
        return answer.status, json.loads(text) if text else None


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def story(scripted_stack: Stack) -> AsyncIterator[Story]:
    stack = scripted_stack
    stack.seed(Path(__file__).with_name("after_call.json"))
    admin, operator = stack.token("admin"), stack.token("operator")
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/hook", receiver.take)
    app.router.add_post("/gone", receiver.turn_away)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    endpoint, gone = [
        await _endpoint(stack, admin, url) for url in (receiver.url, receiver.url.replace("/hook", "/gone"))
    ]
    service = ScriptedService(stack.speech_url)
    await service.give([{"voice": VOICE, "heard": SAID, "reply": REPLY}])
    utterance = {"file": stack.voice(VOICE)["file"], "text": SAID}
    result = await stack.call(to=NUMBER, utterances=[utterance])
    await stack.ended_call(result["call_sid"], operator)
    async with asyncio.timeout(45):
        while len(receiver.messages) < 3:
            await asyncio.sleep(0.2)
    record = await stack.call_record(result["call_sid"], operator)
    yield Story(stack, admin, receiver, endpoint, gone, record)
    for each in (endpoint, gone):
        await ask(stack, "DELETE", f"/api/webhook-endpoints/{each['endpoint_id']}", admin)
    await runner.cleanup()


async def _endpoint(stack: Stack, admin: str, url: str) -> dict[str, Any]:
    status, endpoint = await ask(stack, "POST", "/api/webhook-endpoints", admin, {"url": url})
    assert status == 201, endpoint
    return dict(endpoint)


@pytest.mark.asyncio(loop_scope="module")
async def test_each_event_comes_once_signed_and_after_a_refusal(story: Story) -> None:
    receiver = story.receiver
    assert sorted(message["type"] for message in receiver.messages) == ["call.analysed", "call.ended", "call.started"]
    assert {message["data"]["call_id"] for message in receiver.messages} == {story.call_id}
    assert all(receiver.is_signed(n, story.endpoint["secret"]) for n in range(3))
    assert {headers["webhook-key-id"] for headers in receiver.headers} == {story.endpoint["key_id"]}
    assert len(receiver.refused) == 3, "each was refused once and came again under its id"


@pytest.mark.asyncio(loop_scope="module")
async def test_what_is_personal_is_shown_to_nobody(story: Story) -> None:
    (turn,) = [turn for turn in story.record["turns"] if turn["heard"]]
    assert (turn["heard"], turn["said"]) == (SHOWN, "Thank you, [name].")
    told = b"".join(story.receiver.bodies)
    assert SHOWN.encode() in told
    for personal in (b"Miller", b"four one one", story.record["from"].encode()):
        assert personal not in told


@pytest.mark.asyncio(loop_scope="module")
async def test_what_is_personal_is_in_no_log_and_in_no_table(story: Story) -> None:
    stack = story.stack
    kept = [stack.log_of("app"), await stack.transcript(story.call_id)]
    async with await psycopg.AsyncConnection.connect(stack.database_url) as connection:
        for table in ("turns", "call_analyses", "raw_transcripts", "webhook_events", "webhook_deliveries"):
            found = await connection.execute(f"select t::text from {table} t where call_id = %s", (story.call_id,))
            rows = [str(row[0]) for row in await found.fetchall()]
            assert rows, table
            kept += rows
    for personal in ("Miller", "four one one", base64.b64encode(b"Miller").decode(), b"Miller".hex()):
        assert not any(personal in text for text in kept), personal


@pytest.mark.asyncio(loop_scope="module")
async def test_another_tenants_administrator_sees_nothing_of_it(story: Story) -> None:
    other = story.stack.command("token", "--user", "gustav")
    for path in (f"/api/calls/{story.call_id}/analysis", f"/api/calls/{story.call_id}/raw-transcript"):
        assert (await ask(story.stack, "GET", path, other))[0] == 404
    _, listed = await ask(story.stack, "GET", "/api/webhook-deliveries", other)
    assert listed["deliveries"] == []


@pytest.mark.asyncio(loop_scope="module")
async def test_what_was_really_said_is_kept_under_seal(story: Story) -> None:
    status, raw = await ask(story.stack, "GET", f"/api/calls/{story.call_id}/raw-transcript", story.admin)
    assert status == 200, raw
    assert [turn["heard"] for turn in raw["turns"] if turn["heard"]] == [SAID]


@pytest.mark.asyncio(loop_scope="module")
async def test_the_call_was_read(story: Story) -> None:
    status, seen = await ask(
        story.stack, "GET", f"/api/calls/{story.call_id}/analysis", story.stack.token("operator")
    )
    assert status == 200, seen
    assert seen["state"] == "done", seen
    assert seen["analysis"]["outcome"] == "helped"
    assert seen["analysis"]["judgements"][0]["criterion"] == "The agent greets"
    assert isinstance(seen["analysis"]["extracted"]["topic"], str)
    assert seen["cost"]["questions"] >= 2
    assert seen["cost"]["output_tokens"] > 0


@pytest.mark.asyncio(loop_scope="module")
async def test_what_reading_it_took_is_on_the_tenants_account(story: Story) -> None:
    stack, admin = story.stack, story.admin
    _, seen = await ask(stack, "GET", f"/api/calls/{story.call_id}/analysis", admin)
    async with asyncio.timeout(10):
        while True:
            _, account = await ask(stack, "GET", "/api/spend-cap", admin)
            (used,) = [each for each in account["models"] if each["model"] == "read-afterwards"]
            if used["input_tokens"] > seen["cost"]["input_tokens"] and used["answers"] > seen["cost"]["questions"]:
                break
            await asyncio.sleep(0.2)


@pytest.mark.asyncio(loop_scope="module")
async def test_a_delivery_is_sent_anew(story: Story) -> None:
    status, listed = await ask(story.stack, "GET", "/api/webhook-deliveries?state=delivered", story.admin)
    assert status == 200
    mine = [each for each in listed["deliveries"] if each["call_id"] == story.call_id]
    assert [each["attempts"] for each in mine] == [2, 2, 2]
    before = len(story.receiver.messages)
    path = f"/api/webhook-deliveries/{mine[0]['delivery_id']}/redeliver"
    assert (await ask(story.stack, "POST", path, story.admin))[0] == 202
    async with asyncio.timeout(15):
        while len(story.receiver.messages) == before:
            await asyncio.sleep(0.1)
    assert story.receiver.messages[-1]["id"] == mine[0]["event_id"]


@pytest.mark.asyncio(loop_scope="module")
async def test_what_an_endpoint_never_wants_is_on_the_list_of_the_dead(story: Story) -> None:
    stack, admin, endpoint_id = story.stack, story.admin, story.gone["endpoint_id"]

    async def dead() -> list[dict[str, Any]]:
        _, listed = await ask(stack, "GET", f"/api/webhook-deliveries?state=dead&endpoint_id={endpoint_id}", admin)
        return list(listed["deliveries"])

    letters = await dead()
    assert {each["call_id"] for each in letters} == {story.call_id}
    assert "http_410" in [each["last_fault"] for each in letters]
    assert (await ask(stack, "GET", f"/api/webhook-endpoints/{endpoint_id}", admin))[1]["disabled_reason"] == "gone"

    before = story.receiver.turned_away
    assert (await ask(stack, "POST", f"/api/webhook-endpoints/{endpoint_id}/enable", admin))[0] == 200
    letter = f"/api/webhook-deliveries/{letters[0]['delivery_id']}/redeliver"
    assert (await ask(stack, "POST", letter, admin))[0] == 202
    async with asyncio.timeout(15):
        while story.receiver.turned_away == before or len(await dead()) < len(letters):
            await asyncio.sleep(0.1)


@pytest.mark.asyncio(loop_scope="module")
async def test_each_thing_is_deleted_when_its_days_are_over(story: Story) -> None:
    """Thirty days the words under seal, ninety the recording, a year all the rest."""
    stack, admin = story.stack, story.admin
    recording = story.record["recording"]
    analysis, raw = (f"/api/calls/{story.call_id}/{what}" for what in ("analysis", "raw-transcript"))

    async def left() -> tuple[bool, bool, bool]:
        try:
            has_recording = bool(await stack.file(recording["container"], recording["blob"]))
        except ResourceNotFoundError:
            has_recording = False
        found = [(await ask(stack, "GET", path, admin))[0] == 200 for path in (raw, analysis)]
        return (found[0], has_recording, found[1])

    for days, wanted in (
        (29, (True, True, True)),
        (31, (False, True, True)),
        (91, (False, False, True)),
        (366, (False, False, False)),
    ):
        await _ended_days_ago(stack, story.call_id, days)
        assert (await _post(f"{stack.app_url}/admin/functions/delete_overdue")) == 202
        async with asyncio.timeout(20):
            while await left() != wanted or not await _is_planned(stack, story.call_id):
                await asyncio.sleep(0.1)
    record = await stack.get(f"/api/calls/{story.call_id}", admin)
    assert (record["turns"], record["recording"]) == ([], None)
    assert await stack.transcript(story.call_id) == ""


async def _post(url: str) -> int:
    async with aiohttp.ClientSession() as session, session.post(url, json={}) as answer:
        return answer.status


async def _ended_days_ago(stack: Stack, call_id: str, days: int) -> None:
    """Nobody has looked yet until when its things are kept."""
    change = """
        update calls set ended_at = now() - make_interval(days => %(days)s),
            started_at = now() - make_interval(days => %(days)s, mins => 1),
            recording_until = null, transcript_until = null, raw_until = null
        where call_id = %(call_id)s
    """
    async with await psycopg.AsyncConnection.connect(stack.database_url) as connection:
        await connection.execute(change, {"days": days, "call_id": call_id})


async def _is_planned(stack: Stack, call_id: str) -> bool:
    async with await psycopg.AsyncConnection.connect(stack.database_url) as connection:
        asked = "select transcript_until is not null from calls where call_id = %s"
        row = await (await connection.execute(asked, (call_id,))).fetchone()
    return bool(row and row[0])
