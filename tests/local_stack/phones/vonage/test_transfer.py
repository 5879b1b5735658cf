"""A caller is put through: both hear each other, and only the person hears what is whispered."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from local_stack.phones import wav
from local_stack.phones.call_result import CallResult
from local_stack.phones.conversation import Plan
from local_stack.phones.people import CalledPerson, Callee
from local_stack.phones.provider_speech import SpeechTrouble
from tests.local_stack.phones.twilio.voice_app import spoken
from tests.local_stack.phones.vonage.voice_app import Parrot, VoiceApp, voice_app

PERSON = "+447700900001"
TALKS = Plan(turns=2, greeting_timeout_ms=300, quiet_ms=300, reply_timeout_ms=4000)
SOMEBODY = CalledPerson(ring_ms=200, utterances=(spoken(0.6), spoken(0.5)), plan=TALKS)
QUIET = Plan(speaks=False)


@pytest.fixture
async def app() -> AsyncIterator[VoiceApp]:
    async with voice_app() as app:
        yield app


def connect(app: VoiceApp, **changes: Any) -> dict[str, Any]:
    phone = {"type": "phone", "number": PERSON.removeprefix("+"), **changes.pop("phone", {})}
    action = {"action": "connect", "from": "15550100014", "endpoint": [phone], "eventType": "synchronous"}
    return {**action, "eventUrl": app.url("transfer"), **changes}


def event(result: CallResult, name: str) -> dict[str, Any]:
    return next(dict(event.facts) for event in result.events if event.name == name)


def sound(folder: Path, leg: str, side: str) -> np.ndarray[Any, Any]:
    return wav.read((folder / "calls" / leg / f"{side}.wav").read_bytes()).samples


def told(folder: Path, leg: str, name: str) -> list[dict[str, Any]]:
    events = json.loads((folder / "calls" / leg / "events.json").read_text())["events"]
    return [event for event in events if event["event"] == name]


async def test_both_hear_each_other_after_the_whisper(app: VoiceApp, tmp_path: Path) -> None:
    app.replies["answer"] = [(200, [connect(app, phone={"onAnswer": {"url": f"{app.origin}/whisper"}})])]
    app.replies["whisper"] = [(200, [{"action": "talk", "text": "For you."}])]
    plan = Plan(turns=2, greeting_timeout_ms=20_000, quiet_ms=700, reply_timeout_ms=9000)
    call = app.call(plan=plan, people={PERSON: SOMEBODY}, state_dir=tmp_path)
    result = await call.run()
    assert event(result, "whispered")["text"] == "For you."
    leg = event(result, "transfer_answered")["call_sid"]
    assert [one["status"] for one in app.of("transfer")] == ["started", "ringing", "answered", "completed"]
    assert {one["uuid"] for one in app.of("transfer")} == {leg}
    assert leg != result.call_sid
    answered_at = next(event.at_ms for event in result.events if event.name == "transfer_answered")
    (hello, *_) = told(tmp_path, leg, "caller_started")
    assert hello["at_ms"] > answered_at - 700, "the person answers the whisper, not the silence before it"
    assert np.abs(sound(tmp_path, leg, "agent")).max() > 0.1
    heard = [turn for turn in result.turns if turn.heard_ms >= 400]
    assert heard, "the caller has heard the person"
    assert told(tmp_path, leg, "agent_started"), "the person has heard somebody"


async def test_the_person_gets_the_keys_and_the_caller_does_not(app: VoiceApp, tmp_path: Path) -> None:
    app.replies["answer"] = [(200, [connect(app, phone={"dtmfAnswer": "1p2#"})])]
    result = await app.call(plan=QUIET, people={PERSON: SOMEBODY}, state_dir=tmp_path).run()
    leg = event(result, "transfer_answered")["call_sid"]
    assert [one["digits"] for one in told(tmp_path, leg, "keys_heard")] == ["12#"]
    assert "keys_heard" not in [event.name for event in result.events]


async def test_the_caller_leaves_first(app: VoiceApp, tmp_path: Path) -> None:
    app.replies["answer"] = [(200, [connect(app)])]
    stays = replace(SOMEBODY, plan=QUIET, utterances=())
    plan = Plan(turns=1, greeting_timeout_ms=1000, reply_timeout_ms=1000)
    result = await app.call(plan=plan, people={PERSON: stays}, state_dir=tmp_path).run()
    assert result.end_reason == "the caller hung up"
    assert app.of("transfer")[-1]["status"] == "completed"
    leg = event(result, "transfer_answered")["call_sid"]
    assert told(tmp_path, leg, "call_ended")[0]["reason"] == "ended from outside"


async def test_the_talk_is_no_longer_than_the_app_wants(app: VoiceApp) -> None:
    app.replies["answer"] = [(200, [connect(app, limit=2), {"action": "wait", "timeout": 1}])]
    stays = replace(SOMEBODY, plan=QUIET, utterances=())
    result = await app.call(plan=QUIET, people={PERSON: stays}).run()
    assert int(app.of("transfer")[-1]["duration"]) in (2, 3)
    assert result.end_reason == "the NCCO came to its end"


async def test_it_rings_no_longer_than_the_app_wants(app: VoiceApp) -> None:
    app.replies["answer"] = [(200, [connect(app, timeout=3)])]
    await app.call(plan=QUIET, people={PERSON: replace(SOMEBODY, ring_ms=9000)}).run()
    assert app.of("transfer")[-1]["status"] == "unanswered"


async def test_the_caller_hangs_up_while_it_rings(app: VoiceApp) -> None:
    app.replies["answer"] = [(200, [connect(app)])]
    call = app.call(plan=QUIET, people={PERSON: replace(SOMEBODY, callee=Callee.NO_ANSWER)})
    running = asyncio.create_task(call.run())
    async with asyncio.timeout(10):
        while not app.of("transfer"):
            await asyncio.sleep(0.01)
    call.hang_up()
    assert (await running).end_reason == "ended from outside"


async def test_a_voice_that_fails_leaves_the_whisper_out(app: VoiceApp) -> None:
    class Mute(Parrot):
        async def say_to_line(self, text: str) -> bytes:
            raise SpeechTrouble("no voice")

    app.replies["answer"] = [(200, [connect(app, phone={"onAnswer": {"url": f"{app.origin}/whisper"}})])]
    app.replies["whisper"] = [(200, [{"action": "talk", "text": "For you."}])]
    result = await app.call(plan=QUIET, people={PERSON: SOMEBODY}, speech=Mute()).run()
    assert result.errors == ("no voice",)
    assert app.of("transfer")[-1]["status"] == "completed"
