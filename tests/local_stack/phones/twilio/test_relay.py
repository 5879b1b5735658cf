from __future__ import annotations

import json

import pytest

from local_stack.phones.conversation import Plan
from local_stack.phones.twilio import relay_messages
from local_stack.phones.twilio.faults import CarrierFault
from local_stack.phones.twilio.misbehaviour import Misbehaviour
from local_stack.phones.twilio.signature import sign
from local_stack.phones.utterance import from_digits
from tests.local_stack.phones.spoken_words import ToneSpeech
from tests.local_stack.phones.twilio.calling import ACCOUNT
from tests.local_stack.phones.twilio.text_app import TextApp, serving
from tests.local_stack.phones.twilio.text_calls import names_of, text_call

LONG = " ".join(["word"] * 40) + "."


def relay(app: TextApp, attributes: str = "", rest: str = "") -> str:
    parameter = '<Parameter name="ticket" value="t-1"/>'
    noun = f'<ConversationRelay url="{app.relay_url}" {attributes}>{parameter}</ConversationRelay>'
    return f'<Connect action="/after">{noun}</Connect>{rest}'


def text(token: str, last: bool = True) -> dict[str, object]:
    return {"type": "text", "token": token, "last": last}


async def test_two_turns_of_words_over_a_signed_socket() -> None:
    app = TextApp(
        replies=[[], [text("I see, ", False), text("which one? ", False), text("Tell me.")], [text("Fine.")]]
    )
    speech = ToneSpeech(words=["first words", "second words"])
    async with serving(app):
        app.twiml("/voice", relay(app, 'welcomeGreeting="Hello there" language="en-IN"'))
        call = text_call(app, speech)
        result = await call.run()
    assert (result.status, result.end_reason, result.errors) == ("completed", "the caller hung up", ())
    setup = app.messages[0]
    assert (setup["type"], setup["callSid"], setup["accountSid"]) == ("setup", call.sid, ACCOUNT.sid)
    assert (setup["customParameters"], setup["direction"], setup["callStatus"]) == (
        {"ticket": "t-1"}, "inbound", "IN-PROGRESS",
    )  # fmt: skip
    assert setup["sessionId"].startswith("VX")
    upgrade = app.upgrades[0]
    assert upgrade["raw_path"] == "/relay?affinity=1"
    assert upgrade["X-Twilio-Signature"] == sign(ACCOUNT.auth_token, app.relay_url)
    prompts = app.of_type("prompt")
    assert [prompt["voicePrompt"] for prompt in prompts] == ["first words", "second words"]
    assert all((prompt["lang"], prompt["last"]) == ("en-IN", True) for prompt in prompts)
    assert speech.said == ["Hello there", "I see, which one?", "Tell me.", "Fine."]
    assert [turn.spoken for turn in result.turns] == ["Hello there", "I see, which one? Tell me.", "Fine."]
    assert all(turn.response_ms is not None for turn in result.turns[1:])
    assert not app.of_type("interrupt")
    (after,) = app.fields_of("/after")
    assert (after["CallStatus"], after["SessionStatus"]) == ("completed", "completed")


async def test_an_interruption_tells_the_words_that_were_heard() -> None:
    app = TextApp(replies=[[], [text(LONG)], [text("Sorry.")]])
    async with serving(app):
        app.twiml("/voice", relay(app, 'welcomeGreeting="Hello"'))
        plan = Plan(turns=2, pattern="b", barge_in_after_ms=1000, quiet_ms=400, greeting_timeout_ms=4000)
        result = await text_call(app, plan=plan).run()
    (interrupt,) = app.of_type("interrupt")
    heard = interrupt["utteranceUntilInterrupt"].split()
    assert 3 <= len(heard) <= 12
    assert 800 <= interrupt["durationUntilInterruptMs"] <= 2400
    assert result.turns[2].interruption is not None
    assert [message["type"] for message in app.messages][-2:] == ["interrupt", "prompt"]


@pytest.mark.parametrize("attributes", ['interruptible="none"', 'interruptible="dtmf"'])
async def test_who_may_not_interrupt_is_not_heard_meanwhile(attributes: str) -> None:
    app = TextApp(replies=[[], [text(" ".join(["word"] * 20))]])
    async with serving(app):
        app.twiml("/voice", relay(app, f'welcomeGreeting="Hello" {attributes}'))
        plan = Plan(turns=2, pattern="b", barge_in_after_ms=600, quiet_ms=400, reply_timeout_ms=6000)
        await text_call(app, plan=plan, max_call_ms=20_000).run()
    assert not app.of_type("interrupt")
    assert len(app.of_type("prompt")) == 1


async def test_keys_are_told_where_they_are_wanted() -> None:
    app = TextApp()
    async with serving(app):
        app.twiml("/voice", relay(app, 'dtmfDetection="true" events="speaker-events tokens-played"'))
        plan = Plan(turns=1, greeting_timeout_ms=0, reply_timeout_ms=1000)
        await text_call(app, utterances=(from_digits("4#"),), plan=plan).run()
    assert [message["digit"] for message in app.of_type("dtmf")] == ["4", "#"]


async def test_an_app_that_wants_to_know_is_told_who_speaks() -> None:
    app = TextApp(replies=[[], [text("Fine.")]])
    async with serving(app):
        app.twiml("/voice", relay(app, 'welcomeGreeting="Hello there" events="speaker-events tokens-played"'))
        await text_call(app, plan=Plan(turns=1, quiet_ms=400, greeting_timeout_ms=4000)).run()
    told = [(message["name"], message["value"]) for message in app.of_type("info")]
    assert told[:3] == [("agentSpeaking", "on"), ("agentSpeaking", "off"), ("tokensPlayed", "Hello there")]
    assert ("clientSpeaking", "on") in told


async def test_an_end_with_handoff_leads_to_the_action_and_on() -> None:
    handoff = json.dumps({"reason": "human"})
    app = TextApp(replies=[[], [text("One moment."), {"type": "end", "handoffData": handoff}]])
    async with serving(app):
        app.twiml("/voice", relay(app, 'welcomeGreeting="Hello"'))
        app.twiml("/after", "<Hangup/>")
        result = await text_call(app).run()
    (after,) = app.fields_of("/after")
    assert (after["SessionStatus"], after["HandoffData"]) == ("ended", handoff)
    assert after["SessionId"].startswith("VX")
    assert int(after["SessionDuration"]) >= 1
    assert result.end_reason == "the app hung up"
    assert result.turns[1].spoken == "One moment."


async def test_other_messages_are_carried_out() -> None:
    more = [
        {"type": "sendDigits", "digits": "1w2#"},
        {"type": "language", "transcriptionLanguage": "hi-IN", "ttsLanguage": "hi-IN"},
        {"type": "play", "source": "http://127.0.0.1:1/x.wav"},
        text("Namaste."),
    ]
    app = TextApp(replies=[more, []])
    async with serving(app):
        app.twiml("/voice", relay(app))
        call = text_call(app, plan=Plan(turns=1, quiet_ms=400, greeting_timeout_ms=6000, reply_timeout_ms=1500))
        await call.run()
    assert "keys_sent" in names_of(call)
    assert app.of_type("prompt")[0]["lang"] == "hi-IN"


@pytest.mark.parametrize(
    "raw",
    [
        "not json",
        "[]",
        '{"type":"txt"}',
        '{"type":"text","token":7}',
        '{"type":"text","token":"a","colour":1}',
        '{"type":"end","handoffData":{"reason":"human"}}',
        '{"type":"sendDigits","digits":"x"}',
        '{"type":"play"}',
        '{"type":"text","token":"a","last":"yes"}',
        '{"type":"play","source":"a","loop":true}',
    ],
)
def test_a_malformed_message_is_refused(raw: str) -> None:
    with pytest.raises(CarrierFault) as caught:
        relay_messages.read(raw)
    assert caught.value.code == 64107


async def test_a_malformed_message_is_answered_with_an_error_and_the_session_goes_on() -> None:
    app = TextApp(replies=[[{"raw": "{"}, {"raw": '{"type":"talk"}'}, text("Hello.")], [text("Fine.")]])
    async with serving(app):
        app.twiml("/voice", relay(app))
        result = await text_call(app, plan=Plan(turns=1, quiet_ms=400)).run()
    assert [error["description"] for error in app.of_type("error")] == [
        "Invalid message received: {", 'Invalid message received: {"type":"talk"}',
    ]  # fmt: skip
    assert result.errors[0].startswith("64107: ")
    assert result.turns[1].spoken == "Fine."


@pytest.mark.parametrize(("code", "status"), [(1000, "ended"), (1011, "failed")])
async def test_the_app_closes_the_socket(code: int, status: str) -> None:
    app = TextApp(close_code_after_prompt=code)
    async with serving(app):
        app.twiml("/voice", relay(app, 'welcomeGreeting="Hello"'))
        app.twiml("/after", "<Hangup/>")
        await text_call(app).run()
    (after,) = app.fields_of("/after")
    assert after["SessionStatus"] == status
    assert ("ErrorCode" in after) == (status == "failed")


async def test_a_socket_that_cannot_be_opened() -> None:
    async with serving(TextApp()) as app:
        url = app.relay_url.replace("/relay", "/nothing")
        app.twiml("/voice", f'<Connect action="/after"><ConversationRelay url="{url}"/></Connect>')
        app.twiml("/after", "<Hangup/>")
        result = await text_call(app).run()
    (after,) = app.fields_of("/after")
    assert (after["SessionStatus"], after["ErrorCode"]) == ("failed", "64102")
    assert not result.media_opened


async def test_the_connection_breaks_in_the_middle_of_a_reply() -> None:
    app = TextApp(replies=[[], [text(LONG)]])
    async with serving(app):
        app.twiml("/voice", relay(app, 'welcomeGreeting="Hello"'))
        app.twiml("/after", relay(app, 'welcomeGreeting="Here I am again"'))
        ways = frozenset({Misbehaviour.SOCKET_DROPS})
        result = await text_call(app, misbehaviours=ways, plan=Plan(turns=1, quiet_ms=400)).run()
    assert app.fields_of("/after")[0]["SessionStatus"] == "failed"
    assert len(app.of_type("setup")) == 2
    assert result.end_reason == "the caller hung up"


@pytest.mark.parametrize("way", [Misbehaviour.NO_TICKET, Misbehaviour.NOT_JSON, Misbehaviour.WRONG_SOCKET_SIGNATURE])
async def test_what_an_attacker_or_a_broken_carrier_sends(way: Misbehaviour) -> None:
    app = TextApp()
    async with serving(app):
        app.twiml("/voice", relay(app))
        plan = Plan(turns=1, greeting_timeout_ms=0, reply_timeout_ms=300)
        await text_call(app, misbehaviours=frozenset({way}), plan=plan).run()
    signature = sign(ACCOUNT.auth_token, app.relay_url)
    assert (app.upgrades[0]["X-Twilio-Signature"] == signature) != (way is Misbehaviour.WRONG_SOCKET_SIGNATURE)
    assert (app.messages[0]["customParameters"] == {}) == (way is Misbehaviour.NO_TICKET)
    assert ("garbage" in [message["type"] for message in app.messages]) == (way is Misbehaviour.NOT_JSON)


@pytest.mark.slow
async def test_a_second_socket_with_the_same_ticket() -> None:
    app = TextApp()
    async with serving(app):
        app.twiml("/voice", relay(app))
        plan = Plan(turns=1, greeting_timeout_ms=0, reply_timeout_ms=2000)
        call = text_call(app, misbehaviours=frozenset({Misbehaviour.USED_TICKET}), plan=plan)
        await call.run()
    assert len(app.of_type("setup")) == 2
    assert "intruder_accepted" in names_of(call)
