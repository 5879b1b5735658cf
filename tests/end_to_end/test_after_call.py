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
import pytest
import pytest_asyncio
from aiohttp import web

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
    """A tenant's endpoint: what came, in its order. The first request of each message is refused."""

    url: str = ""
    messages: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)

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
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    status, endpoint = await ask(stack, "POST", "/api/webhook-endpoints", admin, {"url": receiver.url})
    assert status == 201, endpoint
    service = ScriptedService(stack.speech_url)
    await service.give([{"voice": VOICE, "heard": SAID, "reply": REPLY}])
    utterance = {"file": stack.voice(VOICE)["file"], "text": SAID}
    result = await stack.call(to=NUMBER, utterances=[utterance])
    await stack.ended_call(result["call_sid"], operator)
    async with asyncio.timeout(45):
        while len(receiver.messages) < 3:
            await asyncio.sleep(0.2)
    yield Story(stack, admin, receiver, endpoint, await stack.call_record(result["call_sid"], operator))
    await ask(stack, "DELETE", f"/api/webhook-endpoints/{endpoint['endpoint_id']}", admin)
    await runner.cleanup()


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
