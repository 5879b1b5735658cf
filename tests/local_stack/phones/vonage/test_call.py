"""A call at Vonage from outside: what it asks, what it does with the answers, how it treats a socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from local_stack.phones.conversation import Plan
from local_stack.phones.people import CalledPerson, Callee
from local_stack.phones.vonage.misbehaviour import Misbehaviour
from local_stack.phones.vonage.options import Direction, MachineDetection
from local_stack.phones.vonage.state import Command
from tests.local_stack.phones.twilio.voice_app import spoken
from tests.local_stack.phones.vonage.voice_app import FRAME, VoiceApp, voice_app

QUIET = Plan(speaks=False)
TALK = {"action": "talk", "text": "Hello."}


@pytest.fixture
async def app() -> AsyncIterator[VoiceApp]:
    async with voice_app() as app:
        yield app


def names(result: Any) -> list[str]:
    return [event.name for event in result.events]


async def test_a_call_is_told_from_its_start_to_its_end(app: VoiceApp) -> None:
    app.replies["answer"] = [(200, [TALK])]
    result = await app.call(plan=QUIET).run()
    assert (result.status, result.errors) == ("completed", ())
    assert app.statuses() == ["started", "ringing", "answered", "completed"]
    (asked,) = app.of("answer")
    assert (asked["from"], asked["to"], asked["uuid"]) == ("14155550100", "15550100014", result.call_sid)
    end = app.of("event")[-1]
    assert end["duration"] == str(result.duration_s)
    assert len({claims["jti"] for claims in app.claims}) == len(app.claims)


@pytest.mark.parametrize(("status", "tries"), [(429, 2), (503, 2), (504, 2), (500, 1), (404, 1), (401, 1)])
async def test_only_some_answers_are_asked_for_again(app: VoiceApp, status: int, tries: int) -> None:
    app.replies["answer"] = [(status, None)]
    result = await app.call(plan=QUIET).run()
    assert len(app.of("answer")) == tries
    assert (result.status, len(result.errors)) == ("failed", 1)


async def test_a_second_try_and_the_fallback_save_a_call(app: VoiceApp) -> None:
    app.replies["answer"] = [(503, None), (200, [TALK])]
    assert (await app.call(plan=QUIET).run()).status == "completed"
    app.replies["answer"], app.replies["fallback"] = [(500, None)], [(200, [TALK])]
    result = await app.call(plan=QUIET, fallback_url=f"{app.origin}/fallback").run()
    assert result.status == "completed"
    assert app.of("fallback")[0]["original_request"]["url"] == f"{app.origin}/answer"


async def test_a_bad_ncco_ends_the_call_and_is_told(app: VoiceApp) -> None:
    app.replies["answer"] = [(200, [{"action": "sing"}])]
    result = await app.call(plan=QUIET).run()
    assert result.status == "failed"
    assert any("Syntax error" in document.get("reason", "") for document in app.of("event"))


async def test_audio_runs_over_the_socket_in_frames_of_twenty_ms(app: VoiceApp) -> None:
    async def talk(ws: web.WebSocketResponse) -> None:
        for _ in range(20):
            await ws.send_bytes(FRAME)
        await ws.send_json({"action": "notify", "payload": {"mark": "1"}})

    app.on_socket = talk
    app.replies["answer"] = [(200, [app.connect()])]
    result = await app.call(speed=3.0, plan=Plan(quiet_ms=200, reply_timeout_ms=800)).run()
    assert result.greeting.heard_ms == pytest.approx(400, abs=40)
    assert app.socket_headers == ["Bearer ours"]
    assert app.texts[0] == {"event": "websocket:connected", "content-type": "audio/l16;rate=16000", "ticket": "t"}
    assert {"event": "websocket:notify", "payload": {"mark": "1"}} in app.texts
    assert {len(frame) for frame in app.frames} == {640}
    assert any(max(frame) > 0 for frame in app.frames)
    assert "disconnected" not in app.statuses(), "the caller has hung up"


async def test_what_is_cleared_is_not_played_and_its_notice_does_not_come(app: VoiceApp) -> None:
    async def talk(ws: web.WebSocketResponse) -> None:
        for _ in range(100):
            await ws.send_bytes(FRAME)
        await ws.send_json({"action": "notify", "payload": {"mark": "1"}})
        await asyncio.sleep(0.1)
        await ws.send_json({"action": "clear"})
        await ws.send_json({"action": "notify", "payload": {"mark": "2"}})

    app.on_socket = talk
    app.replies["answer"] = [(200, [app.connect()])]
    result = await app.call(speed=3.0, plan=Plan(quiet_ms=200, reply_timeout_ms=600)).run()
    assert result.greeting.heard_ms < 1500
    events = [text["payload"]["mark"] if "payload" in text else text["event"] for text in app.texts]
    assert events[1:] == ["websocket:cleared", "2"]


async def test_a_frame_of_another_size_breaks_the_socket(app: VoiceApp) -> None:
    async def talk(ws: web.WebSocketResponse) -> None:
        await ws.send_bytes(FRAME[:320])

    app.on_socket = talk
    app.replies["answer"] = [(200, [app.connect()])]
    result = await app.call(plan=QUIET).run()
    assert result.errors == ("frame_size: unexpected frame size 320, when required 640",)
    assert app.close_codes == [1006]
    assert result.end_reason == "the NCCO came to its end"


async def test_what_is_answered_to_a_broken_socket_comes_next(app: VoiceApp) -> None:
    async def leave(ws: web.WebSocketResponse) -> None:
        await ws.close()

    app.on_socket = leave
    app.replies["answer"] = [(200, [app.connect()])]
    app.replies["event"] = [*[(204, None)] * 4, (200, [app.connect()]), (204, None)]
    await app.call(plan=QUIET).run()
    assert app.statuses().count("disconnected") == 2
    assert len(app.socket_headers) == 2


async def test_words_are_heard_and_their_answer_is_said(app: VoiceApp) -> None:
    listen = {"action": "input", "type": ["speech", "dtmf"], "eventUrl": app.url("turn")}
    again = {"action": "notify", "payload": {"turn": "1"}, "eventUrl": app.url("more")}
    app.replies["answer"] = [(200, [{**TALK, "bargeIn": True}, listen])]
    app.replies["turn"] = [(200, [TALK, again])]
    app.replies["more"] = [(200, [{**TALK, "text": "And good bye."}])]
    result = await app.call(speed=3.0).run()
    (heard,) = app.of("turn")
    assert heard["speech"]["results"] == [{"text": "hello there", "confidence": "0.93"}]
    assert heard["uuid"] == result.call_sid
    (asked,) = app.of("more")
    assert asked["payload"] == {"turn": "1"}
    assert "uuid" not in asked
    assert result.turns[1].understood == "hello there"
    assert result.turns[1].spoken == "Hello. And good bye."


async def test_silence_is_told_as_silence(app: VoiceApp) -> None:
    listen = {"action": "input", "type": ["speech"], "speech": {"startTimeout": 1}, "eventUrl": app.url("turn")}
    app.replies["answer"] = [(200, [listen])]
    await app.call(plan=QUIET).run()
    (heard,) = app.of("turn")
    assert heard["speech"] == {"timeout_reason": "start_timeout", "results": []}


@pytest.mark.parametrize(
    ("callee", "status"),
    [(Callee.ANSWERS, "completed"), (Callee.BUSY, "busy"), (Callee.REJECTS, "rejected"), (Callee.FAILED, "failed")],
)
async def test_a_caller_is_put_through_or_not(app: VoiceApp, callee: Callee, status: str) -> None:
    phone = {"type": "phone", "number": "447700900001", "onAnswer": {"url": f"{app.origin}/whisper"}}
    connect = {"action": "connect", "from": "15550100014", "endpoint": [phone], "eventType": "synchronous"}
    app.replies["answer"] = [(200, [{**connect, "eventUrl": app.url("transfer")}])]
    app.replies["whisper"] = [(200, [{**TALK, "text": "For you."}])]
    hangs_up = Plan(turns=1, greeting_timeout_ms=200, reply_timeout_ms=200)
    people = {"+447700900001": CalledPerson(callee, ring_ms=100, utterances=(spoken(0.2),), plan=hangs_up)}
    result = await app.call(plan=QUIET, people=people).run()
    assert app.of("transfer")[-1]["status"] == status
    assert app.of("transfer")[-1]["uuid"] != result.call_sid
    assert ("whispered" in names(result)) == (callee is Callee.ANSWERS)


async def test_duplicates_and_another_order_come_when_told(app: VoiceApp) -> None:
    app.replies["answer"] = [(200, [TALK])]
    await app.call(plan=QUIET, misbehaviours=frozenset({Misbehaviour.DUPLICATE_EVENTS})).run()
    assert app.statuses()[:4] == ["started", "started", "ringing", "ringing"]
    app.asked.clear()
    await app.call(plan=QUIET, misbehaviours=frozenset({Misbehaviour.REORDERED_EVENTS})).run()
    assert app.statuses() == ["ringing", "started", "completed", "answered"]


async def test_an_end_that_is_lost_is_not_told(app: VoiceApp) -> None:
    app.replies["answer"] = [(200, [TALK])]
    await app.call(plan=QUIET, misbehaviours=frozenset({Misbehaviour.LOST_EVENTS})).run()
    assert app.statuses() == ["started", "ringing", "answered"]


@pytest.mark.parametrize(
    ("callee", "detection", "who"),
    [
        (Callee.ANSWERS, MachineDetection("detect_beep", hangs_up=False), ["human"]),
        (Callee.MACHINE, MachineDetection("detect_beep", hangs_up=False), ["machine", "machine"]),
        (Callee.MACHINE, MachineDetection("default", hangs_up=True), ["machine"]),
    ],
)
async def test_who_answers_a_call_of_ours_is_told(
    app: VoiceApp, callee: Callee, detection: MachineDetection, who: list[str]
) -> None:
    app.replies["answer"] = [(200, [{"action": "wait", "timeout": 3}])]
    person = CalledPerson(callee, ring_ms=100)
    call = app.call(plan=QUIET, direction=Direction.OUTBOUND, person=person, detection=detection)
    result = await call.run()
    told = [document for document in app.of("event") if document["status"] in ("human", "machine")]
    assert [document["status"] for document in told] == who
    assert {document["call_uuid"] for document in told} == {result.call_sid}
    assert [document.get("sub_state") for document in told][1:] == ["beep_start"] * (len(who) - 1)
    assert ("machine_hung_up" in names(result)) == detection.hangs_up


async def test_a_command_cuts_in(app: VoiceApp) -> None:
    app.replies["answer"] = [(200, [{"action": "wait", "timeout": 20}])]
    call = app.call(plan=QUIET)
    running = asyncio.create_task(call.run())
    while call.performing is None:
        await asyncio.sleep(0.01)
    call.command(Command(ncco=[{"action": "wait", "timeout": 20}]))
    while sum(event.name == "ncco_read" for event in call.log.events) < 2:
        await asyncio.sleep(0.01)
    call.command(Command(ends=True))
    result = await running
    assert result.end_reason == "ended from outside"
    assert result.duration_s < 15
