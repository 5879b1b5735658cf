"""Each way of misbehaving must reach the wire as its name says."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

import pytest

from local_stack.phones import g711
from local_stack.phones.call_result import CallResult
from local_stack.phones.conversation import Plan
from local_stack.phones.twilio.misbehaviour import HUGE_MESSAGE_CHARS, Misbehaviour
from local_stack.phones.twilio.signature import sign
from tests.local_stack.phones.twilio.calling import ACCOUNT, call_to
from tests.local_stack.phones.twilio.voice_app import VoiceApp, running, spoken


async def misbehave(app: VoiceApp, way: Misbehaviour, **changes: Any) -> CallResult:
    async with running(app):
        result = await call_to(app, misbehaviours=frozenset({way}), **changes).run()
        await app.wait_until_hung_up()
        return result


def event_names(result: CallResult) -> list[str]:
    return [event.name for event in result.events]


async def test_no_signature() -> None:
    app = VoiceApp()
    await misbehave(app, Misbehaviour.NO_SIGNATURE)
    assert "X-Twilio-Signature" not in app.of("/voice")[0].headers
    assert "X-Twilio-Signature" in app.upgrades[0]


async def test_wrong_signature() -> None:
    app = VoiceApp()
    await misbehave(app, Misbehaviour.WRONG_SIGNATURE)
    (request,) = app.of("/voice")
    given = request.headers["X-Twilio-Signature"]
    assert given != sign(ACCOUNT.auth_token, request.url, request.fields)
    assert len(base64.b64decode(given)) == 20


async def test_no_socket_signature() -> None:
    app = VoiceApp()
    await misbehave(app, Misbehaviour.NO_SOCKET_SIGNATURE)
    assert "X-Twilio-Signature" not in app.upgrades[0]


async def test_wrong_socket_signature() -> None:
    app = VoiceApp()
    await misbehave(app, Misbehaviour.WRONG_SOCKET_SIGNATURE)
    url = app.origin.replace("http", "ws") + "/media"
    assert app.upgrades[0]["X-Twilio-Signature"] != sign(ACCOUNT.auth_token, url)


async def test_replayed_webhook_is_the_same_to_the_byte() -> None:
    app = VoiceApp()
    result = await misbehave(app, Misbehaviour.REPLAYED_WEBHOOK)
    first, second = app.of("/voice")
    assert (first.body, first.headers) == (second.body, second.headers)
    assert "replay_answered" in event_names(result)
    assert result.turns[-1].first_heard_ms is not None


async def test_no_ticket() -> None:
    app = VoiceApp()
    result = await misbehave(app, Misbehaviour.NO_TICKET)
    assert app.messages[1]["start"]["customParameters"] == {}
    assert app.close_codes == [1008]
    assert result.errors == ("31921: the app closed the media socket with 1008",)


async def test_used_ticket_comes_on_a_second_socket_while_the_first_goes_on() -> None:
    app = VoiceApp()
    result = await misbehave(app, Misbehaviour.USED_TICKET)
    starts = app.events("start")
    assert [start["start"]["customParameters"] for start in starts] == [{"ticket": "t-1"}] * 2
    assert starts[0]["streamSid"] != starts[1]["streamSid"]
    assert starts[0]["start"]["callSid"] == starts[1]["start"]["callSid"]
    (closed,) = [event for event in result.events if event.name == "intruder_closed"]
    assert closed.facts["code"] == 1008
    assert result.turns[-1].first_heard_ms is not None


async def test_frames_before_start() -> None:
    app = VoiceApp()
    await misbehave(app, Misbehaviour.FRAMES_BEFORE_START)
    assert [message["event"] for message in app.messages[:12]] == ["connected", *["media"] * 10, "start"]


async def test_broken_base64_is_one_message_among_good_ones() -> None:
    app = VoiceApp()
    await misbehave(app, Misbehaviour.BROKEN_BASE64, plan=Plan(speaks=False), max_call_ms=1500)
    broken = []
    for frame in app.events("media"):
        try:
            base64.b64decode(frame["media"]["payload"], validate=True)
        except binascii.Error:
            broken.append(frame)
    assert len(broken) == 1
    assert len(app.events("media")) > 60


async def test_wrong_media_format() -> None:
    app = VoiceApp()
    await misbehave(app, Misbehaviour.WRONG_MEDIA_FORMAT)
    assert app.messages[1]["start"]["mediaFormat"]["encoding"] == "audio/x-l16"
    assert app.messages[1]["start"]["mediaFormat"]["sampleRate"] == 16000


async def test_frames_after_stop() -> None:
    app = VoiceApp()
    await misbehave(app, Misbehaviour.FRAMES_AFTER_STOP)
    names = [message["event"] for message in app.messages]
    assert names[names.index("stop") + 1 :] == ["media"] * 10


async def test_text_that_is_not_json() -> None:
    app = VoiceApp()
    result = await misbehave(app, Misbehaviour.NOT_JSON)
    with pytest.raises(json.JSONDecodeError):
        json.loads(app.raw[-1])
    assert app.close_codes == [1007]
    assert result.errors == ("31921: the app closed the media socket with 1007",)


async def test_a_message_of_two_megabytes() -> None:
    app = VoiceApp()
    result = await misbehave(app, Misbehaviour.HUGE_MESSAGE)
    assert HUGE_MESSAGE_CHARS == 2 * 1024 * 1024
    assert len([text for text in app.raw if len(text) > HUGE_MESSAGE_CHARS]) == 1
    assert result.status == "completed"


async def test_a_caller_who_never_speaks() -> None:
    app = VoiceApp()
    await misbehave(app, Misbehaviour.NEVER_SPEAKS, max_call_ms=2000)
    frames = [base64.b64decode(frame["media"]["payload"]) for frame in app.events("media")]
    assert len(frames) == 100
    assert set(frames) == {g711.SILENT_FRAME}


@pytest.mark.slow
async def test_a_caller_who_never_stops_speaking() -> None:
    app = VoiceApp()
    result = await misbehave(app, Misbehaviour.NEVER_STOPS_SPEAKING, speed=12.0, utterances=(spoken(1.0),))
    loud = [g711.is_audible(base64.b64decode(frame["media"]["payload"])) for frame in app.events("media")]
    first = loud.index(True)
    assert all(loud[first : first + 2000])
    assert sum(loud) == 2000
    assert len(result.turns) == 2


async def test_a_line_that_breaks_sends_neither_stop_nor_close_nor_callbacks() -> None:
    app = VoiceApp()
    result = await misbehave(app, Misbehaviour.VANISHES, utterances=(spoken(2.0),))
    assert not app.events("stop")
    assert app.close_codes == [1006]
    assert not app.of("/status")
    assert [dict(request.fields)["StreamEvent"] for request in app.of("/stream-status")] == ["stream-started"]
    assert result.end_reason == "the line broke"
    assert result.turns[-1].speech_ended_ms is None


async def test_a_caller_who_hangs_up_in_the_middle_of_the_reply() -> None:
    app = VoiceApp(reply_s=3.0)
    result = await misbehave(app, Misbehaviour.HANGS_UP_IN_REPLY)
    assert app.messages[-1]["event"] == "stop"
    assert 200 <= result.turns[-1].heard_ms <= 2000
    assert len(result.turns) == 2


async def test_a_socket_that_drops_in_mid_sentence_leads_to_the_action_and_the_call_goes_on() -> None:
    class Forgetful(set[str]):
        """The app gives a ticket with each answer; the one of this double is always the same."""

        def __contains__(self, ticket: object) -> bool:
            return False

    app = VoiceApp(reply_s=3.0, used_tickets=Forgetful())
    async with running(app):
        app.twiml = app.default_twiml().replace("<Connect>", '<Connect action="/voice">')
        plan = Plan(turns=1, quiet_ms=300, reply_timeout_ms=3000)
        call = call_to(app, misbehaviours=frozenset({Misbehaviour.SOCKET_DROPS}), plan=plan)
        result = await call.run()
        await app.wait_until_hung_up()
    assert app.close_codes[0] == 1006
    assert len(app.of("/voice")) == 2
    assert len(app.upgrades) == 2
    assert result.end_reason == "the caller hung up"
    assert result.turns[1].heard_ms < 2000
