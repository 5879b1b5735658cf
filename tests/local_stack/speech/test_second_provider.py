"""Under its own prefix the service is another provider: with its own faults, for the same calls."""

from __future__ import annotations

import pytest
from openai import AsyncOpenAI, InternalServerError

from tests.local_stack.speech.conftest import Service, scripted_service, wav

QUICK = {"stt_ms": 1, "ttft_ms": 1, "token_ms": 1, "tts_first_byte_ms": 1, "tts_rate_x_realtime": 50}


def fallback_of(service: Service) -> Service:
    client = AsyncOpenAI(base_url=f"{service.url}/fallback/v1", api_key="local", max_retries=0, timeout=10)
    return Service(service.url, client, service.http)


async def attempt(service: Service, step: str) -> object:
    match step:
        case "stt":
            return await service.transcribe()
        case "llm":
            return await service.say("Hello.")
        case _:
            return await service.speak("Hello there.")


@pytest.mark.parametrize("step", ["stt", "llm", "tts"])
@pytest.mark.parametrize("provider", [None, "primary", "fallback"])
async def test_a_fault_is_one_providers(service: Service, step: str, provider: str | None) -> None:
    sides = {"primary": service, "fallback": fallback_of(service)}
    order = {"step": step, "kind": "http_500"} | ({"provider": provider} if provider else {})
    assert (await service.http.post("/faults", json=order)).status_code == 200
    ill = sides.pop(provider or "primary")
    (well,) = sides.values()
    assert await attempt(well, step)
    with pytest.raises(InternalServerError):
        await attempt(ill, step)
    assert await attempt(ill, step)


async def test_the_timeline_tells_them_apart(service: Service) -> None:
    for side in (service, fallback_of(service), fallback_of(service)):
        await side.say("Hello.")
    found = [(entry["provider"], entry["number"]) for entry in await service.timeline()]
    assert found == [("primary", 1), ("fallback", 1), ("fallback", 2)]


async def test_both_know_how_far_the_calls_are() -> None:
    dialogue = [
        {"heard": text, "reply": "Yes.", "faults": {"llm": "http_500"}} for text in ("One.", "Two.", "Three.")
    ]
    async with scripted_service({"latencies": QUICK, "dialogue": dialogue}) as service:
        fallback = fallback_of(service)
        assert await service.transcribe() == "One."
        assert await fallback.transcribe() == "Two."
        assert await service.transcribe() == "Three."
        assert await fallback.say("Two.") == ["Yes."], "the script's faults are the first provider's"
        with pytest.raises(InternalServerError):
            await service.say("Two.")
        await service.http.post("/reset")
        assert await fallback.transcribe() == "One."
        await service.http.post("/script", json=[{"heard": "Other.", "reply": "No."}])
        assert await fallback.transcribe() == "Other."


async def test_the_models_are_listed(service: Service) -> None:
    assert (await service.http.get("/fallback/v1/models")).json()["data"]
    answer = await service.http.post("/fallback/openai/deployments/x/audio/transcriptions", files={"file": wav()})
    assert answer.status_code == 200


async def test_an_unknown_provider_is_refused(service: Service) -> None:
    answer = await service.http.post("/faults", json={"step": "llm", "kind": "cut", "provider": "third"})
    assert answer.status_code == 400
    assert "unknown provider 'third'; known: primary, fallback" in answer.text


async def test_silence_has_the_right_length(service: Service) -> None:
    await service.http.post("/faults", json={"step": "tts", "kind": "silent"})
    silent = await service.speak("Hello there.")
    assert not any(silent)
    assert len(silent) == len(await service.speak("Hello there."))
    refusal = await service.http.post("/faults", json={"step": "llm", "kind": "silent"})
    assert (refusal.status_code, "only tts can be silent" in refusal.text) == (400, True)
