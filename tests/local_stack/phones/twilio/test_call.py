from __future__ import annotations

import asyncio
import base64
import json
import wave
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import numpy as np
import pytest

from local_stack.phones import utterance
from local_stack.phones.conversation import Plan
from local_stack.phones.twilio.call import Command, TwilioCall
from local_stack.phones.twilio.signature import sign
from local_stack.phones.twilio.voice_webhook import Source
from tests.local_stack.phones.twilio.calling import ACCOUNT, call_to, options_for
from tests.local_stack.phones.twilio.voice_app import VoiceApp, running, spoken


def names_of(call: TwilioCall) -> list[str]:
    return [event.name for event in call.log.events]


async def test_a_whole_call_is_signed_answered_heard_and_ended() -> None:
    async with running(VoiceApp()) as app:
        result = await call_to(app).run()
    assert (result.status, result.end_reason) == ("completed", "the caller hung up")
    assert result.errors == ()
    assert len(result.turns) == 3
    assert result.greeting.heard_ms == 300
    for turn in result.turns[1:]:
        assert turn.response_ms is not None
        assert 150 <= turn.response_ms < 2000
        assert turn.heard_ms == 400
    assert [message["event"] for message in app.messages[:2]] == ["connected", "start"]
    assert app.messages[-1]["event"] == "stop"
    assert app.close_codes == [1000]
    assert [request.path for request in app.requests] == [
        "/voice",
        "/stream-status",
        "/stream-status",
        "/status",
    ]


async def test_every_request_bears_a_signature_that_holds() -> None:
    async with running(VoiceApp()) as app:
        await call_to(app).run()
        for request in app.requests:
            fields = parse_qsl(request.body.decode(), keep_blank_values=True)
            assert request.headers["X-Twilio-Signature"] == sign(ACCOUNT.auth_token, request.url, fields)
            assert request.headers["I-Twilio-Idempotency-Token"]
            assert request.headers["User-Agent"].startswith("TwilioProxy")
        (upgrade,) = app.upgrades
        assert upgrade["raw_path"] == "/media"
        socket_url = app.origin.replace("http", "ws") + "/media"
        assert upgrade["X-Twilio-Signature"] == sign(ACCOUNT.auth_token, socket_url)


async def test_the_voice_webhook_has_the_blank_fields_of_a_real_one() -> None:
    async with running(VoiceApp()) as app:
        result = await call_to(app).run()
    (request,) = app.of("/voice")
    fields = dict(request.fields)
    assert b"&FromCity=&" in request.body
    assert [fields[name] for name in ("ToCity", "CallerState", "CalledZip")] == ["", "", ""]
    assert (fields["CallStatus"], fields["Direction"], fields["CallSid"]) == ("ringing", "inbound", result.call_sid)
    assert (fields["From"], fields["Caller"], fields["To"]) == ("+14155550100", "+14155550100", "+15550100001")


async def test_callbacks_tell_the_stream_and_the_end_of_the_call() -> None:
    async with running(VoiceApp()) as app:
        result = await call_to(app).run()
    started, stopped = (dict(request.fields) for request in app.of("/stream-status"))
    assert (started["StreamEvent"], stopped["StreamEvent"]) == ("stream-started", "stream-stopped")
    assert started["StreamSid"] == stopped["StreamSid"] == app.messages[1]["streamSid"]
    assert started["StreamName"] == "agent"
    (status,) = (dict(request.fields) for request in app.of("/status"))
    assert status["CallStatus"] == "completed"
    assert status["CallDuration"] == str(result.duration_s)
    assert status["SequenceNumber"] == "0"
    assert status["Timestamp"].endswith("+0000")


async def test_frames_are_numbered_without_a_gap_and_carry_the_utterances() -> None:
    said = spoken(0.4)
    async with running(VoiceApp()) as app:
        await call_to(app, utterances=(said,)).run()
    media = app.events("media")
    assert [frame["media"]["chunk"] for frame in media] == [str(n + 1) for n in range(len(media))]
    assert [frame["media"]["timestamp"] for frame in media] == [str(20 * (n + 1)) for n in range(len(media))]
    numbered = [message for message in app.messages if "sequenceNumber" in message]
    assert [message["sequenceNumber"] for message in numbered] == [str(n + 1) for n in range(len(numbered))]
    line = b"".join(base64.b64decode(frame["media"]["payload"]) for frame in media)
    assert b"".join(said.frames) in line
    assert len(line) == 160 * len(media)


async def test_both_sides_are_kept_on_one_time_line(tmp_path: Path) -> None:
    async with running(VoiceApp()) as app:
        result = await call_to(app, utterances=(spoken(0.4),), state_dir=tmp_path).run()
    folder = tmp_path / "calls" / result.call_sid
    tracks = {}
    for name in ("caller", "agent"):
        with wave.open(str(folder / f"{name}.wav")) as reader:
            assert reader.getframerate() == 8000
            tracks[name] = np.frombuffer(reader.readframes(reader.getnframes()), "<i2")
    assert len(tracks["caller"]) == len(tracks["agent"]) == 160 * len(app.events("media"))
    loud = np.flatnonzero(np.abs(tracks["agent"]) > 1000)
    last_word = np.flatnonzero(np.abs(tracks["caller"]) > 1000)[-1]
    first_reply = loud[loud > last_word][0]
    assert (first_reply - last_word) / 8 == pytest.approx(result.turns[1].response_ms or 0, abs=300)
    kept = json.loads((folder / "events.json").read_text())
    assert kept["summary"]["call_sid"] == result.call_sid
    assert kept["events"][0]["event"] == "call_started"
    assert (folder / "transcript.txt").read_text().startswith("agent: (0.3 s of speech)\ncaller: a tone\n")


async def test_marks_are_echoed_when_heard_and_at_once_after_a_clear() -> None:
    plan = Plan(turns=2, quiet_ms=200, pattern="b", barge_in_after_ms=300)
    async with running(VoiceApp(reply_s=3.0)) as app:
        call = call_to(app, plan=plan, utterances=(spoken(0.4),))
        result = await call.run()
    echoes = [event.facts for event in call.log.events if event.name == "mark_echoed"]
    assert [(echo["mark"], echo["cleared"]) for echo in echoes] == [
        ("greeting", False),
        ("reply-1", True),
        ("reply-2", False),
    ]
    assert [mark["mark"]["name"] for mark in app.events("mark")] == ["greeting", "reply-1", "reply-2"]
    interruption = result.turns[2].interruption
    assert interruption is not None
    assert interruption.stop_ms is not None
    assert interruption.clear_received_ms == interruption.stopped_ms
    assert 0 <= interruption.stop_ms < 1500
    assert result.turns[1].heard_ms < 2900
    assert result.turns[2].heard_ms == 3000


async def test_keys_are_sent_as_dtmf() -> None:
    async with running(VoiceApp()) as app:
        await call_to(
            app, utterances=(utterance.from_digits("7#"),), plan=Plan(quiet_ms=100, reply_timeout_ms=100)
        ).run()
    assert [event["dtmf"]["digit"] for event in app.events("dtmf")] == ["7", "#"]


async def test_what_the_app_must_not_send_is_dropped_and_told_once() -> None:
    app = VoiceApp(say_on_start=[b"\0\1", "not json", '{"event":"media"}', b"\2"], greeting_s=0.3)
    async with running(app):
        result = await call_to(app).run()
    assert [error.split(":")[0] for error in result.errors] == ["31950", "31951"]
    assert result.status == "completed"
    assert result.greeting.heard_ms == 300


async def test_a_socket_that_is_refused_is_told_by_callback_and_the_call_goes_on() -> None:
    async with running(VoiceApp(refuse_upgrade=401)) as app:
        result = await call_to(app).run()
    assert not result.media_opened
    assert result.errors == (f"31920: {app.origin.replace('http', 'ws')}/media refused the media socket: 401",)
    assert [dict(r.fields)["StreamEvent"] for r in app.of("/stream-status")] == ["stream-error", "stream-stopped"]
    assert "401" in dict(app.of("/stream-status")[0].fields)["StreamError"]
    assert result.status == "completed"


async def test_when_the_app_closes_the_action_url_is_asked_what_comes_next() -> None:
    async with running(VoiceApp(close_after_messages=20)) as app:
        app.twiml = app.default_twiml().replace("<Connect>", '<Connect action="/status">')
        call = call_to(app, status_url=None)
        result = await call.run()
    (asked,) = app.of("/status")
    assert dict(asked.fields)["CallStatus"] == "in-progress"
    assert dict(asked.fields)["StreamSid"] == app.messages[1]["streamSid"]
    assert result.errors[-1].startswith("12100")


async def test_when_the_app_closes_the_rest_of_the_twiml_follows() -> None:
    async with running(VoiceApp(close_after_messages=20)) as app:
        app.twiml = app.default_twiml().replace("</Connect>", "</Connect><Say>Bye.</Say><Hangup/>")
        call = call_to(app)
        result = await call.run()
    assert result.end_reason == "the app hung up"
    assert result.errors == ()
    assert [event.facts["text"] for event in call.log.events if event.name == "provider_says"] == ["Bye."]


@pytest.mark.parametrize(
    ("twiml", "status", "reason"),
    [
        ("<Response><Reject/></Response>", "busy", "the app rejected the call: rejected"),
        ("<Response><Reject reason='busy'/></Response>", "busy", "the app rejected the call: busy"),
        ("<Response><Hangup/></Response>", "completed", "the app hung up"),
        ("<Response><Say>Hi</Say></Response>", "completed", "the TwiML came to its end"),
        ("<Response><Sms/></Response>", "failed", "<Sms> is not played by this phone simulator"),
    ],
)
async def test_calls_without_media_end_as_the_twiml_says(twiml: str, status: str, reason: str) -> None:
    async with running(VoiceApp(twiml=twiml)) as app:
        result = await call_to(app).run()
    assert (result.status, result.end_reason) == (status, reason)
    assert dict(app.of("/status")[0].fields)["CallStatus"] == status
    assert not app.messages


async def test_a_refused_webhook_ends_the_call_with_the_reason() -> None:
    async with running(VoiceApp(voice_status=403, twiml="no\nsignature")) as app:
        result = await call_to(app).run()
    assert result.status == "failed"
    assert result.errors == (f"11200: {app.origin}/voice?tenant=a%20b answered 403 no signature",)
    assert len(app.of("/voice")) == 1


async def test_the_fallback_address_is_asked_with_the_error() -> None:
    async with running(VoiceApp()) as app:
        missing = app.origin + "/nowhere"
        result = await call_to(app, voice_url=missing, fallback_url=app.origin + "/voice").run()
    fields = dict(app.of("/voice")[0].fields)
    assert (fields["ErrorCode"], fields["ErrorUrl"]) == ("11200", missing)
    assert result.turns[-1].first_heard_ms is not None


async def test_redirects_are_followed_but_not_for_ever() -> None:
    async with running(VoiceApp(twiml="<Response><Redirect>/voice</Redirect></Response>")) as app:
        result = await call_to(app).run()
    assert len(app.of("/voice")) == 50
    assert "more than 50" in result.end_reason


async def wait_for(call: TwilioCall, name: str) -> None:
    async with asyncio.timeout(20):
        while name not in names_of(call):
            await asyncio.sleep(0.005)


async def test_a_hang_up_from_outside_stops_the_stream_in_good_order() -> None:
    async with running(VoiceApp()) as app:
        call = call_to(app, plan=Plan(speaks=False))
        running_call = asyncio.create_task(call.run())
        await wait_for(call, "agent_started")
        call.command(Command(final_status="completed"))
        result = await running_call
    assert (result.status, result.end_reason) == ("completed", "ended from outside")
    assert app.messages[-1]["event"] == "stop"
    assert app.close_codes == [1000]


async def test_new_twiml_replaces_the_running_stream() -> None:
    async with running(VoiceApp()) as app:
        call = call_to(app, plan=Plan(speaks=False))
        running_call = asyncio.create_task(call.run())
        await wait_for(call, "agent_started")
        call.command(Command(source=Source(document="<Response><Say>Moved.</Say></Response>")))
        result = await running_call
    assert result.end_reason == "the TwiML came to its end"
    assert names_of(call).index("stream_stopped") < names_of(call).index("provider_says")


async def test_a_call_that_is_cancelled_leaves_no_task_and_no_socket_behind() -> None:
    async with running(VoiceApp()) as app:
        before = asyncio.all_tasks()
        call = call_to(app, plan=Plan(speaks=False))
        running_call = asyncio.create_task(call.run())
        await wait_for(call, "agent_started")
        running_call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running_call
        await app.wait_until_hung_up()
        left = {task.get_name() for task in asyncio.all_tasks() - before if "call" in repr(task.get_coro())}
    assert call.state.over
    assert not {name for name in left if name.startswith("CA")}


async def test_a_socket_that_goes_away_without_a_close_frame_is_a_fault() -> None:
    async with running(VoiceApp(drop_after_messages=20)) as app:
        result = await call_to(app).run()
    assert result.errors == ("31921: the app closed the media socket with 1006",)
    assert "stream-error" in [dict(request.fields)["StreamEvent"] for request in app.of("/stream-status")]


async def test_the_time_limit_ends_a_call() -> None:
    async with running(VoiceApp()) as app:
        result = await call_to(app, plan=Plan(speaks=False), max_call_ms=600).run()
    assert result.end_reason == "the call reached its time limit"
    assert len(app.events("media")) == 30


@pytest.mark.slow
async def test_frames_keep_real_time_within_a_few_milliseconds() -> None:
    async with running(VoiceApp()) as app:
        options = options_for(app, plan=Plan(speaks=False), max_call_ms=3000)
        call = TwilioCall(options)
        result = await call.run()
        moments = {event.name: event.at_ms for event in call.log.events}
    took_ms = moments["media_closed"] - moments["media_opened"]
    assert 2950 < took_ms < 4000
    assert result.lag_p99_ms >= 0
    assert len(app.events("media")) == 150


@pytest.mark.parametrize(
    "changes",
    [
        {"from_number": "anonymous"},
        {"to_number": "15550100001"},
        {"voice_url": None},
        {"voice_url": "ftp://a/b"},
    ],
)
def test_a_call_that_cannot_be_placed_is_refused_at_once(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        options_for(VoiceApp(origin="http://localhost:1"), **changes)
