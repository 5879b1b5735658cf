"""Whatever comes over the wire: it is refused or handled with a reason, and nothing is left behind."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest
from redis.asyncio import Redis

from tests.end_to_end.stack import Stack

pytestmark = [pytest.mark.slow, pytest.mark.end_to_end]

GONE_WITHIN_S = 60


async def _left_behind(stack: Stack) -> dict[str, list[str]]:
    """What of any call is still there: keys, running orchestrations, connections."""
    redis = Redis(port=stack.ports["redis"], decode_responses=True)
    try:
        keys = [key async for key in redis.scan_iter("call:*")]
    finally:
        await redis.aclose()
    instances = f"{stack.app_url}/runtime/webhooks/durabletask/instances?runtimeStatus=Running,Pending"
    connections = f"http://localhost:{stack.ports['web_pubsub']}/_local/connections"
    async with aiohttp.ClientSession() as session:
        async with session.get(instances) as response:
            running = [instance["instanceId"] for instance in await response.json(content_type=None)]
        async with session.get(connections, headers={"X-Access-Key": stack.secrets["web_pubsub_key"]}) as response:
            open_now = [str(connection) for connection in (await response.json())["connections"]]
    return {"keys": keys, "orchestrations": running, "connections": open_now}


async def _wait_until_nothing_is_left(stack: Stack) -> None:
    left: dict[str, list[str]] = {}
    try:
        async with asyncio.timeout(GONE_WITHIN_S):
            while any((left := await _left_behind(stack)).values()):
                await asyncio.sleep(0.5)
    except TimeoutError:
        pytest.fail(f"left behind: {left}")


async def _misbehave(stack: Stack, way: str, **options: Any) -> dict[str, Any]:
    voice = stack.voice("tt-weasels")
    request: dict[str, Any] = {
        "from": "+14155550130",
        "utterances": [{"file": voice["file"], "text": voice["text"]}],
        "turns": 1,
        "misbehaviours": [way],
        "max_call_ms": 60_000,
    }
    return await stack.call(**{**request, **options})


@pytest.mark.parametrize(
    ("way", "reason"),
    [
        ("no-signature", "twilio_signature"),
        ("wrong-signature", "twilio_signature"),
        ("no-socket-signature", "twilio_signature"),
        ("wrong-socket-signature", "twilio_signature"),
        ("no-ticket", "ticket"),
        ("used-ticket", "ticket"),
        ("wrong-media-format", "media_format"),
        ("not-json", "not_json"),
    ],
)
async def test_what_is_wrong_is_refused_with_its_reason(stack: Stack, way: str, reason: str) -> None:
    before = len(stack.log_of("app"))
    await _misbehave(stack, way)
    assert reason in stack.log_of("app")[before:]


@pytest.mark.parametrize("way", ["frames-before-start", "frames-after-stop", "huge-message", "vanishes"])
async def test_a_broken_stream_ends_its_call(stack: Stack, operator: str, way: str) -> None:
    result = await _misbehave(stack, way)
    record = await stack.ended_call(result["call_sid"], operator, within_s=GONE_WITHIN_S)
    assert record["end_reason"] in ("caller_hung_up", "no_media", "error")


async def test_frames_that_hold_no_audio_are_passed_over(stack: Stack, operator: str) -> None:
    result = await _misbehave(stack, "broken-base64")
    record = await stack.ended_call(result["call_sid"], operator, within_s=GONE_WITHIN_S)
    assert (record["state"], record["end_reason"]) == ("completed", "caller_hung_up")
    assert "frames held no audio" in stack.log_of("app")


async def test_an_unknown_number_is_declined(stack: Stack) -> None:
    result = await _misbehave(stack, "never-speaks", to="+15559999999")
    assert not result["media_opened"]
    assert "number_unknown" in stack.log_of("app")


async def test_thirty_seconds_of_speech_are_a_turn(stack: Stack, operator: str) -> None:
    result = await _misbehave(stack, "never-stops-speaking", max_call_ms=38_000, reply_timeout_ms=60_000)
    record = await stack.ended_call(result["call_sid"], operator, within_s=GONE_WITHIN_S)
    first = next(turn for turn in record["turns"] if turn["number"] == 1)
    spoke_ms = first["moments"]["speech_ended_ms"] - first["moments"]["speech_started_ms"]
    assert 29_000 < spoke_ms < 31_500
    assert first["heard"]


async def test_a_caller_who_never_speaks_is_let_go(stack: Stack, operator: str) -> None:
    result = await _misbehave(stack, "never-speaks", to="+15550100009")
    record = await stack.ended_call(result["call_sid"], operator, within_s=GONE_WITHIN_S)
    assert (record["state"], record["end_reason"]) == ("completed", "silent")


async def test_nothing_is_left_behind(stack: Stack) -> None:
    await _wait_until_nothing_is_left(stack)


async def test_no_failure_reached_the_log_as_a_stack_trace(stack: Stack) -> None:
    for part in ("app", "web_pubsub"):
        assert "Traceback" not in stack.log_of(part)
