"""Every line holds a conversation of three turns, is interrupted and hands its caller over, with real models."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio

from shared.domain.telephony.lines import CAPABILITIES, Capability, Line, Provider
from tests.end_to_end.audio import channel, cut
from tests.end_to_end.capabilities import lines_with
from tests.end_to_end.line_calls import (
    CALLED,
    INTERRUPTING,
    KEYS,
    LINES,
    MESSAGE,
    PERSON,
    TALK,
    WHISPER,
    Kind,
    LineCall,
    LineCalls,
    person_of,
)
from tests.end_to_end.outside import least_edits
from tests.end_to_end.stack import Stack
from tests.end_to_end.words import edits, words

pytestmark = [pytest.mark.slow, pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="module")]

MISHEARD_WORDS = 2
"""So many words of a turn may be wrong: a recording over a telephone line, and a small model."""
STOPS_WITHIN_MS = 1500
HEARD_SHARE = 0.75
"""At most so much is heard of an answer that was interrupted, however short the model has made it."""
HEARD_AND_SAID_DIFFER_MS = 1000
HANGS_UP_WITHIN_MS = 20_000
"""Where the line asks us only when the caller has spoken."""
FETCHED_WITHIN_S = 30
CONNECTED = ("bridged", "transfer_answered")
STAYS_MS = 1900
"""So long the caller stays with the person at least."""
IS_HEARD_MS = 4500
"""Within that, after being connected, the person has said the first sentence."""
MAX_PERSON_WORD_EDITS = 4
KEYS_HEARD = "(keys: 1 2)"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def calls(request: pytest.FixtureRequest, stack: Stack, operator: str) -> AsyncIterator[LineCalls]:
    """Those that the selected tests look at."""
    placed = LineCalls(stack, operator, stack.token("admin"))
    wanted: list[tuple[Any, Any]] = [
        (item.callspec.params["kind"], item.callspec.params["line"])
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.path == request.path and "kind" in item.fixturenames
    ]
    placed.begin(wanted)
    yield placed
    await placed.close()


def _on(kind: Kind, *lines: Line) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(("kind", "line"), [pytest.param(kind, line, id=line) for line in lines])


@pytest_asyncio.fixture(loop_scope="module")
async def call(calls: LineCalls, kind: Kind, line: Line) -> LineCall:
    return await calls.get(kind, line)


@_on(Kind.TALK, *LINES)
async def test_three_turns_are_heard_and_answered(stack: Stack, call: LineCall, proved: Callable[[], None]) -> None:
    record, result = call.record, call.result
    assert result["errors"] == []
    assert (record["line"], record["provider"], record["direction"]) == (call.line, call.line.provider, "inbound")
    assert (record["state"], record["end_reason"]) == ("completed", "caller_hung_up")
    assert result["turns"][0]["heard_ms"] > 0
    for number, voice in enumerate(TALK, start=1):
        said, turn = stack.voice(voice)["text"], call.turn(number)
        assert edits(said, turn["heard"]) <= MISHEARD_WORDS, (said, turn["heard"])
        assert words(turn["said"])
        assert turn["outcome"] == "completed"
        assert result["turns"][number]["heard_ms"] > 0
        assert not result["turns"][number]["timed_out"]
        assert f"caller: {turn['heard']}\nagent: {turn['said']}" in call.transcript
    if Capability.AUDIO in CAPABILITIES[call.line]:
        assert record["recording"]["duration_ms"] > sum(turn["heard_ms"] for turn in result["turns"])
    proved()


@_on(Kind.TALK, *lines_with(Capability.KEYS_IN))
async def test_keys_are_a_turn(call: LineCall, proved: Callable[[], None]) -> None:
    number = len(TALK) + 1
    assert call.turn(number)["heard"] == KEYS_HEARD
    assert call.result["turns"][number]["heard_ms"] > 0
    proved()


@_on(Kind.INTERRUPTED, *lines_with(Capability.INTERRUPTION))
async def test_an_interrupted_reply_stops(stack: Stack, call: LineCall, proved: Callable[[], None]) -> None:
    stopping, reply = call.result["turns"][2]["interruption"], call.result["turns"][1]
    assert stopping is not None, "the reply was over before the caller interrupted it"
    assert stopping["clear_received_ms"] is not None
    assert stopping["stopped_ms"] - stopping["speech_started_ms"] < STOPS_WITHIN_MS
    text = stack.voice(INTERRUPTING[1])["text"]
    assert edits(text, call.turn(2)["heard"]) <= MISHEARD_WORDS, call.turn(2)["heard"]
    if Capability.HEARD_WORDS not in CAPABILITIES[call.line]:
        assert reply["heard_ms"] < HEARD_SHARE * await stack.audible_ms(call.turn(1)["said"])
    proved()


@_on(Kind.INTERRUPTED, *lines_with(Capability.HEARD_WORDS))
async def test_of_an_interrupted_reply_only_what_was_heard_remains(
    stack: Stack, call: LineCall, proved: Callable[[], None]
) -> None:
    turn, interruption = call.turn(1), call.result["turns"][2]["interruption"]
    assert turn["outcome"] == "interrupted"
    assert words(turn["said"])
    heard_ms = call.result["turns"][1]["heard_ms"] + interruption["frames_after"] * 20
    assert abs(await stack.audible_ms(turn["said"]) - heard_ms) < HEARD_AND_SAID_DIFFER_MS, (turn, heard_ms)
    assert f"agent: {turn['said']}\ncaller: {call.turn(2)['heard']}" in call.transcript
    proved()


@_on(Kind.INTERRUPTED, *lines_with(Capability.COLD_TRANSFER))
async def test_the_caller_is_put_through_to_a_person(
    stack: Stack, call: LineCall, proved: Callable[[], None]
) -> None:
    assert [status for status, _ in call.answers] == [202]
    assert (call.record["state"], call.record["end_reason"]) == ("completed", "transferred")
    assert call.result["errors"] == []
    dialled = [event["to"] for event in call.events_of("dialled", "transfer_answered")]
    assert dialled == [person_of(call.line, Kind.INTERRUPTED)]
    (connected,) = call.events_of(*CONNECTED)
    (ended,) = call.events_of("call_ended")
    assert ended["at_ms"] - connected["at_ms"] > STAYS_MS, "the caller was hung up on"
    await _assert_the_person_is_heard(stack, call, connected["at_ms"])
    proved()


@_on(Kind.WARM, *lines_with(Capability.WARM_TRANSFER))
async def test_a_person_is_told_and_joined(stack: Stack, call: LineCall, proved: Callable[[], None]) -> None:
    assert [status for status, _ in call.answers] == [202]
    assert (call.record["state"], call.record["end_reason"]) == ("completed", "transferred")
    assert call.result["errors"] == []
    whispered = [event["text"] for leg in call.other_legs for event in leg if event["event"] == "provider_says"]
    whispered += [event["text"] for event in call.events_of("whispered")]
    assert whispered == [WHISPER]
    joins = [event for event in call.events_of("room_told") if event["told"] == "participant-join"]
    (joined,) = joins or call.events_of(*CONNECTED)
    (ended,) = call.events_of("call_ended")
    assert ended["at_ms"] - joined["at_ms"] > STAYS_MS, "the caller was hung up on"
    await _assert_the_person_is_heard(stack, call, joined["at_ms"])
    proved()


@_on(Kind.HUNG_UP, *(line for line in LINES if line not in lines_with(Capability.KEYS_OUT)))
async def test_a_line_without_keys_refuses_them_and_goes_on(stack: Stack, call: LineCall) -> None:
    *_, (status, problem), _ = call.answers
    assert (status, problem["code"]) == (400, "unsupported")
    assert f"{call.line} has no keys out; instead: " in problem["detail"]
    await _assert_the_conversation_goes_on(stack, call)


@_on(Kind.HUNG_UP, *lines_with(Capability.HANG_UP))
async def test_an_operator_ends_a_call(call: LineCall, proved: Callable[[], None]) -> None:
    assert call.answers[-1][0] == 202
    assert (call.record["state"], call.record["end_reason"]) == ("completed", "operator_hung_up")
    (*_, began), (ended,) = call.events_of("agent_started"), call.events_of("call_ended")
    assert ended["at_ms"] - began["at_ms"] < HANGS_UP_WITHIN_MS
    proved()


@_on(Kind.HUNG_UP, *lines_with(Capability.KEYS_OUT))
async def test_keys_reach_the_other_side(stack: Stack, call: LineCall, proved: Callable[[], None]) -> None:
    assert call.answers[-2][0] == 202
    assert KEYS in "".join(event["digits"] for event in call.events_of("keys_heard")), "as tones, in the caller's ear"
    assert call.result["errors"] == []
    await _assert_the_conversation_goes_on(stack, call)
    proved()


@_on(Kind.HUNG_UP, *lines_with(Capability.RECORDING))
async def test_the_provider_records(stack: Stack, call: LineCall, operator: str, proved: Callable[[], None]) -> None:
    assert call.answers[0][0] == 202
    await _assert_the_conversation_goes_on(stack, call)
    if call.line.provider is Provider.CONNECT:  # into its customer's own store, where we look for it later
        assert [event["now"] for event in call.events_of("recording_told")] == ["AVAILABLE"]
        assert [one["state"] for one in call.record["provider_recordings"]] == ["announced"]
    else:
        recording = await _fetched_recording(stack, call.record["call_id"], operator)
        said, heard = await asyncio.gather(*(stack.transcribe(channel(recording, side)) for side in (0, 1)))
        assert least_edits(stack.voice(TALK[0])["text"], said) <= MISHEARD_WORDS, said
        reply = set(words(call.turn(1)["said"]))
        assert len(reply & set(words(heard))) > len(reply) / 2, (reply, heard)
    proved()


async def _assert_the_conversation_goes_on(stack: Stack, call: LineCall) -> None:
    assert edits(stack.voice(TALK[0])["text"], call.turn(1)["heard"]) <= MISHEARD_WORDS, call.turn(1)["heard"]
    assert call.result["turns"][1]["heard_ms"] > 0


async def _fetched_recording(stack: Stack, call_id: str, operator: str) -> bytes:
    """The one that the provider has made, out of our own files."""
    async with asyncio.timeout(FETCHED_WITHIN_S):
        while True:
            (recording,) = (await stack.get(f"/api/calls/{call_id}", operator))["provider_recordings"]
            if recording["state"] == "kept":
                break
            await asyncio.sleep(0.3)
    assert recording["blob"].startswith("provider_recordings/")
    assert recording["duration_ms"] > 0
    return await stack.file(recording["container"], recording["blob"])


@_on(Kind.OUTBOUND, *lines_with(Capability.OUTBOUND))
async def test_who_is_dialled_once_talks_with_the_agent(
    stack: Stack, call: LineCall, proved: Callable[[], None]
) -> None:
    (first, second) = call.answers
    assert first[0] == 202
    assert second == first, "the same key is the same call"
    assert len(call.events_of("call_started")) == 1
    assert call.events_of("carrier_error", "callback_failed") == []
    assert (call.record["line"], call.record["direction"]) == (call.line, "outbound")
    assert (call.record["state"], call.record["end_reason"]) == ("completed", "caller_hung_up")
    for number, voice in enumerate(CALLED, start=1):
        turn = call.turn(number)
        assert edits(stack.voice(voice)["text"], turn["heard"]) <= MISHEARD_WORDS, turn
        assert words(turn["said"])
    proved()


@_on(Kind.MACHINE, *lines_with(Capability.VOICEMAIL_DETECTION))
async def test_a_machine_is_left_a_message(stack: Stack, call: LineCall, proved: Callable[[], None]) -> None:
    record = call.record
    assert (record["direction"], record["answered_by"]) == ("outbound", "machine")
    assert (record["state"], record["end_reason"]) == ("completed", "message_left")
    (beeped,), (ended,) = call.events_of("caller_stopped"), call.events_of("call_ended")
    recorded = await stack.transcribe(_heard_from(call, beeped["at_ms"], ended["at_ms"]))
    assert least_edits(MESSAGE, recorded) <= MISHEARD_WORDS, recorded
    proved()


async def _assert_the_person_is_heard(stack: Stack, call: LineCall, connected_ms: float) -> None:
    heard = await stack.transcribe(_heard_from(call, connected_ms, connected_ms + IS_HEARD_MS))
    assert edits(stack.voice(PERSON[0])["text"], heard) <= MAX_PERSON_WORD_EDITS, heard


def _heard_from(call: LineCall, moment_ms: float, until_ms: float) -> bytes:
    """What was heard on the line between these moments, as a WAV."""
    opened = [event for event in call.events_of("line_opened") if event["at_ms"] <= moment_ms][-1]
    from_ms = opened["audio_ms"] + moment_ms - opened["at_ms"]
    return cut(call.agent_wav, from_ms, from_ms + until_ms - moment_ms)
