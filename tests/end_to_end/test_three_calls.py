"""Three people call at once, with recorded human voices and the real local models."""

from __future__ import annotations

import asyncio
import io
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from azure.storage.blob import ContainerClient
from redis.asyncio import Redis

from local_stack.supervisor.addresses import Addresses
from local_stack.supervisor.app_settings import storage_connection_string
from tests.end_to_end.audio import cut, stream_started_ms
from tests.end_to_end.stack import CALM, Stack
from tests.end_to_end.words import edits, words

pytestmark = [pytest.mark.slow, pytest.mark.end_to_end]

CALLERS = {
    "+14155550111": ("something-terribly-wrong", "number-not-answering"),
    "+14155550112": ("feature-not-avail-line", "check-number-dial-again"),
    "+14155550113": ("vm-nonumber", "vm-passchanged"),
}
MAX_WORD_ERROR_RATE = 0.15
VOICE_VARIES = 0.06
"""The same words take a little more or less time, as they are cut into sentences."""
MAX_REPLY_WORD_ERROR_RATE = 0.35
"""Of a synthetic voice over a telephone line, as a small model hears it; what is not intelligible is near 1."""


@dataclass
class Finished:
    result: dict[str, Any]
    record: dict[str, Any]
    spoken: list[str]


async def _one(stack: Stack, operator: str, number: str, voice_ids: tuple[str, ...]) -> Finished:
    voices = [stack.voice(voice_id) for voice_id in voice_ids]
    utterances = [{"file": voice["file"], "text": voice["text"]} for voice in voices]
    request = {"from": number, "to": CALM, "utterances": utterances, "turns": len(utterances)}
    # Three at once are slow on a small machine: the line may be quiet between the first words and the rest.
    result = await stack.call(**request, reply_timeout_ms=45_000, quiet_ms=1800)
    record = await stack.ended_call(result["call_sid"], operator)
    return Finished(result, record, [voice["text"] for voice in voices])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def calls(stack: Stack, operator: str) -> dict[str, Finished]:
    finished = await asyncio.gather(*(_one(stack, operator, *caller) for caller in CALLERS.items()))
    return dict(zip(CALLERS, finished, strict=True))


def _answered(call: Finished) -> list[dict[str, Any]]:
    return [turn for turn in call.record["turns"] if turn["number"] > 0 and turn["heard"]]


async def test_each_caller_is_answered_heard_and_replied_to(calls: dict[str, Finished]) -> None:
    for call in calls.values():
        assert call.result["errors"] == []
        assert call.record["state"] == "completed"
        assert call.record["end_reason"] == "caller_hung_up"
        assert [turn["heard_ms"] > 0 for turn in call.result["turns"]] == [True] * (1 + len(call.spoken))
        assert all(turn["outcome"] == "completed" for turn in call.record["turns"] if turn["number"] == 0)


async def test_the_transcripts_are_the_spoken_words(calls: dict[str, Finished]) -> None:
    wrong = spoken = 0
    for call in calls.values():
        wrong += edits(" ".join(call.spoken), " ".join(turn["heard"] for turn in _answered(call)))
        spoken += len(words(" ".join(call.spoken)))
    assert wrong / spoken <= MAX_WORD_ERROR_RATE


async def test_what_came_back_is_what_the_agent_said(stack: Stack, calls: dict[str, Finished]) -> None:
    wrong = spoken = 0
    for call in calls.values():
        started_ms = stream_started_ms(call.result)
        agent_wav = Path(call.result["files"]["agent_wav"])
        said = {turn["number"]: turn["said"] for turn in call.record["turns"] if turn["said"]}
        for turn in call.result["turns"]:
            part = cut(agent_wav, turn["first_heard_ms"] - started_ms - 200, turn["last_heard_ms"] - started_ms + 200)
            heard = await stack.transcribe(part)
            wrong += edits(said[turn["number"]], heard)
            spoken += len(words(said[turn["number"]]))
            audible_ms = await stack.audible_ms(said[turn["number"]])
            assert abs(turn["heard_ms"] - audible_ms) <= 160 + audible_ms * VOICE_VARIES, (said, turn)
    assert wrong / spoken <= MAX_REPLY_WORD_ERROR_RATE


async def test_the_database_holds_each_call_and_nothing_of_another(stack: Stack, calls: dict[str, Finished]) -> None:
    for call in calls.values():
        transcript = await stack.transcript(call.record["call_id"])
        for turn in _answered(call):
            assert f"caller: {turn['heard']}" in transcript
        others = {line for other in calls.values() if other is not call for line in _heard(other)}
        assert not others & set(_lines(transcript))


def _heard(call: Finished) -> list[str]:
    return [f"caller: {turn['heard']}" for turn in _answered(call)]


def _lines(transcript: str) -> list[str]:
    return transcript.splitlines()


async def test_each_turn_has_its_moments_in_order(calls: dict[str, Finished]) -> None:
    for call in calls.values():
        for turn in _answered(call):
            moments = turn["moments"]
            order = ("speech_started_ms", "speech_ended_ms", "transcript_ms", "first_token_ms", "first_sentence_ms")
            order += ("first_audio_byte_ms", "first_frame_sent_ms", "playback_ended_ms")
            assert [moments[name] for name in order] == sorted(moments[name] for name in order)


async def test_the_recording_has_both_sides(stack: Stack, calls: dict[str, Finished]) -> None:
    connection = storage_connection_string(Addresses(stack.state_dir, stack.ports))
    with ContainerClient.from_connection_string(connection, "recordings") as container:
        for call in calls.values():
            recording = call.record["recording"]
            data = container.download_blob(recording["blob"]).readall()
            with wave.open(io.BytesIO(data)) as wav:
                assert (wav.getnchannels(), wav.getsampwidth(), wav.getframerate()) == (2, 2, 16_000)
                assert abs(wav.getnframes() / 16 - recording["duration_ms"]) < 2
            assert abs(recording["duration_ms"] - call.result["duration_s"] * 1000) < 3_000
        assert not list(container.list_blobs(name_starts_with="calls/"))


async def test_nothing_is_left_in_redis(stack: Stack, calls: dict[str, Finished]) -> None:
    redis = Redis(port=stack.ports["redis"], decode_responses=True)
    try:
        keys = [key async for key in redis.scan_iter("call:*")]
    finally:
        await redis.aclose()
    left = [key for key in keys for call in calls.values() if call.record["call_id"] in key]
    assert left == []
