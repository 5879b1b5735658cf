"""Scripted mode over the wire with the official client."""

from __future__ import annotations

import asyncio
import json
import time

import numpy as np
import pytest
from openai import AsyncAzureOpenAI

from local_stack.speech.audio import Pcm, wav_header
from local_stack.speech.scripted.tones import number_of
from tests.local_stack.speech.conftest import Service, scripted_service, wav


async def test_a_turn_is_tied_together_by_its_number(service: Service) -> None:
    for number in (1, 2):
        heard = await service.transcribe()
        assert f"number {number} " in heard
        pieces = await service.say(heard)
        assert len(pieces) == 40
        reply = "".join(pieces)
        sentences = [sentence for sentence in reply.replace("? ", ". ").split(". ") if sentence]
        assert len(sentences) == 3
        assert len(sentences[0].split()) == 12
        audio = await service.speak(sentences[0] + ".")
        samples = np.frombuffer(audio, "<i2") / np.float32(32768)
        assert number_of(Pcm(samples, 24000)) == number
    entries = await service.timeline()
    assert [(entry["kind"], entry["tag"]) for entry in entries] == [
        ("stt", 1), ("llm", 1), ("tts", 1), ("stt", 2), ("llm", 2), ("tts", 2),
    ]  # fmt: skip


async def test_moments_are_in_order_and_not_early() -> None:
    async with scripted_service() as service:
        began_ms = time.time() * 1000
        await service.say(await service.transcribe())
        await service.speak("x" * 100)
        stt, llm, tts = await service.timeline()
    for entry in (stt, llm, tts):
        moments = [entry[name] for name in ("received_ms", "complete_ms", "first_byte_ms", "done_ms")]
        assert moments == sorted(moments)
        assert moments[0] >= began_ms - 1
        assert entry["status"] == 200
        assert entry["aborted_ms"] is None
    slack = 1  # two clocks with a resolution of their own
    assert stt["first_byte_ms"] - stt["complete_ms"] >= 150 - slack
    assert llm["first_byte_ms"] - llm["complete_ms"] >= 200 - slack
    assert llm["done_ms"] - llm["complete_ms"] >= 200 + 39 * 20 - slack
    assert tts["first_byte_ms"] - tts["complete_ms"] >= 100 - slack
    # 4.5 s of audio: 100 ms at once, then 200 ms every 40 ms
    assert tts["details"]["audio_ms"] == 4500
    assert tts["done_ms"] - tts["complete_ms"] >= 100 + 22 * 40 - slack


async def test_many_calls_at_once_keep_their_schedule() -> None:
    async with scripted_service() as service:
        calls = 20

        async def call(number: int) -> None:
            await service.say(f"This is call number {number} speaking.")

        began_s = time.monotonic()
        await asyncio.gather(*(call(number) for number in range(calls)))
        assert time.monotonic() - began_s < 10  # one after the other it would take 20 s
        entries = await service.timeline()
    assert sorted(entry["tag"] for entry in entries) == list(range(calls))
    assert all(entry["first_byte_ms"] - entry["complete_ms"] >= 199 for entry in entries)


async def test_latencies_can_be_set_per_request(service: Service) -> None:
    headers = {"X-Scripted-Stt-Ms": "120", "X-Scripted-Ttft-Ms": "130", "X-Scripted-Tts-First-Byte-Ms": "140"}
    await service.say(await service.transcribe(extra_headers=headers), extra_headers=headers)
    await service.speak("Hello.", extra_headers=headers)
    waits = [entry["first_byte_ms"] - entry["complete_ms"] for entry in await service.timeline()]
    assert all(wait >= wanted - 1 for wait, wanted in zip(waits, (120, 130, 140), strict=True))


@pytest.mark.parametrize("headers", [{"X-Scripted-Stt-Ms": "soon"}, {"X-Scripted-Stt-Ms": "-1"}])
async def test_impossible_latencies_are_refused(service: Service, headers: dict[str, str]) -> None:
    answer = await service.http.post("/v1/audio/transcriptions", files={"file": wav()}, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"


DIALOGUE = [
    {"heard": "Are you open?", "reply": ["Yes", ", we", " are."]},
    {"heard": "Where is order {n}?", "reply": "Order {n} is here."},
]


async def test_dialogues_go_on_per_call() -> None:
    async with scripted_service(
        {"latencies": {"stt_ms": 1, "ttft_ms": 1, "token_ms": 0}, "dialogue": DIALOGUE}
    ) as service:
        heard = [await service.transcribe(prompt=call) for call in ("a", "b", "a", "b", "a")]
        assert heard[:2] == ["Are you open?"] * 2
        assert heard[2] == "Where is order 3?"
        assert heard[3] == "Where is order 4?"
        assert "number 5" in heard[4]
        assert await service.say(heard[0]) == ["Yes", ", we", " are."]
        assert "".join(await service.say("where is order 4?")) == "Order 4 is here."


async def test_reset_begins_anew(service: Service) -> None:
    await service.transcribe()
    await service.http.post("/reset")
    assert await service.timeline() == []
    assert "number 1 " in await service.transcribe()


async def test_scripts_can_be_replaced_while_it_runs(service: Service) -> None:
    assert (await service.http.post("/script", json=DIALOGUE)).json() == {"turns": 2}
    assert await service.transcribe() == "Are you open?"
    refused = await service.http.post("/script", json=[{"heard": 5}])
    assert refused.status_code == 400
    assert "dialogue[0]" in refused.json()["error"]["message"]


async def test_tool_calls_come_before_the_answer() -> None:
    call = {"name": "hang_up", "say": "So.", "arguments": {"why": "done"}}
    dialogue = [{"heard": "Bye.", "reply": "Goodbye.", "tool_call": call}]
    tool = {"type": "function", "function": {"name": "hang_up", "parameters": {"type": "object", "properties": {}}}}
    async with scripted_service({"latencies": {"ttft_ms": 1}, "dialogue": dialogue}) as service:
        messages: list[object] = [{"role": "user", "content": "Bye."}]
        first = await service.openai.chat.completions.create(model="m", messages=messages, tools=[tool])  # type: ignore[arg-type,list-item]
        (made,) = first.choices[0].message.tool_calls or []
        assert made.type == "function"
        assert json.loads(made.function.arguments) == {"why": "done"}
        assert (first.choices[0].message.content, first.choices[0].finish_reason) == ("So.", "tool_calls")
        messages += [first.choices[0].message, {"role": "tool", "tool_call_id": made.id, "content": "ok"}]
        second = await service.openai.chat.completions.create(model="m", messages=messages, tools=[tool])  # type: ignore[arg-type,list-item]
        assert second.choices[0].message.content == "Goodbye."


@pytest.mark.parametrize(
    ("told", "reply", "said"),
    [
        ('{"orders": [{"status": "on its way"}]}', "It is {result.orders.0.status}.", "It is on its way."),
        ('{"left": 2}', "There are {result.left} left.", "There are 2 left."),
        ('{"left": 2}', "It is {result.orders.0.status}.", "It is (nothing)."),
        ("closed", "They say {result} and {result.left}.", "They say closed and (nothing)."),
    ],
)
async def test_answers_say_what_a_tool_gave(told: str, reply: str, said: str) -> None:
    async with scripted_service(
        {"latencies": {"ttft_ms": 1}, "dialogue": [{"heard": "Well?", "reply": reply}]}
    ) as one:
        call = {"id": "c", "type": "function", "function": {"name": "look", "arguments": "{}"}}
        messages: list[object] = [
            {"role": "user", "content": "Well?"},
            {"role": "assistant", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c", "content": told},
        ]
        answer = await one.openai.chat.completions.create(model="m", messages=messages)  # type: ignore[arg-type]
    assert answer.choices[0].message.content == said


async def test_json_schema_gets_a_value_that_fits(service: Service) -> None:
    schema = {
        "type": "object",
        "properties": {
            "mood": {"enum": ["calm", "angry"]},
            "topics": {"type": "array", "items": {"$ref": "#/$defs/topic"}, "minItems": 1},
            "score": {"type": ["integer", "null"], "minimum": 1},
        },
        "$defs": {"topic": {"type": "object", "properties": {"name": {"type": "string"}}}},
    }
    answer = await service.openai.chat.completions.create(
        model="m",
        messages=[{"role": "user", "content": "Analyse."}],
        response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": schema}},
    )
    value = json.loads(answer.choices[0].message.content or "")
    assert value == {"mood": "calm", "topics": [{"name": "scripted"}], "score": 1}


async def test_usage_comes_when_it_is_asked_for(service: Service) -> None:
    for wanted in (True, False):
        stream = await service.openai.chat.completions.create(
            model="m",
            messages=[{"role": "user", "content": "Hello there."}],
            stream=True,
            stream_options={"include_usage": wanted},
            max_tokens=3,
        )
        chunks = [chunk async for chunk in stream]
        assert (chunks[-1].usage is not None) == wanted
        if chunks[-1].usage:
            assert chunks[-1].usage.completion_tokens == 3
        reasons = [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices]
        assert reasons[-1] == "length"


async def test_formats(service: Service) -> None:
    files = {"file": ("a.wav", wav(2.0, 44100, 2))}
    text = await service.http.post("/v1/audio/transcriptions", files=files, data={"response_format": "text"})
    assert text.text.startswith("Hello")
    verbose = await service.http.post(
        "/v1/audio/transcriptions", files=files, data={"response_format": "verbose_json"}
    )
    assert verbose.json()["duration"] == pytest.approx(2.0)
    spoken = await service.openai.audio.speech.create(model="m", voice="v", input="Hi.", response_format="wav")
    assert spoken.content.startswith(wav_header(24000))
    events = await service.http.post(
        "/v1/audio/speech", json={"input": "Hi.", "response_format": "pcm", "stream_format": "sse"}
    )
    kinds = [json.loads(line[6:])["type"] for line in events.text.splitlines() if line]
    assert kinds[0] == "speech.audio.delta"
    assert kinds[-1] == "speech.audio.done"


async def test_azure_client_works_unmodified(service: Service) -> None:
    async with AsyncAzureOpenAI(azure_endpoint=service.url, api_key="local", api_version="2024-10-21") as azure:
        transcript = await azure.audio.transcriptions.create(model="whisper", file=("a.wav", wav()))
        assert "number 1 " in transcript.text
        answer = await azure.chat.completions.create(
            model="gpt", messages=[{"role": "user", "content": transcript.text}]
        )
        assert "number 1 " in (answer.choices[0].message.content or "")
        assert answer.model == "gpt"
        spoken = await azure.audio.speech.create(model="tts", voice="v", input="Hi.", response_format="pcm")
        assert len(spoken.content) == 400 * 48
    assert (await service.http.get("/openai/models", params={"api-version": "2024-10-21"})).status_code == 200


async def test_embeddings_of_equal_words_are_near(service: Service) -> None:
    texts = ["When are you open?", "When are you open today?", "My tent leaks."]
    answer = await service.openai.embeddings.create(model="m", input=texts)
    first, second, third = (np.array(item.embedding) for item in answer.data)
    assert first @ first == pytest.approx(1.0, abs=1e-5)
    assert first @ second > 0.7 > first @ third


@pytest.mark.parametrize(
    ("path", "body", "complaint"),
    [
        ("/v1/chat/completions", {"model": "m"}, "messages"),
        ("/v1/chat/completions", {"model": "m", "messages": [{"role": "robot"}]}, "role"),
        ("/v1/chat/completions", {"model": "m", "messages": [{"role": "user", "content": "x"}], "n": 2}, "n must"),
        ("/v1/chat/completions", {"model": "m", "messages": [{"role": "user", "content": "x"}], "stop": 1}, "stop"),
        ("/v1/chat/completions", {"model": 5, "messages": [{"role": "user", "content": "x"}]}, "model"),
        ("/v1/audio/speech", {"input": "", "response_format": "pcm"}, "input"),
        ("/v1/audio/speech", {"input": "Hi."}, "pcm or wav"),
        ("/v1/audio/speech", {"input": "Hi.", "response_format": "pcm", "speed": 9}, "speed"),
        ("/v1/audio/transcriptions", {}, "multipart"),
        ("/v1/embeddings", {"input": [1, 2]}, "input"),
        ("/v1/embeddings", [], "JSON object"),
    ],
)
async def test_bad_requests_get_openai_errors(service: Service, path: str, body: object, complaint: str) -> None:
    answer = await service.http.post(path, json=body)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert complaint in error["message"]
    assert set(error) == {"message", "type", "param", "code"}


async def test_unknown_paths_and_broken_json_get_openai_errors_too(service: Service) -> None:
    assert (await service.http.get("/v1/nothing")).json()["error"]["message"] == "Not Found"
    broken = await service.http.post("/v1/chat/completions", content=b"{")
    assert broken.status_code == 400
    assert "not JSON" in broken.json()["error"]["message"]
