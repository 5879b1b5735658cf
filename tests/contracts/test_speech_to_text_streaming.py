"""Transcription over a connection that is fed while the caller speaks: what goes over it, and what if it fails."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import WSMsgType, web

from shared.domain.errors import SpeechToTextError
from tests.contracts.ears import STREAMING, Ear, asking, ear, feed, spoken
from tests.contracts.speech_service import stub_service
from tests.fakes.call import silence, voice

Answering = Callable[[web.WebSocketResponse, dict[str, Any]], Awaitable[None]]


@pytest.fixture(params=STREAMING)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class Provider:
    """A socket that does as a test says, and requests that are answered with "By request."."""

    def __init__(self, answering: Answering | None = None) -> None:
        self.events: list[dict[str, Any]] = []
        self.handshakes: list[web.Request] = []
        self.sockets: list[web.WebSocketResponse] = []
        self.requested: list[int] = []
        self.refuses = False
        self._answering = answering

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Upgrade") == "websocket":
            return await self._converse(request)
        if request.method == "POST":
            self.requested.append(len((await request.post())["file"].file.read()) - 44)  # type: ignore[union-attr]
        return web.json_response({"text": "By request.", "transcript": "By request."})

    async def _converse(self, request: web.Request) -> web.StreamResponse:
        self.handshakes.append(request)
        if self.refuses:
            return web.Response(status=503)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.sockets.append(socket)
        await socket.send_json({"type": "session.created", "event": "session.begin", "request_id": "1"})
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                event = json.loads(message.data)
                self.events.append(event)
                if self._answering:
                    await self._answering(socket, event)
        return socket

    def kinds(self) -> list[str]:
        """What came, repetitions left out."""
        kinds = [event.get("type", event.get("event")) for event in self.events]
        return [name for number, name in enumerate(kinds) if number == 0 or kinds[number - 1] != name]

    def sound(self) -> bytes:
        return b"".join(base64.b64decode(event["audio"]) for event in self.events if "audio" in event)


@asynccontextmanager
async def speaking_with(kind: str, provider: Provider, **patience: float) -> AsyncIterator[Ear]:
    async with stub_service(provider.answer) as service, asking(kind, service.url, **patience) as made:
        yield Ear(made, service)


def is_end(event: dict[str, Any]) -> bool:
    return event.get("type") == "input_audio_buffer.commit" or event.get("event") == "speech_end"


def echo(*texts: str) -> Answering:
    """Answers the commits with these texts, one after the other."""
    rest, items = list(texts), 0

    async def answer(socket: web.WebSocketResponse, event: dict[str, Any]) -> None:
        nonlocal items
        if not is_end(event):
            return
        items += 1
        text = rest.pop(0)
        await socket.send_json(
            {
                "type": "input_audio_buffer.committed",
                "item_id": f"i{items}",
                "event": "transcript.partial",
                "text": "…",
            }
        )
        await socket.send_json(
            {
                "type": "conversation.item.input_audio_transcription.completed",
                "item_id": f"i{items}",
                "transcript": text,
                "event": "transcript.final",
                "utterance_idx": items - 1,
                "text": text,
            }
        )

    return answer


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(3):
        while not condition():
            await asyncio.sleep(0.005)


async def test_sound_goes_out_while_it_is_spoken(kind: str) -> None:
    provider = Provider(echo("Yes."))
    async with speaking_with(kind, provider) as it:
        turn = it.open()
        assert not provider.handshakes
        await feed(turn, 1000)
        await until(lambda: len(provider.sound()) > 16_000)
        assert not any(map(is_end, provider.events))
        assert await turn.words() == "Yes."
        await turn.close()
    assert provider.requested == []


async def test_what_openai_is_told() -> None:
    provider = Provider(echo("Yes."))
    async with speaking_with("realtime", provider) as it:
        turn = it.open(language="de-DE")
        await feed(turn, 1000)
        assert await turn.words() == "Yes."
        await turn.close()
    (handshake,) = provider.handshakes
    assert handshake.path_qs == "/v1/realtime?intent=transcription"
    assert handshake.headers["authorization"] == "Bearer local"
    assert handshake.headers["x-call-id"] == "call-1"
    assert provider.events[0]["session"] == {
        "type": "transcription",
        "audio": {
            "input": {
                "format": {"type": "audio/pcm", "rate": 24000},
                "transcription": {"model": "scripted", "language": "de"},
                "turn_detection": None,
            }
        },
    }
    assert provider.kinds() == ["session.update", "input_audio_buffer.append", "input_audio_buffer.commit"]
    assert len(provider.sound()) == pytest.approx(48_000, abs=40)


async def test_what_sarvam_is_told() -> None:
    provider = Provider(echo("हाँ"))
    async with speaking_with("sarvam", provider) as it:
        turn = it.open(language="or")
        await feed(turn, 1000)
        assert await turn.words() == "हाँ"
        await turn.close()
    (handshake,) = provider.handshakes
    assert handshake.path == "/sarvam/speech-to-text-realtime/ws"
    assert handshake.headers["api-subscription-key"] == "local"
    assert dict(handshake.query) == {
        "language_code": "or-IN",
        "model": "saaras:v3-realtime",
        "stream_type": "fast",
        "endpointing": "manual",
        "encoding": "linear16",
        "sample_rate": "16000",
    }
    assert provider.kinds() == ["speech_start", "audio_input", "speech_end"]
    assert provider.sound() == voice(20) * 50


async def test_an_item_is_never_too_short_for_a_commit() -> None:
    async with ear("realtime", "Hm.") as it:
        turn = it.open()
        turn.feed(voice(20))
        assert await turn.words() == "Hm."
        (entry,) = await spoken(it.service)
        assert entry["details"] == {"audio_ms": 100, "transport": "realtime", "call_id": "call-1"}
        await turn.close()


async def test_one_connection_serves_a_call_from_turn_to_turn(kind: str) -> None:
    provider = Provider(echo("One.", "Two.", "Three."))
    async with speaking_with(kind, provider) as it:
        for text in ("One.", "Two."):
            turn = it.open("call-1")
            await feed(turn, 300)
            assert await turn.words() == text
            await turn.close()
        other = it.open("call-2")
        await feed(other, 300)
        assert await other.words() == "Three."
        await other.close()
    assert len(provider.handshakes) == 2


async def test_a_connection_that_nobody_uses_is_closed(kind: str) -> None:
    provider = Provider(echo("One."))
    async with speaking_with(kind, provider, idle_s=0.05) as it:
        turn = it.open()
        await feed(turn, 300)
        await turn.words()
        await turn.close()
        await until(lambda: provider.sockets[0].closed)


async def test_sound_of_a_turn_that_was_dropped_is_not_heard_in_the_next(kind: str) -> None:
    async with ear(kind, *["One."] * 2) as it:
        dropped = it.open()
        await feed(dropped, 700)
        await asyncio.sleep(0.1)
        await dropped.close()
        turn = it.open()
        await feed(turn, 300)
        assert await turn.words() == "One."
        assert (await spoken(it.service))[-1]["details"]["audio_ms"] == pytest.approx(300, abs=5)
        await turn.close()


async def test_what_follows_a_long_stretch_is_heard_alone(kind: str) -> None:
    async with ear(kind, "A long story", "And its end.", stt_ms=150) as it:
        turn = it.open()
        await feed(turn, 5000)
        asking_words = asyncio.create_task(turn.words())
        await asyncio.sleep(0.05)
        asking_words.cancel()
        await feed(turn, 600)
        assert await turn.words() == "A long story and its end."
        heard_ms = [entry["details"]["audio_ms"] for entry in await spoken(it.service)]
        assert heard_ms == pytest.approx([5000, 600], abs=5)
        await turn.close()


async def test_nothing_is_sent_twice_before_it_is_known_not_to_be_cut_off(kind: str) -> None:
    provider = Provider(echo("One", "Two."))
    async with speaking_with(kind, provider) as it:
        turn = it.open()
        await feed(turn, 500)
        assert await turn.words() == "One"
        sent = len(provider.events)
        for _ in range(15):
            turn.feed(silence(20))
            await asyncio.sleep(0.005)
        assert len(provider.events) == sent
        turn.cut()
        await feed(turn, 500)
        await until(lambda: len(provider.events) > sent)
        assert await turn.words() == "One Two."
        await turn.close()


# What fails


async def garbage(socket: web.WebSocketResponse, event: dict[str, Any]) -> None:
    if is_end(event):
        await socket.send_str("}{")


async def senseless(socket: web.WebSocketResponse, event: dict[str, Any]) -> None:
    if is_end(event):
        await socket.send_json({"type": "conversation.item.input_audio_transcription.completed", "event": "error"})
        await socket.send_json([1])


async def goes(socket: web.WebSocketResponse, event: dict[str, Any]) -> None:
    if is_end(event):
        await socket.close()


async def stalls(socket: web.WebSocketResponse, event: dict[str, Any]) -> None:
    """Says nothing."""


async def complains(socket: web.WebSocketResponse, event: dict[str, Any]) -> None:
    if is_end(event):
        error = {"type": "server_error", "code": "broken", "message": "no", "event_id": event.get("event_id")}
        await socket.send_json(
            {"type": "error", "error": error, "event": "error", "code": "model_call_error", "is_fatal": True}
        )


@pytest.mark.parametrize("answering", [garbage, senseless, goes, stalls, complains])
async def test_where_the_connection_fails_a_request_answers(kind: str, answering: Answering) -> None:
    provider = Provider(answering)
    async with speaking_with(kind, provider, patience_s=0.3) as it:
        turn = it.open()
        await feed(turn, 1000)
        assert await turn.words() == "By request."
        assert provider.requested == [32_000]
        turn.cut()
        await feed(turn, 500)
        assert await turn.words() == "By request. By request."
        assert provider.requested == [32_000, 16_000]
        await turn.close()


async def test_a_connection_that_is_refused_is_left_alone_for_a_while(kind: str) -> None:
    provider = Provider()
    provider.refuses = True
    async with speaking_with(kind, provider, rest_s=60) as it:
        for _ in range(3):
            turn = it.open()
            await feed(turn, 1000)
            assert await turn.words() == "By request."
            await turn.close()
    assert len(provider.handshakes) == 1


async def test_a_connection_that_is_lost_while_the_caller_speaks_is_made_anew(kind: str) -> None:
    provider = Provider(echo("All of it."))
    async with speaking_with(kind, provider) as it:
        turn = it.open()
        await feed(turn, 1000)
        await until(lambda: len(provider.sound()) > 10_000)
        await provider.sockets[0].close()
        provider.events.clear()
        await asyncio.sleep(0.05)
        await feed(turn, 500)
        assert await turn.words() == "All of it."
        await turn.close()
    assert len(provider.sockets) == 2
    seconds = len(provider.sound()) / (48_000 if kind == "realtime" else 32_000)
    assert seconds == pytest.approx(1.5, abs=0.01)
    assert provider.requested == []


async def test_sarvam_refuses_a_session_by_an_event() -> None:
    async def provider(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        error = {
            "event": "error",
            "code": "authentication_error",
            "is_fatal": True,
            "status_code": 403,
            "message": "",
        }
        await socket.send_json(error)
        await socket.close(code=1003)
        return socket

    async with stub_service(provider) as service, asking("sarvam", service.url) as made:
        with pytest.raises(SpeechToTextError) as refusal:
            await made.connect(language="en", call_id="call-1")  # type: ignore[union-attr]
        assert (refusal.value.code, refusal.value.retryable) == ("sarvam_refused", False)


async def test_openai_does_not_accept_the_session() -> None:
    async def refuse(socket: web.WebSocketResponse, event: dict[str, Any]) -> None:
        if event["type"] == "session.update":
            error = {"type": "invalid_request_error", "code": "invalid_model", "event_id": event["event_id"]}
            await socket.send_json({"type": "error", "error": error})

    provider = Provider(refuse)
    async with speaking_with("realtime", provider) as it:
        turn = it.open()
        await feed(turn, 1000)
        assert await turn.words() == "By request."
        await turn.close()


async def test_a_request_has_the_rest_of_the_time(kind: str) -> None:
    async def provider(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(5)
        return web.Response()

    async with stub_service(provider) as service, asking(kind, service.url, patience_s=0.1, deadline_s=0.3) as made:
        turn = made.open(language="en", call_id="call-1")
        await feed(turn, 500)
        with pytest.raises(SpeechToTextError, match=r"transcription_late|unavailable"):
            await turn.words()
        await turn.close()
