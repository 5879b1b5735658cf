"""The service with its real models, over the wire with the official client."""

from __future__ import annotations

import io
import json
import time
import wave
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import numpy as np
import pytest
from openai import AzureOpenAI, BadRequestError

from local_stack.speech.audio import Pcm, read_wav, to_pcm16
from tests.local_stack.speech.conftest import LocalService
from tests.local_stack.speech.word_errors import word_error_rate, words

pytestmark = pytest.mark.slow

SHOP: dict[str, str] = {
    "role": "system",
    "content": "You are Ava, a friendly phone agent of a shop for tents and bicycles. "
    "Answer in one or two short sentences. The shop is open Monday to Saturday from nine to six.",
}
ORDER_TOOL = {
    "type": "function",
    "function": {
        "name": "get_order_status",
        "description": "Look up an order by its number",
        "parameters": {
            "type": "object",
            "properties": {"order_id": {"type": "string"}},
            "required": ["order_id"],
        },
    },
}


def ulaw_round_trip(pcm: Pcm) -> Pcm:
    """The recording as a telephone gives it: 8 kHz, logarithmic 8 bit. Source: ITU-T G.711."""
    samples = np.clip(pcm.at(8000).samples, -1, 1)
    code = np.round(np.sign(samples) * np.log1p(255 * np.abs(samples)) / np.log(256) * 127) / 127
    back = np.sign(code) * np.expm1(np.abs(code) * np.log(256)) / 255
    return Pcm(back.astype(np.float32), 8000)


def as_wav(pcm: Pcm) -> bytes:
    content = io.BytesIO()
    with wave.open(content, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(pcm.rate_hz)
        out.writeframes(to_pcm16(pcm.samples))
    return content.getvalue()


def transcribe(service: LocalService, content: bytes) -> str:
    return service.openai.audio.transcriptions.create(model="stt", file=("a.wav", content)).text


@pytest.mark.parametrize("telephone", [False, True], ids=["as recorded", "telephone"])
def test_word_error_rate_on_human_voices(local_service: LocalService, telephone: bool) -> None:
    pairs = []
    for voice in local_service.voices:
        content = (local_service.voices_dir / voice["file"]).read_bytes()
        if telephone:
            content = as_wav(ulaw_round_trip(read_wav(content)))
        pairs.append((voice["text"], transcribe(local_service, content)))
    rate = word_error_rate(pairs)
    assert rate <= 0.15, [pair for pair in pairs if words(pair[0]) != words(pair[1])]


def test_silence_is_no_words(local_service: LocalService) -> None:
    assert transcribe(local_service, as_wav(Pcm(np.zeros(16000, np.float32), 8000))) == ""


def test_what_is_spoken_is_understood(local_service: LocalService) -> None:
    sentences = ["Your order left our warehouse this morning.", "Would you like me to call you back tomorrow?"]
    pairs = []
    for sentence in sentences:
        spoken = local_service.openai.audio.speech.create(
            model="tts", voice="heart", input=sentence, response_format="pcm"
        )
        samples = (np.frombuffer(spoken.content, "<i2") / 32768).astype(np.float32)
        assert 1.0 < len(samples) / 24000 < 6.0
        pairs.append((sentence, transcribe(local_service, as_wav(ulaw_round_trip(Pcm(samples, 24000))))))
    assert word_error_rate(pairs) <= 0.15, pairs


def test_first_audio_comes_well_before_the_last(local_service: LocalService) -> None:
    text = " ".join(f"This is sentence number {number}, and it is here to be spoken." for number in range(30))
    began_s = time.monotonic()
    moments = []
    with local_service.openai.audio.speech.with_streaming_response.create(
        model="tts", voice="heart", input=text, response_format="pcm"
    ) as answer:
        moments.extend(time.monotonic() - began_s for _ in answer.iter_bytes(4800))
    assert moments[0] < moments[-1] / 3


def ask(service: LocalService, question: str, **more: Any) -> Any:
    messages: list[Any] = [SHOP, {"role": "user", "content": question}]
    return service.openai.chat.completions.create(model="llm", messages=messages, **more)


def test_streams_tokens_usage_and_reads_a_known_prefix_from_its_cache(local_service: LocalService) -> None:
    messages: list[Any] = [SHOP]
    cached = []
    for question in ("Hello, are you open on Monday?", "And on Saturday?"):
        messages.append({"role": "user", "content": question})
        stream = local_service.openai.chat.completions.create(
            model="llm", messages=messages, stream=True, stream_options={"include_usage": True}, max_tokens=40
        )
        chunks = list(stream)
        pieces = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices]
        reply = "".join(piece for piece in pieces if piece)
        assert len([piece for piece in pieces if piece]) > 2
        assert len(reply.split()) < 60
        usage = chunks[-1].usage
        assert usage is not None
        assert usage.prompt_tokens_details is not None
        cached.append((usage.prompt_tokens_details.cached_tokens, usage.prompt_tokens))
        messages.append({"role": "assistant", "content": reply})
    assert (cached[1][0] or 0) >= cached[0][1]


def test_stop_max_tokens_and_seed(local_service: LocalService) -> None:
    short = ask(local_service, "Count from one to twenty.", max_tokens=5)
    assert short.choices[0].finish_reason == "length"
    assert short.usage.completion_tokens == 5
    text = ask(local_service, "Say: red, green, blue.", stop=[","], temperature=0).choices[0].message.content
    assert "," not in text
    replies = {ask(local_service, "Tell me a joke.", seed=7, temperature=1, max_tokens=20).choices[0].message.content}
    replies |= {
        ask(local_service, "Tell me a joke.", seed=7, temperature=1, max_tokens=20).choices[0].message.content
    }
    assert len(replies) == 1


@pytest.mark.parametrize("stream", [False, True])
def test_tools_are_called_with_arguments_that_fit(local_service: LocalService, stream: bool) -> None:
    answer = ask(local_service, "Where is my order 1234?", tools=[ORDER_TOOL], stream=stream)
    if stream:
        choices = [chunk.choices[0] for chunk in answer]
        (call,) = [call for choice in choices for call in choice.delta.tool_calls or []]
        reason = choices[-1].finish_reason
    else:
        (call,) = answer.choices[0].message.tool_calls
        reason = answer.choices[0].finish_reason
    assert call.function.name == "get_order_status"
    assert json.loads(call.function.arguments) == {"order_id": "1234"}
    assert reason == "tool_calls"


def test_a_tool_that_must_be_called_is_called(local_service: LocalService) -> None:
    answer = ask(local_service, "Good morning.", tools=[ORDER_TOOL], tool_choice="required")
    (call,) = answer.choices[0].message.tool_calls
    assert set(json.loads(call.function.arguments)) == {"order_id"}


def test_a_tools_result_is_told_in_words(local_service: LocalService) -> None:
    question = {"role": "user", "content": "Where is my order 1234?"}
    first = ask(local_service, question["content"], tools=[ORDER_TOOL]).choices[0].message
    result = {"role": "tool", "tool_call_id": first.tool_calls[0].id, "content": '{"arrives": "Friday"}'}
    answer = local_service.openai.chat.completions.create(
        model="llm",
        messages=[SHOP, question, first, result],
        tools=[ORDER_TOOL],  # type: ignore[list-item]
    )
    assert "friday" in (answer.choices[0].message.content or "").lower()


def test_small_talk_calls_no_tool(local_service: LocalService) -> None:
    answer = ask(local_service, "Do you sell bicycles?", tools=[ORDER_TOOL])
    assert answer.choices[0].message.tool_calls is None
    assert answer.choices[0].message.content


def test_json_schema_is_kept(local_service: LocalService) -> None:
    schema = {
        "type": "object",
        "properties": {"mood": {"type": "string", "enum": ["happy", "angry"]}, "topic": {"type": "string"}},
        "required": ["mood", "topic"],
        "additionalProperties": False,
    }
    wanted = {"type": "json_schema", "json_schema": {"name": "analysis", "schema": schema}}
    answer = ask(local_service, "My tent has a hole and I am furious. Summarise this.", response_format=wanted)
    value = json.loads(answer.choices[0].message.content)
    assert value["mood"] == "angry"
    assert set(value) == {"mood", "topic"}


def test_embeddings_know_what_is_alike(local_service: LocalService) -> None:
    texts = ["When are you open?", "What are your opening hours?", "The tent is green."]
    answer = local_service.openai.embeddings.create(model="embedding", input=texts)
    first, second, third = (np.array(item.embedding) for item in answer.data)
    assert len(first) == 384
    assert first @ second > 0.6
    assert first @ third < 0.3


def test_embeddings_know_what_is_alike_in_another_language_and_script(local_service: LocalService) -> None:
    texts = ["Shop\nOpening hours\nWe are open from nine to five.", "आप कब खुलते हैं?", "तंबू का रंग हरा है।"]
    answer = local_service.openai.embeddings.create(model="embedding", input=texts)
    passage, question, other = (np.array(item.embedding) for item in answer.data)
    assert passage @ question > 0.35
    assert passage @ other < 0.2


def test_a_prompt_that_is_too_long_is_refused(local_service: LocalService) -> None:
    with pytest.raises(BadRequestError, match="context size"):
        ask(local_service, "word " * 9000)


def test_azure_client_works_unmodified(local_service: LocalService) -> None:
    with AzureOpenAI(azure_endpoint=local_service.url, api_key="local", api_version="2024-10-21") as azure:
        answer = azure.chat.completions.create(
            model="gpt", messages=[{"role": "user", "content": "Say hello."}], max_tokens=10
        )
        assert answer.choices[0].message.content


def test_a_client_that_hangs_up_frees_the_model(local_service: LocalService) -> None:
    stream = ask(local_service, "Count from one to one thousand in words.", stream=True, max_tokens=2000)
    next(iter(stream))
    stream.close()
    deadline_s = time.monotonic() + 20  # the whole answer would take most of a minute
    while True:
        entries = httpx.get(f"{local_service.url}/timeline").json()["requests"]
        (entry,) = [entry for entry in entries if entry["kind"] == "llm"][-1:]
        if entry["aborted_ms"] is not None:
            break
        assert time.monotonic() < deadline_s
        time.sleep(0.02)
    replies = [ask(local_service, f"Hello {number}.", max_tokens=1) for number in range(5)]  # more than slots
    assert all(reply.usage.completion_tokens == 1 for reply in replies)


def test_three_calls_at_once_hear_while_the_others_think(local_service: LocalService) -> None:
    voice = (local_service.voices_dir / "vm-sorry.wav").read_bytes()
    with ThreadPoolExecutor(6) as pool:
        thinking = [
            pool.submit(ask, local_service, f"Caller {number}: tell me about your tents.", max_tokens=60)
            for number in range(3)
        ]
        heard = [pool.submit(transcribe, local_service, voice) for _ in range(3)]
        for transcript in heard:
            assert words(transcript.result()) == words("I'm sorry I did not understand your response.")
        assert not all(reply.done() for reply in thinking)
        assert all(reply.result().choices[0].message.content for reply in thinking)
