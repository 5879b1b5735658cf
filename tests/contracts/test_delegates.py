"""Meeting a voice agent of Sarvam's on its socket: the local stand-in, and one that does as a test says."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from local_stack.phones.exchange import Setup
from local_stack.phones.provider_speech import ProviderSpeech
from local_stack.phones.sarvam.exchange import open_exchange
from shared.adapters.sarvam.agent_socket import SamvaadDelegates, SamvaadSession
from shared.adapters.sarvam.agents_api import AgentsApi, Workspace
from shared.domain.audio import BYTES_PER_MS
from shared.domain.errors import TelephonyError
from shared.domain.manner import Delegate, Platform
from shared.ports.delegates import DelegateEvent, Interrupted, Meeting, Over, Sound, Uttered
from tests.contracts.speech_service import scripted_service, stub_service
from tests.contracts.test_call_control_sarvam import ENVIRONMENT
from tests.fakes.call import silence, voice
from tests.services import free_port

MEETING = Meeting("call-1", "+919800000002", "hi", "Namaste.", {"conversation_so_far": "Hi."})
DESK = Delegate(Platform.SAMVAAD, "desk", 7)
Deed = Callable[[web.WebSocketResponse, dict[str, Any]], Awaitable[None]]


def delegates(url: str, **options: Any) -> SamvaadDelegates:
    return SamvaadDelegates(AgentsApi(Workspace("org", "space", "key", url)), **options)


@asynccontextmanager
async def meeting(url: str, meeting: Meeting = MEETING, **options: Any) -> AsyncIterator[SamvaadSession]:
    made = delegates(url, **options)
    try:
        session = await made.open(DESK, meeting)
        yield session
        await session.end()
    finally:
        await made.close()


# the local stand-in


@asynccontextmanager
async def platform(dialogue: list[dict[str, Any]]) -> AsyncIterator[str]:
    async with scripted_service(dialogue) as speech:
        app = web.Application()
        exchange = open_exchange(Setup(ENVIRONMENT, "http://127.0.0.1:9", None, ProviderSpeech(speech.url)))
        assert exchange is not None
        exchange.add_routes(app)
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()


DIALOGUE = [{"heard": "My phone is broken.", "reply": "I am sorry."}]


async def until(events: Any, kind: type, within_s: float = 10.0) -> list[DelegateEvent]:
    seen: list[DelegateEvent] = []
    async with asyncio.timeout(within_s):
        async for event in events:
            seen.append(event)
            if isinstance(event, kind) and (not isinstance(event, Sound) or event.is_last):
                return seen
    raise AssertionError(f"no {kind.__name__} in {seen}")


async def test_a_conversation() -> None:
    async with platform(DIALOGUE) as url, meeting(url) as session, aclosing(session.events()) as events:
        greeted = await until(events, Sound)
        assert greeted[0] == Uttered(False, "Namaste.")
        for _ in range(10):
            await session.hear(voice(100))
        await session.hear(silence(1000))
        answered = [event for event in await until(events, Sound) if not isinstance(event, Interrupted)]
        assert answered[:2] == [Uttered(True, "My phone is broken."), Uttered(False, "I am sorry.")]
        assert all(len(event.pcm) % 2 == 0 for event in answered if isinstance(event, Sound))


async def test_who_speaks_into_its_words_interrupts_it() -> None:
    async with platform(DIALOGUE) as url, meeting(url) as session, aclosing(session.events()) as events:
        await until(events, Sound)
        for _ in range(5):
            await session.hear(voice(100))
        assert isinstance((await until(events, Interrupted))[-1], Interrupted)


@pytest.mark.parametrize(("mood", "ends"), [("drop", TelephonyError), ("hang_up", Over), ("nonsense", Sound)])
async def test_an_agent_that_misbehaves(mood: str, ends: type) -> None:
    wayward = Meeting("call-1", "carl", "en", "Hello.", {"misbehave": mood})
    async with platform(DIALOGUE) as url, meeting(url, wayward) as session, aclosing(session.events()) as events:
        await until(events, Sound)
        await session.hear(voice(1000))
        await session.hear(silence(1000))
        if ends is TelephonyError:
            with pytest.raises(TelephonyError):
                await until(events, Over)
        else:
            await until(events, ends)


async def test_an_agent_that_does_not_want_to() -> None:
    async with platform(DIALOGUE) as url:
        made = delegates(url)
        with pytest.raises(TelephonyError) as error:
            await made.open(DESK, Meeting("call-1", "", "en", "", {"misbehave": "refuse"}))
        assert error.value.code == "sarvam_refused"
        await made.close()


# one that does as a test says


class Agent:
    """Gives a link to its socket, and does something at each message."""

    def __init__(self, deed: Deed | None = None) -> None:
        self.deed = deed
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.messages: list[dict[str, Any]] = []
        self.link: Any = None

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append((request.path, dict(request.query)))
        if not request.path.startswith("/socket"):
            url = f"ws://{request.host}/socket?signature=a%2Fb"
            return web.json_response({"url": url, "reference_id": "r"} if self.link is None else self.link)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            self.messages.append(json.loads(message.data))
            if self.deed is not None:
                await self.deed(socket, self.messages[-1])
        return socket


async def say(socket: web.WebSocketResponse, kind: str, **facts: Any) -> None:
    await socket.send_json({"origin": "server", "type": f"server.{kind}", "timestamp": 1.0, **facts})


def after_start(*messages: tuple[str, dict[str, Any]]) -> Deed:
    async def deed(socket: web.WebSocketResponse, message: dict[str, Any]) -> None:
        if message["type"] == "client.action.interaction_start":
            await say(socket, "system.ping", event_id=1)
            await say(socket, "action.interaction_connected", reference_id="r", interaction_id="i")
            for kind, facts in messages:
                await say(socket, kind, **facts)

    return deed


async def test_what_is_asked_and_said() -> None:
    agent = Agent(after_start(("system.ping", {"event_id": 5}), ("action.interaction_end", {})))
    async with stub_service(agent.answer) as service, meeting(service.url) as session:
        await session.hear(b"\x01\x02" * 160)
        assert [event async for event in session.events()] == [Over()]
    assert agent.asked == [
        ("/api/app-runtime/orgs/org/workspaces/space/apps/desk/url", {"interaction_type": "call", "version": "7"}),
        (
            "/socket",
            {
                "signature": "a/b",
                "user_identifier": "+919800000002",
                "user_identifier_type": "phone_number",
                "sample_rate": "16000",
                "interaction_type": "call",
            },
        ),
    ]
    kinds = [message["type"].removeprefix("client.") for message in agent.messages]
    assert kinds == [
        "action.interaction_start",
        "system.pong",
        "media.audio_chunk",
        "system.pong",
        "action.interaction_end",
    ]
    start, _, chunk, pong, _ = agent.messages
    assert start["agent_variables"] == {"voice_agent_call": "call-1", "conversation_so_far": "Hi."}
    assert (start["initial_language_name"], start["initial_bot_message"]) == ("Hindi", "Namaste.")
    assert base64.b64decode(chunk["audio_base64"]) == b"\x01\x02" * 160
    assert (chunk["sample_rate"], pong["event_id"], start["origin"]) == (16000, 5, "client")


@pytest.mark.parametrize(("caller", "kind"), [("carl", "custom"), ("", "unknown"), ("919800000002", "phone_number")])
async def test_who_calls_is_told(caller: str, kind: str) -> None:
    agent = Agent(after_start())
    async with stub_service(agent.answer) as service, meeting(service.url, Meeting("c", caller, "en")):
        assert agent.asked[1][1]["user_identifier_type"] == kind


async def test_what_is_not_known_is_passed_over() -> None:
    unknown = "user_speech_start user_speech_end variable_update language_change state_transition kb_query tool_call"
    sound = {"audio_base64": base64.b64encode(bytes(480)).decode(), "sample_rate": 24000, "status": "completed"}
    agent = Agent(
        after_start(
            *((f"event.{kind}", {"value": [1]}) for kind in unknown.split()),
            ("media.audio_chunk", {"audio_base64": "§", "status": "pending"}),
            ("media.audio_chunk", {"audio_base64": "AAAA", "sample_rate": 7}),
            ("media.audio_chunk", {"audio_base64": None}),
            ("event.transcription", {"role": "user", "content": 7}),
            ("media.text", {"text": "x"}),
            ("media.audio_chunk", sound),
            ("event.transcription", {"role": "bot", "content": " Yes. "}),
            ("action.interaction_end", {}),
        )
    )
    async with stub_service(agent.answer) as service, meeting(service.url) as session:
        events = [event async for event in session.events()]
    assert events[1:] == [Uttered(False, "Yes."), Over()]
    assert isinstance(events[0], Sound)
    assert abs(len(events[0].pcm) / BYTES_PER_MS - 10) <= 2


@pytest.mark.parametrize("message", ["}{", "[]", "7", '{"type": 3}', "null"])
async def test_messages_that_are_none(message: str) -> None:
    async def deed(socket: web.WebSocketResponse, received: dict[str, Any]) -> None:
        if received["type"] == "client.action.interaction_start":
            await socket.send_str(message)
            await socket.send_bytes(b"\x00")
            await say(socket, "action.interaction_connected")
            await socket.send_str(message)
            await say(socket, "action.interaction_end")

    agent = Agent(deed)
    async with stub_service(agent.answer) as service, meeting(service.url) as session:
        assert [event async for event in session.events()] == [Over()]


async def test_an_agent_that_falls_silent_is_gone() -> None:
    agent = Agent(after_start())
    async with stub_service(agent.answer) as service, meeting(service.url, silent_s=0.2) as session:
        with pytest.raises(TelephonyError) as error:
            await until(session.events(), Over)
        assert error.value.retryable


async def test_whoever_speaks_to_one_that_is_gone_learns_it() -> None:
    async def deed(socket: web.WebSocketResponse, received: dict[str, Any]) -> None:
        if received["type"] == "client.action.interaction_start":
            await say(socket, "action.interaction_connected")
            await socket.close(code=1011)

    agent = Agent(deed)
    async with stub_service(agent.answer) as service, meeting(service.url) as session:
        with pytest.raises(TelephonyError):
            await until(session.events(), Over)
        with pytest.raises(TelephonyError):
            await session.hear(bytes(320))


@pytest.mark.parametrize("link", [{}, [], {"url": None}, {"url": "http://x"}, {"url": "ws://127.0.0.1:1/"}])
async def test_a_link_that_leads_nowhere(link: Any) -> None:
    agent = Agent()
    agent.link = link
    async with stub_service(agent.answer) as service:
        made = delegates(service.url)
        with pytest.raises(TelephonyError):
            await made.open(DESK, MEETING)
        await made.close()


async def test_a_platform_that_is_not_there() -> None:
    made = delegates(f"http://127.0.0.1:{free_port()}")
    with pytest.raises(TelephonyError) as error:
        await made.open(DESK, MEETING)
    assert error.value.retryable
    await made.close()
