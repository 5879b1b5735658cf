"""What goes wrong on demand."""

from __future__ import annotations

import asyncio

import httpx
import openai
import pytest

from local_stack.speech.audio import wav_header
from local_stack.speech.backend import SPEECH_RATE_HZ
from tests.local_stack.speech.conftest import Service, eventually, scripted_service, wav

QUICK = {"stt_ms": 1, "ttft_ms": 1, "token_ms": 1, "tts_first_byte_ms": 1, "tts_rate_x_realtime": 50}


async def order(service: Service, **fault: object) -> None:
    assert (await service.http.post("/faults", json=fault)).status_code == 200


async def attempt(service: Service, step: str) -> object:
    match step:
        case "stt":
            return await service.transcribe()
        case "llm":
            return await service.say("Hello.")
        case _:
            return await service.speak("Hello there, how are you today?")


@pytest.mark.parametrize("step", ["stt", "llm", "tts"])
@pytest.mark.parametrize(
    ("kind", "error"), [("http_500", openai.InternalServerError), ("http_429", openai.RateLimitError)]
)
async def test_statuses(service: Service, step: str, kind: str, error: type[Exception]) -> None:
    await order(service, step=step, kind=kind, count=1, skip=1)
    await attempt(service, step)
    with pytest.raises(error):
        await attempt(service, step)
    await attempt(service, step)
    statuses = [entry["status"] for entry in await service.timeline()]
    assert statuses == [200, int(kind[-3:]), 200]


@pytest.mark.parametrize(("step", "nothing"), [("stt", ""), ("llm", []), ("tts", b"")])
async def test_empty_results(service: Service, step: str, nothing: object) -> None:
    await order(service, step=step, kind="empty")
    assert await attempt(service, step) == nothing
    assert await attempt(service, step) != nothing


async def test_nothing_said_is_a_wav_all_the_same(service: Service) -> None:
    await order(service, step="tts", kind="empty")
    spoken = await service.openai.audio.speech.create(model="m", voice="v", input="Hi.", response_format="wav")
    assert spoken.content == wav_header(SPEECH_RATE_HZ)


@pytest.mark.parametrize("step", ["stt", "llm", "tts"])
async def test_cut_before_the_first_byte(service: Service, step: str, caplog: pytest.LogCaptureFixture) -> None:
    await order(service, step=step, kind="cut")
    with pytest.raises((openai.APIConnectionError, httpx.RemoteProtocolError, httpx.ReadError)):
        await attempt(service, step)
    assert await attempt(service, step)
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_cut_in_the_middle_of_an_answer(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    pieces: list[str] = []
    with pytest.raises((openai.APIConnectionError, httpx.RemoteProtocolError, httpx.ReadError)):
        stream = await service.openai.chat.completions.create(
            model="m",
            messages=[{"role": "user", "content": "Hello."}],
            stream=True,
            extra_headers={"X-Scripted-Fault": "cut;at=5"},
        )
        async for chunk in stream:
            pieces.append(chunk.choices[0].delta.content or "")
    assert len([piece for piece in pieces if piece]) <= 5
    (entry,) = await service.timeline()
    assert entry["aborted_ms"] is not None
    assert entry["done_ms"] is None
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_a_stall_goes_on_when_it_is_over(service: Service) -> None:
    await order(service, step="llm", kind="stall", at=3, ms=150)
    assert len(await service.say("Hello.")) == 40
    (entry,) = await service.timeline()
    assert entry["done_ms"] - entry["first_byte_ms"] >= 150


async def test_who_gives_up_on_a_stall_is_noticed(service: Service) -> None:
    await order(service, step="stt", kind="stall")
    with pytest.raises(httpx.ReadTimeout):
        await service.http.post("/v1/audio/transcriptions", files={"file": wav()}, timeout=0.2)

    async def aborted() -> bool:
        return (await service.timeline())[0]["aborted_ms"] is not None

    await eventually(aborted)
    assert "number" in await service.transcribe()


async def test_faults_of_the_script_happen_once_so_that_a_retry_succeeds() -> None:
    dialogue = [
        {"heard": "One.", "reply": "First.", "faults": {"stt": "http_500", "llm": "empty", "tts": "http_429"}},
        {"heard": "Two.", "reply": "Second."},
    ]
    async with scripted_service({"latencies": QUICK, "dialogue": dialogue}) as service:
        with pytest.raises(openai.InternalServerError):
            await service.transcribe()
        assert await service.transcribe() == "One."
        assert await service.say("One.") == []
        assert await service.say("One.") == ["First."]
        with pytest.raises(openai.RateLimitError):
            await service.speak("First.")
        assert await service.speak("First.")
        assert await service.transcribe() == "Two."


@pytest.mark.parametrize(
    "fault", [{"step": "ears", "kind": "cut"}, {"step": "stt", "kind": "fire"}, {"step": "stt"}, 5]
)
async def test_impossible_faults_are_refused(service: Service, fault: object) -> None:
    answer = await service.http.post("/faults", json=fault)
    assert answer.status_code == 400


async def test_a_client_that_goes_away_ends_its_request(service: Service) -> None:
    slow = {"X-Scripted-Token-Ms": "50"}
    stream = await service.openai.chat.completions.create(
        model="m", messages=[{"role": "user", "content": "Hello."}], stream=True, extra_headers=slow
    )
    async for _ in stream:
        break
    await stream.close()

    async def aborted() -> bool:
        return (await service.timeline())[0]["aborted_ms"] is not None

    async with asyncio.timeout(1.5):  # the whole answer would take two seconds
        await eventually(aborted)
