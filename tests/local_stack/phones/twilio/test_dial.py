from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from local_stack.phones import wav
from local_stack.phones.conversation import Plan
from local_stack.phones.people import CalledPerson, Callee
from local_stack.phones.twilio.call import Command
from local_stack.phones.twilio.voice_webhook import Source
from tests.local_stack.phones.spoken_words import ToneSpeech
from tests.local_stack.phones.twilio.text_app import TextApp, serving, until
from tests.local_stack.phones.twilio.text_calls import names_of, text_call
from tests.local_stack.phones.twilio.voice_app import spoken

PERSON = "+15550100099"
TALKS = Plan(turns=2, greeting_timeout_ms=300, quiet_ms=300, reply_timeout_ms=4000)
DIAL = (
    f'<Dial action="/after" timeout="5"><Number url="/whisper" statusCallback="/leg" '
    f'statusCallbackEvent="initiated ringing answered completed">{PERSON}</Number></Dial>'
)


def person(**changes: object) -> dict[str, CalledPerson]:
    somebody = CalledPerson(ring_ms=200, utterances=(spoken(0.6), spoken(0.5)), plan=TALKS)
    return {PERSON: replace(somebody, **changes)}


async def test_the_person_hears_the_whisper_and_then_both_hear_each_other(tmp_path: Path) -> None:
    speech = ToneSpeech()
    async with serving(TextApp()) as app:
        app.twiml("/voice", DIAL)
        app.twiml("/whisper", "<Say>A caller about an invoice</Say>")
        app.twiml("/after", "<Hangup/>")
        plan = Plan(turns=2, greeting_timeout_ms=20_000, quiet_ms=700, reply_timeout_ms=9000)
        call = text_call(app, speech, person(), plan=plan, state_dir=tmp_path)
        result = await call.run()
    assert speech.said == ["A caller about an invoice"]
    (after,) = app.fields_of("/after")
    assert (after["DialCallStatus"], after["DialBridged"]) == ("completed", "true")
    whisper = app.fields_of("/whisper")[0]
    assert (whisper["Direction"], whisper["ParentCallSid"]) == ("outbound-dial", call.sid)
    assert whisper["CallSid"] == after["DialCallSid"] != call.sid
    told = app.fields_of("/leg")
    assert [one["CallStatus"] for one in told] == ["initiated", "ringing", "in-progress", "completed"]
    assert {one["CallSid"] for one in told} == {after["DialCallSid"]}
    assert result.status == "completed"
    assert "bridged" in names_of(call)
    heard = wav.read((tmp_path / "calls" / call.sid / "agent.wav").read_bytes()).samples
    theirs = wav.read((tmp_path / "calls" / after["DialCallSid"] / "caller.wav").read_bytes()).samples
    assert np.abs(heard).max() > 0.1
    assert np.abs(theirs).max() > 0.1
    assert result.turns[1].first_heard_ms is not None or result.turns[1].interruption is not None


@pytest.mark.parametrize(
    ("callee", "status"),
    [(Callee.BUSY, "busy"), (Callee.NO_ANSWER, "no-answer"), (Callee.FAILED, "failed"), (Callee.REJECTS, "busy")],
)
async def test_nobody_picks_up(callee: Callee, status: str) -> None:
    async with serving(TextApp()) as app:
        app.twiml("/voice", DIAL)
        app.twiml("/after", "<Hangup/>")
        result = await text_call(app, people=person(callee=callee), plan=Plan(speaks=False), utterances=()).run()
    after = app.fields_of("/after")[0]
    assert (after["DialCallStatus"], after["DialBridged"]) == (status, "false")
    assert result.end_reason == "the app hung up"
    assert app.fields_of("/leg")[-1]["CallStatus"] == status


async def test_keys_given_with_the_number_sound_in_the_ear_of_who_picks_up(tmp_path: Path) -> None:
    async with serving(TextApp()) as app:
        app.twiml("/voice", f'<Dial action="/after"><Number sendDigits="w19#">{PERSON}</Number></Dial>')
        app.twiml("/after", "<Hangup/>")
        await text_call(app, people=person(), plan=Plan(speaks=False), utterances=(), state_dir=tmp_path).run()
    leg = app.fields_of("/after")[0]["DialCallSid"]
    events = json.loads((tmp_path / "calls" / leg / "events.json").read_text())["events"]
    assert [event["digits"] for event in events if event["event"] == "keys_heard"] == ["19#"]


async def test_it_rings_no_longer_than_the_app_wants() -> None:
    async with serving(TextApp()) as app:
        app.twiml("/voice", f'<Dial action="/after" timeout="1">{PERSON}</Dial>')
        app.twiml("/after", "<Hangup/>")
        await text_call(app, people=person(ring_ms=60_000), plan=Plan(speaks=False), utterances=()).run()
    assert app.fields_of("/after")[0]["DialCallStatus"] == "no-answer"


async def test_the_caller_hangs_up_while_it_rings() -> None:
    async with serving(TextApp()) as app:
        app.twiml("/voice", DIAL)
        call = text_call(app, people=person(ring_ms=60_000), plan=Plan(speaks=False), utterances=())
        running = asyncio.create_task(call.run())
        await until(lambda: "dialled" in names_of(call))
        call.hang_up()
        await running
    assert app.fields_of("/leg")[-1]["CallStatus"] == "canceled"
    assert app.fields_of("/after")[0]["CallStatus"] == "completed"


async def test_the_caller_is_led_elsewhere_in_the_middle_of_the_talk() -> None:
    listens = person(plan=Plan(speaks=False), utterances=())
    async with serving(TextApp()) as app:
        app.twiml("/voice", DIAL)
        call = text_call(app, people=listens, plan=Plan(speaks=False), utterances=())
        running = asyncio.create_task(call.run())
        await until(lambda: "bridged" in names_of(call))
        call.command(Command(source=Source(document="<Response><Hangup/></Response>")))
        result = await running
    assert result.end_reason == "the app hung up"
    assert app.fields_of("/leg")[-1]["CallStatus"] == "completed"


async def test_the_talk_is_recorded() -> None:
    async with serving(TextApp()) as app:
        dial = DIAL.replace("<Dial ", '<Dial record="record-from-answer-dual" recordingStatusCallback="/recording" ')
        app.twiml("/voice", dial)
        app.twiml("/after", "<Hangup/>")
        await text_call(app, people=person(), plan=Plan(speaks=False), utterances=()).run()
    told = app.fields_of("/recording")[0]
    assert (told["RecordingStatus"], told["RecordingChannels"]) == ("completed", "2")
    assert told["RecordingSource"] == "DialVerb"
    assert "RecordingUrl" in app.fields_of("/after")[0]


async def test_a_conference_joins_two_calls_until_one_that_ends_it_leaves() -> None:
    room = (
        '<Dial action="/after"><Conference statusCallback="/room" statusCallbackEvent="start end join leave" '
        'startConferenceOnEnter="{start}" endConferenceOnExit="{end}" beep="false">room 1</Conference></Dial>'
    )
    async with serving(TextApp()) as app:
        app.twiml("/voice", room.format(start="false", end="true"))
        app.twiml("/other", room.format(start="true", end="false"))
        app.twiml("/after", "<Hangup/>")
        plan = Plan(turns=1, greeting_timeout_ms=3000, reply_timeout_ms=500)
        first = text_call(app, plan=plan, utterances=(spoken(1.0),))
        running = asyncio.create_task(first.run())
        await until(lambda: "room_told" in names_of(first))
        second = text_call(app, plan=Plan(speaks=False), utterances=(), voice_url=app.origin + "/other")
        second._context.carrier.rooms = first._context.carrier.rooms
        result = await second.run()
        await running
    events = [told["StatusCallbackEvent"] for told in app.fields_of("/room")]
    assert sorted(events) == sorted(
        ["participant-join", "participant-join", "conference-start", "participant-leave", "participant-leave",
         "conference-end"]
    )  # fmt: skip
    assert app.fields_of("/after")[0]["DialCallStatus"] == "answered"
    assert result.turns[0].heard_ms >= 500
    end = next(told for told in app.fields_of("/room") if told["StatusCallbackEvent"] == "conference-end")
    assert end["ReasonConferenceEnded"] == "participant-with-end-conference-on-exit-left"
