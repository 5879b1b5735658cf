"""A conversation as people have it: they interrupt, murmur, pause in mid-sentence and press keys."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from local_stack.phones.murmurs import cough, mhm
from local_stack.phones.synthetic_voice import speak
from tests.end_to_end.audio import one_after_the_other
from tests.end_to_end.scripted_service import MS_PER_CHARACTER, Request, ScriptedService, asked_for, history
from tests.end_to_end.stack import CALM, Stack

pytestmark = [pytest.mark.slow, pytest.mark.end_to_end]

GREETING = "Acme Telephones, this is Nora. How can I help you?"
PATIENCE_MS = 700
SERVICES_MS = 600
"""What the scripted services take for the first sound of an answer, one after the other."""
HOP_MS = 1500
"""More than it takes from the service to the caller's ear, on a machine with other work, too."""
REAL_WORDS_WITHIN_S = 60

PARCEL = {
    "voice": "vm-nobodyavail",
    "heard": "Could you please tell me where my parcel with the books is at the moment?",
    "reply": "Your parcel left the harbour on Monday and has been travelling by train ever since. "
    "Tomorrow morning it will arrive in the town where you live, and the driver will ring at your door.",
}
DELAY = {
    "voice": "all-circuits-busy-now",
    "heard": "No wait, I am not at home.",
    "reply": "Then the driver will leave it with a neighbour, or bring it to the post office around the corner. "
    "There they keep it for seven days, and you can fetch it whenever you like. Press the number that you prefer.",
}
KEYS = {"heard": "(keys: 1 2)", "reply": "Thank you, it goes to the post office."}

BEGUN: dict[str, Any] = {
    "voice": "number-not-answering",
    "heard": "I would like to know",
    "reply": "What would you like to know?",
    "latencies": {"ttft_ms": 900},
}
ENDED = {"voice": "vm-dialout", "heard": "where my parcel is today.", "reply": "It is today in my hands."}
WHOLE = {"heard": "I would like to know where my parcel is today.", "reply": "It will be with you in an hour."}
THANKS = {"voice": "vm-changeto", "heard": "Thank you very much.", "reply": "You are welcome."}


@dataclass(frozen=True)
class Seen:
    """A call as the caller saw it, as the app tells it, and what the services were asked meanwhile."""

    result: dict[str, Any]
    record: dict[str, Any]
    requests: list[Request]

    def turn(self, number: int) -> dict[str, Any]:
        return next(turn for turn in self.record["turns"] if turn["number"] == number)

    def line(self, number: int) -> dict[str, Any]:
        found: dict[str, Any] = self.result["turns"][number]
        return found


def _file(stack: Stack, exchange: dict[str, Any]) -> dict[str, Any]:
    return {"file": stack.voice(exchange["voice"])["file"], "text": exchange["heard"]}


async def _call(stack: Stack, operator: str, **wish: Any) -> Seen:
    result = await stack.call(to=CALM, **wish)
    return Seen(result, await stack.ended_call(result["call_sid"], operator), [])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scripted_calls(scripted_stack: Stack, scripted_operator: str) -> tuple[Seen, Seen]:
    """Two calls at once, with their requests in one list."""
    service = ScriptedService(scripted_stack.speech_url)
    await service.give([PARCEL, DELAY, KEYS, BEGUN, ENDED, WHOLE, THANKS], stt_ms=60)
    first, second = await asyncio.gather(
        _interrupt(scripted_stack, scripted_operator), _pause_in_mid_sentence(scripted_stack, scripted_operator)
    )
    requests = await service.take_requests()
    return replace(first, requests=requests), replace(second, requests=requests)


async def _interrupt(stack: Stack, operator: str) -> Seen:
    """The first reply is interrupted by words, the second one by keys."""
    utterances = [_file(stack, PARCEL), _file(stack, DELAY), {"digits": "12#"}]
    wish = {"from": "+14155550143", "utterances": utterances, "pattern": "bbp", "barge_in_after_ms": 1800}
    return await _call(stack, operator, **wish)


async def _pause_in_mid_sentence(stack: Stack, operator: str) -> Seen:
    """Longer than it takes to ask for an answer, shorter than patience: with their own quiet ends 400 ms."""
    parts = [Path(stack.voice(part["voice"])["file"]) for part in (BEGUN, ENDED)]
    sentence = base64.b64encode(one_after_the_other(*parts, pause_ms=200)).decode()
    utterances = [{"wav_base64": sentence, "text": WHOLE["heard"]}, _file(stack, THANKS)]
    return await _call(stack, operator, **{"from": "+14155550144"}, utterances=utterances)


@pytest.fixture(scope="module")
def interrupting(scripted_calls: tuple[Seen, Seen]) -> Seen:
    return scripted_calls[0]


@pytest.fixture(scope="module")
def pausing(scripted_calls: tuple[Seen, Seen]) -> Seen:
    return scripted_calls[1]


async def test_the_answer_is_ready_before_the_turn_is_over(interrupting: Seen) -> None:
    moments, response_ms = interrupting.turn(1)["moments"], interrupting.line(1)["response_ms"]
    assert moments["first_token_ms"] < moments["turn_ended_ms"]
    assert moments["first_audio_byte_ms"] < moments["turn_ended_ms"] + SERVICES_MS
    assert PATIENCE_MS - 100 < response_ms < PATIENCE_MS + HOP_MS


@pytest.mark.parametrize(("number", "exchange"), [(1, PARCEL), (2, DELAY)])
async def test_an_interrupted_reply_stops_and_counts_as_far_as_it_was_heard(
    interrupting: Seen, number: int, exchange: dict[str, Any]
) -> None:
    turn, reply = interrupting.turn(number), exchange["reply"]
    stopping = interrupting.line(number + 1)["interruption"]
    assert stopping["clear_received_ms"] is not None
    assert stopping["stopped_ms"] - stopping["speech_started_ms"] < HOP_MS
    assert turn["outcome"] == "interrupted"
    assert turn["heard"] == exchange["heard"]
    said = turn["said"]
    assert 0 < len(said) < len(reply)
    assert reply.startswith(said)
    assert not reply[len(said)].isalnum(), "a word was cut"
    heard_ms = interrupting.line(number)["heard_ms"] + stopping["frames_after"] * 20
    assert abs(len(said) * MS_PER_CHARACTER - heard_ms) < 800


async def test_the_model_is_told_what_was_heard_of_an_interrupted_reply(interrupting: Seen) -> None:
    first, second = interrupting.turn(1), interrupting.turn(2)
    told = [("assistant", GREETING), ("user", PARCEL["heard"]), ("assistant", first["said"])]
    told += [("user", DELAY["heard"])]
    assert history(asked_for(interrupting.requests, DELAY["heard"])[-1]) == told
    told += [("assistant", second["said"]), ("user", KEYS["heard"])]
    assert history(asked_for(interrupting.requests, KEYS["heard"])[-1]) == told


async def test_keys_interrupt_and_are_answered(interrupting: Seen) -> None:
    turn = interrupting.turn(3)
    assert (turn["heard"], turn["said"], turn["outcome"]) == (KEYS["heard"], KEYS["reply"], "completed")
    assert interrupting.line(3)["heard_ms"] > 0


async def test_a_pause_in_mid_sentence_ends_no_turn(pausing: Seen) -> None:
    turns = [(turn["heard"], turn["said"], turn["outcome"]) for turn in pausing.record["turns"] if turn["number"]]
    assert turns == [
        (WHOLE["heard"], WHOLE["reply"], "completed"),
        (THANKS["heard"], THANKS["reply"], "completed"),
    ]
    assert pausing.line(1)["response_ms"] > 0, "the agent cut in"


async def test_of_an_answer_to_half_a_sentence_nothing_remains(scripted_stack: Stack, pausing: Seen) -> None:
    assert pausing.turn(1)["costs"]["takes_withdrawn"] >= 1
    withdrawn = asked_for(pausing.requests, BEGUN["heard"])
    assert withdrawn, "no answer was prepared at the pause"
    assert all(request["aborted_ms"] is not None for request in withdrawn)
    told = [("assistant", GREETING), ("user", WHOLE["heard"]), ("assistant", WHOLE["reply"])]
    assert history(asked_for(pausing.requests, THANKS["heard"])[-1]) == [*told, ("user", THANKS["heard"])]
    transcript = await scripted_stack.transcript(pausing.record["call_id"])
    assert transcript.splitlines() == [
        f"agent: {GREETING}",
        f"caller: {WHOLE['heard']}",
        f"agent: {WHOLE['reply']}",
        f"caller: {THANKS['heard']}",
        f"agent: {THANKS['reply']}",
    ]


async def _murmured(stack: Stack, operator: str, murmur: bytes, number: str) -> Seen:
    voice = stack.voice("tt-weasels")
    result = await stack.call(
        **{"from": number, "to": CALM},
        utterances=[{"file": voice["file"], "text": voice["text"]}],
        murmur={"wav_base64": base64.b64encode(murmur).decode()},
        pattern="m",
        barge_in_after_ms=300,
        reply_timeout_ms=REAL_WORDS_WITHIN_S * 1000,
    )
    return Seen(result, await stack.ended_call(result["call_sid"], operator), [])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def murmuring(stack: Stack, operator: str) -> dict[str, Seen]:
    """Callers of the agent with real models: over its reply one coughs, one hums, one says a word of assent."""
    async with aiohttp.ClientSession() as session:
        yeah = await speak(session, stack.speech_url, "Yeah.")
    sounds = {"cough": cough(), "mhm": mhm(), "yeah": yeah}
    calls = [_murmured(stack, operator, sound, f"+1415555015{at}") for at, sound in enumerate(sounds.values())]
    return dict(zip(sounds, await asyncio.gather(*calls), strict=True))


@pytest.mark.parametrize("sound", ["cough", "mhm", "yeah"])
async def test_a_murmur_is_no_interruption(stack: Stack, murmuring: dict[str, Seen], sound: str) -> None:
    call = murmuring[sound]
    assert call.line(1)["murmur"] is not None, "the reply was over before the caller murmured"
    assert call.turn(1)["outcome"] == "completed"
    assert [turn["heard"] for turn in call.record["turns"] if turn["number"] > 1] == []
    audible_ms = await stack.audible_ms(call.turn(1)["said"])
    assert abs(call.line(1)["heard_ms"] - audible_ms) <= 400 + audible_ms * 0.06, call.line(1)
