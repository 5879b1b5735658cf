"""A caller who types: words go to the app as a relay's prompts, answers come back whole, without any sound."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from local_stack.phones.server import make_app
from local_stack.phones.twilio.call_book import CallBook
from tests.local_stack.phones.spoken_words import ToneSpeech
from tests.local_stack.phones.switchboards import twilio_only
from tests.local_stack.phones.test_server import serving_phones
from tests.local_stack.phones.twilio.calling import ACCOUNT
from tests.local_stack.phones.twilio.test_relay import relay, text
from tests.local_stack.phones.twilio.text_app import TextApp, serving

TYPED = {"provider": "twilio-relay", "typed": True, "speaks": False, "max_call_ms": 20_000}


class Network:
    """The control door, as a caller uses it."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session, self._url = session, url

    async def call(self, **wish: Any) -> AsyncIterator[dict[str, Any]]:
        async with self._session.post(f"{self._url}/_local/calls", json=TYPED | wish) as response:
            assert response.status == 200, await response.text()
            async for line in response.content:
                yield json.loads(line)

    async def type_in(self, sid: str, document: object) -> int:
        async with self._session.post(f"{self._url}/_local/twilio/typed/{sid}", json=document) as response:
            return response.status

    async def hang_up(self, sid: str) -> None:
        async with self._session.delete(f"{self._url}/_local/calls/{sid}") as response:
            assert response.status == 204


@asynccontextmanager
async def network(app: TextApp, speech: ToneSpeech) -> AsyncIterator[Network]:
    switchboard = twilio_only(CallBook(ACCOUNT, None, speech=speech))
    async with (
        serving(app),
        serving_phones(make_app(switchboard, app.origin)) as url,
        aiohttp.ClientSession() as session,
    ):
        yield Network(session, url)


async def test_words_and_answers_go_to_and_fro_without_sound() -> None:
    app = TextApp(replies=[[text("Hello.")], [text("I see, ", False), text("which one?")], [text("Fine.")]])
    speech, said, result = ToneSpeech(), [], {}
    lines = [{"text": "first words"}, {"text": "दूसरे शब्द", "language": "hi-IN"}]
    async with network(app, speech) as phones:
        app.twiml("/api/webhooks/twilio/voice", relay(app, 'language="en-IN" events="speaker-events tokens-played"'))
        sid = ""
        async with asyncio.timeout(15):
            async for event in phones.call():
                sid = sid or event.get("call_sid", "")
                result = event.get("result", result)
                if event["event"] == "agent_said":
                    said.append((event["turn"], event["text"]))
                    if not lines:
                        await phones.hang_up(sid)
                    else:
                        assert await phones.type_in(sid, lines.pop(0)) == 204
        assert await phones.type_in(sid, {"text": "is anybody there?"}) == 404
    assert said == [(0, "Hello."), (1, "I see, which one?"), (2, "Fine.")]
    prompts = [(prompt["voicePrompt"], prompt["lang"]) for prompt in app.of_type("prompt")]
    assert prompts == [("first words", "en-IN"), ("दूसरे शब्द", "hi-IN")]
    told = [(info["name"], info["value"]) for info in app.of_type("info")]
    assert told[:3] == [("agentSpeaking", "on"), ("agentSpeaking", "off"), ("tokensPlayed", "Hello.")]
    assert (speech.said, result["media_opened"], result["errors"]) == ([], True, [])


@pytest.mark.parametrize(
    "document", [[], {}, {"text": " "}, {"text": 5}, {"text": "x", "to": "y"}, {"text": "x", "language": 1}]
)
async def test_what_is_not_typed_rightly_is_refused(document: object) -> None:
    app, statuses = TextApp(replies=[[text("Hello.")]]), []
    async with network(app, ToneSpeech()) as phones:
        app.twiml("/api/webhooks/twilio/voice", relay(app))
        sid = ""
        async for event in phones.call():
            sid = sid or event.get("call_sid", "")
            if event["event"] == "agent_said":
                statuses.append(await phones.type_in(sid, document))
                await phones.hang_up(sid)
    assert statuses == [400]
    assert not app.of_type("prompt")


async def test_who_does_not_type_cannot_be_typed_for() -> None:
    app, statuses = TextApp(replies=[[text("Hello.")]]), []
    async with network(app, ToneSpeech()) as phones:
        app.twiml("/api/webhooks/twilio/voice", relay(app))
        async for event in phones.call(typed=False):
            if event["event"] == "call_started":
                statuses.append(await phones.type_in(event["call_sid"], {"text": "x"}))
                await phones.hang_up(event["call_sid"])
    assert statuses == [404]
