"""The realtime session, as OpenAI's own client speaks it."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from tests.local_stack.speech.conftest import Service, scripted_service

SETTINGS: dict[str, Any] = {
    "type": "transcription",
    "audio": {
        "input": {
            "format": {"type": "audio/pcm", "rate": 24000},
            "transcription": {"model": "scripted", "language": "en"},
            "turn_detection": None,
        }
    },
}


def sound(duration_ms: int) -> str:
    return base64.b64encode(b"\x00\x10" * (24 * duration_ms)).decode()


@asynccontextmanager
async def session(service: Service) -> AsyncIterator[Any]:
    async with service.openai.realtime.connect(extra_query={"intent": "transcription"}) as connection:
        assert (await connection.recv()).type == "session.created"
        yield connection


async def hear(connection: Any, duration_ms: int = 500) -> list[Any]:
    """The events of one committed item."""
    await connection.input_audio_buffer.append(audio=sound(duration_ms))
    await connection.input_audio_buffer.commit()
    events = []
    while not events or events[-1].type.rpartition(".")[2] not in ("completed", "failed", "error"):
        events.append(await connection.recv())
    return events


async def test_a_session_transcribes_item_by_item() -> None:
    latencies = {"stt_ms": 120}
    dialogue = [{"heard": "One.", "reply": ""}, {"heard": "Two.", "reply": ""}]
    async with scripted_service({"latencies": latencies, "dialogue": dialogue}) as service, session(service) as it:
        await it.session.update(session=SETTINGS)
        assert (await it.recv()).type == "session.updated"
        first, second = await hear(it), await hear(it, 1500)
        assert [event.type.rpartition(".")[2] for event in first] == ["committed", "delta", "completed"]
        assert (first[1].delta, first[2].transcript, second[2].transcript) == ("One.", "One.", "Two.")
        assert first[0].item_id == first[2].item_id == second[0].previous_item_id
        entries = await service.timeline()
        assert [entry["details"]["audio_ms"] for entry in entries] == [500, 1500]
        for entry in entries:
            assert entry["done_ms"] - entry["complete_ms"] == pytest.approx(120, abs=30)


async def test_requests_and_items_are_counted_together() -> None:
    dialogue = [{"heard": text, "reply": ""} for text in ("One.", "Two.", "Three.")]
    latencies = {"stt_ms": 1}
    async with scripted_service({"latencies": latencies, "dialogue": dialogue}) as service, session(service) as it:
        assert await service.transcribe() == "One."
        assert (await hear(it))[-1].transcript == "Two."
        assert await service.transcribe() == "Three."
        assert [entry["number"] for entry in await service.timeline()] == [1, 2, 3]


async def test_what_was_cleared_is_not_heard(service: Service) -> None:
    async with session(service) as it:
        await it.input_audio_buffer.append(audio=sound(900))
        await it.input_audio_buffer.clear()
        assert (await it.recv()).type == "input_audio_buffer.cleared"
        await hear(it, 300)
        assert [entry["details"]["audio_ms"] for entry in await service.timeline()] == [300]


@pytest.mark.parametrize("kind", ["http_500", "http_429"])
async def test_an_item_that_fails_leaves_the_session(service: Service, kind: str) -> None:
    await service.http.post("/faults", json={"step": "stt", "kind": kind})
    async with session(service) as it:
        failed = (await hear(it))[-1]
        assert failed.type.endswith("failed")
        assert failed.error.code == kind
        assert (await hear(it))[-1].type.endswith("completed")


async def test_an_empty_answer_completes(service: Service) -> None:
    await service.http.post("/faults", json={"step": "stt", "kind": "empty"})
    async with session(service) as it:
        assert (await hear(it))[-1].transcript == ""


async def test_a_cut_ends_the_connection(service: Service) -> None:
    await service.http.post("/faults", json={"step": "stt", "kind": "cut"})
    async with aiohttp.ClientSession() as http:
        headers = {"Authorization": "Bearer local"}
        async with http.ws_connect(f"{service.url}/v1/realtime?intent=transcription", headers=headers) as it:
            await it.send_json({"type": "input_audio_buffer.append", "audio": sound(300)})
            await it.send_json({"type": "input_audio_buffer.commit"})
            kinds = [message.type async for message in it]
            assert it.closed
            assert it.close_code != 1000
            assert all(kind is aiohttp.WSMsgType.TEXT for kind in kinds)


@pytest.mark.parametrize(
    ("event", "code"),
    [
        ({"type": "input_audio_buffer.commit"}, "input_audio_buffer_commit_empty"),
        ({"type": "input_audio_buffer.append", "audio": "*"}, "invalid_audio"),
        ({"type": "session.update", "session": {"type": "realtime"}}, "invalid_parameter"),
        ({"type": "response.create"}, "invalid_value"),
        ({"no": "type"}, "invalid_event"),
        ([], "invalid_event"),
        (
            {
                "type": "session.update",
                "session": {"type": "transcription", "audio": {"input": {"turn_detection": {"type": "server_vad"}}}},
            },
            "invalid_value",
        ),
    ],
)
async def test_events_that_are_refused(service: Service, event: Any, code: str) -> None:
    if isinstance(event, dict):
        event = {**event, "event_id": "mine"}
    async with aiohttp.ClientSession() as http:
        headers = {"Authorization": "Bearer local"}
        async with http.ws_connect(f"{service.url}/v1/realtime?intent=transcription", headers=headers) as it:
            await it.receive_json()
            await it.send_json(event)
            answer = await it.receive_json()
            assert (answer["type"], answer["error"]["code"]) == ("error", code)
            assert answer["error"]["event_id"] == ("mine" if isinstance(event, dict) else None)
            await it.send_str("}{")
            assert (await it.receive_json())["error"]["code"] == "invalid_event"


@pytest.mark.parametrize(("query", "status"), [("", 400), ("?model=x", 400), ("?intent=transcription&model=x", 400)])
async def test_only_transcription_is_served(service: Service, query: str, status: int) -> None:
    async with aiohttp.ClientSession(headers={"Authorization": "Bearer local"}) as http:
        with pytest.raises(aiohttp.WSServerHandshakeError) as error:
            await http.ws_connect(f"{service.url}/v1/realtime{query}")
        assert error.value.status == status


async def test_a_key_is_needed(service: Service) -> None:
    async with aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.WSServerHandshakeError) as error:
            await http.ws_connect(f"{service.url}/openai/v1/realtime?intent=transcription")
        assert error.value.status == 401
