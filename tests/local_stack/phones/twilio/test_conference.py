"""Conferences: who waits hears what the app wants, it begins and ends as its guests are told to, and all is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from local_stack.phones import wav
from local_stack.phones.call_result import CallResult
from local_stack.phones.conversation import Plan
from local_stack.phones.twilio.call import Command, TwilioCall
from tests.local_stack.phones.spoken_words import ToneSpeech
from tests.local_stack.phones.twilio.text_app import TextApp, serving, until
from tests.local_stack.phones.twilio.text_calls import names_of, text_call
from tests.local_stack.phones.twilio.voice_app import tone

QUIET = Plan(speaks=False)
EVENTS = "start end join leave mute hold modify"


def room(**attributes: str) -> str:
    given = {"statusCallback": "/room", "statusCallbackEvent": EVENTS, "beep": "false", **attributes}
    written = " ".join(f'{name}="{value}"' for name, value in given.items())
    return f'<Dial action="/after"><Conference {written}>room 1</Conference></Dial>'


def guest(app: TextApp, path: str, beside: TwilioCall | None = None, **changes: Any) -> TwilioCall:
    speech = changes.pop("speech", None)
    call = text_call(app, speech, plan=QUIET, utterances=(), voice_url=app.origin + path, **changes)
    if beside is not None:
        call._context.carrier.rooms = beside._context.carrier.rooms
    return call


@asynccontextmanager
async def inside(call: TwilioCall) -> AsyncIterator[asyncio.Task[CallResult]]:
    running = asyncio.create_task(call.run())
    await until(lambda: "room_told" in names_of(call))
    try:
        yield running
    finally:
        call.end("completed")
        await running


def told(app: TextApp) -> list[str]:
    return [fields["StatusCallbackEvent"] for fields in app.fields_of("/room")]


def heard(folder: Path, call: TwilioCall) -> np.ndarray[Any, Any]:
    return wav.read((folder / "calls" / call.sid / "agent.wav").read_bytes()).samples


ROOM_MS = 500
"""More than what of the others' sound lies in a line's buffer, less than what those who wait are told."""


def after(count: int, what: Callable[[], list[Any]]) -> Callable[[], bool]:
    return lambda: len(what()) >= count


async def test_who_waits_hears_what_the_app_has_over_and_over(tmp_path: Path) -> None:
    speech = ToneSpeech()
    async with serving(TextApp()) as app:
        app.twiml("/voice", room(waitUrl="/wait"))
        app.twiml("/wait", "<Say>Please wait</Say><Redirect>/more</Redirect>")
        app.twiml("/more", "<Say>a little longer</Say>")
        call = guest(app, "/voice", speech=speech, state_dir=tmp_path)
        async with inside(call):
            await until(after(4, lambda: speech.said))
    assert speech.said[:4] == ["Please wait", "a little longer"] * 2
    assert app.fields_of("/wait")[0]["CallSid"] == call.sid
    assert np.abs(heard(tmp_path, call)).max() > 0.1


async def test_a_sound_for_those_who_wait(tmp_path: Path) -> None:
    async with serving(TextApp()) as app:
        app.media["/wait.wav"] = wav.as_bytes(tone(0.4), 8000)
        app.twiml("/voice", room(waitUrl="/wait.wav", waitMethod="GET"))
        call = guest(app, "/voice", state_dir=tmp_path)
        async with inside(call):
            await until(after(2, lambda: [one for one in app.requests if one.path == "/wait.wav"]))
    assert np.abs(heard(tmp_path, call)).max() > 0.1


@pytest.mark.parametrize(("attributes", "plays"), [({}, True), ({"waitUrl": ""}, False)], ids=["music", "nothing"])
async def test_who_waits_hears_music_or_nothing(tmp_path: Path, attributes: dict[str, str], plays: bool) -> None:
    async with serving(TextApp()) as app:
        app.twiml("/voice", room(**attributes))
        call = guest(app, "/voice", state_dir=tmp_path)
        async with inside(call):
            await until(lambda: call.line.tracks.duration_ms > 1500)
    assert (np.abs(heard(tmp_path, call)).max() > 0.05) == plays


@pytest.mark.parametrize("document", ["<Hangup/>", "<Sing/>"])
async def test_what_is_not_for_those_who_wait_is_complained_of(document: str) -> None:
    async with serving(TextApp()) as app:
        app.twiml("/voice", room(waitUrl="/wait"))
        app.twiml("/wait", document)
        call = guest(app, "/voice")
        async with inside(call):
            await until(lambda: "carrier_error" in names_of(call))
        assert len(app.fields_of("/wait")) == 1
    assert call.result().status == "completed"


async def test_it_begins_with_the_second_and_waiting_is_over(tmp_path: Path) -> None:
    speech = ToneSpeech()
    async with serving(TextApp()) as app:
        app.twiml("/voice", room(waitUrl="/wait"))
        app.twiml("/other", room())
        app.twiml("/wait", "<Say>Please wait a very very very long time for somebody to come</Say>")
        first = guest(app, "/voice", speech=speech)
        async with inside(first):
            await until(after(1, lambda: speech.said))
            second = guest(app, "/other", first)
            async with inside(second):
                await until(lambda: "conference-start" in told(app))
                await until(lambda: first.line.playback.waiting_ms < ROOM_MS)  # the room's sound is all that is left
        await until(lambda: "conference-end" in told(app))
    assert app.fields_of("/room")[-1]["ReasonConferenceEnded"] == "last-participant-left"
    assert app.fields_of("/room")[-1]["CallSidEndingConference"] == first.sid
    assert speech.said == speech.said[:1]


async def test_it_does_not_begin_while_none_is_there_who_begins_it() -> None:
    async with serving(TextApp()) as app:
        app.twiml("/voice", room(startConferenceOnEnter="false"))
        app.twiml("/other", room())
        first = guest(app, "/voice")
        async with inside(first), inside(guest(app, "/voice", first)):
            await until(after(2, lambda: told(app)))
            assert told(app) == ["participant-join", "participant-join"]
            async with inside(guest(app, "/other", first)):
                await until(lambda: "conference-start" in told(app))


@pytest.mark.parametrize(
    ("ends", "reason"), [("true", "participant-with-end-conference-on-exit-left"), ("false", "")]
)
async def test_it_ends_with_the_one_who_ends_it(ends: str, reason: str) -> None:
    async with serving(TextApp()) as app:
        app.twiml("/voice", room())
        app.twiml("/other", room(endConferenceOnExit=ends))
        app.twiml("/after", "<Hangup/>")
        first = guest(app, "/voice")
        async with inside(first) as running:
            second = guest(app, "/other", first)
            async with inside(second):
                await until(lambda: "conference-start" in told(app))
                second.command(Command(final_status="completed"))
                await until(lambda: second.state.over)
            if ends == "true":
                await running
                assert first.result().end_reason == "the app hung up"
            else:
                assert not first.state.over
        reasons = [one.get("ReasonConferenceEnded") for one in app.fields_of("/room")]
        assert (reason in reasons) == (ends == "true")


async def test_what_happens_to_a_guest_is_told_to_those_who_asked_for_it() -> None:
    async with serving(TextApp()) as app:
        app.twiml("/voice", room(statusCallbackEvent="mute hold"))
        call = guest(app, "/voice")
        async with inside(call):
            (participant,) = call._context.carrier.rooms.by_sid.popitem()[1].participants.values()
            for event in ("mute", "unmute", "hold", "unhold", "modify"):
                participant.tell(f"participant-{event}")
    names = [f"participant-{event}" for event in ("mute", "unmute", "hold", "unhold")]
    assert told(app) == names
    assert [one["SequenceNumber"] for one in app.fields_of("/room")] == ["1", "2", "3", "4"]
