from __future__ import annotations

from local_stack.phones.conversation import Plan
from local_stack.phones.twilio.misbehaviour import Misbehaviour
from local_stack.phones.utterance import from_digits
from tests.local_stack.phones.spoken_words import ToneSpeech
from tests.local_stack.phones.twilio.text_app import TextApp, serving
from tests.local_stack.phones.twilio.text_calls import names_of, text_call

LISTEN = '<Gather input="speech dtmf" action="/turn" speechTimeout="auto" timeout="3" actionOnEmptyResult="true">'


async def test_two_turns_of_words() -> None:
    speech = ToneSpeech(words=["first words", "second words"])
    async with serving(TextApp()) as app:
        app.twiml("/voice", f"{LISTEN}<Say>Hello there</Say></Gather>")
        app.twiml("/turn", f"{LISTEN}<Say>I understand</Say></Gather>")
        call = text_call(app, speech)
        result = await call.run()
    assert (result.status, result.end_reason, result.errors) == ("completed", "the caller hung up", ())
    assert result.media_opened
    turns = app.fields_of("/turn")
    assert [turn["SpeechResult"] for turn in turns[:2]] == ["first words", "second words"]
    assert float(turns[0]["Confidence"]) > 0
    assert (turns[0]["Language"], turns[0]["CallStatus"]) == ("en-US", "in-progress")
    assert [turn.understood for turn in result.turns] == [None, "first words", "second words"]
    assert [turn.spoken for turn in result.turns] == ["Hello there", "I understand", "I understand"]
    assert all(turn.response_ms is not None for turn in result.turns[1:])
    assert speech.said == ["Hello there", "I understand", "I understand"]


async def test_keys_are_gathered_until_there_are_enough_or_one_ends_them() -> None:
    gather = '<Gather action="/turn" numDigits="2"><Say>Two digits</Say></Gather>'
    async with serving(TextApp()) as app:
        app.twiml("/voice", gather)
        app.twiml("/turn", '<Gather action="/last"><Say>More</Say></Gather>')
        app.twiml("/last", "<Hangup/>")
        result = await text_call(app, utterances=(from_digits("42"), from_digits("7#"))).run()
    assert app.fields_of("/turn")[0]["Digits"] == "42"
    last = app.fields_of("/last")[0]
    assert (last["Digits"], last["FinishedOnKey"]) == ("7", "#")
    assert result.end_reason == "the app hung up"


async def test_the_caller_cuts_the_prompt_off() -> None:
    long = " ".join(["word"] * 60)
    async with serving(TextApp()) as app:
        app.twiml("/voice", f"{LISTEN}<Say>Hello</Say></Gather>")
        app.twiml("/turn", f"{LISTEN}<Say>{long}</Say></Gather>")
        plan = Plan(turns=2, pattern="b", barge_in_after_ms=600, quiet_ms=400, greeting_timeout_ms=4000)
        result = await text_call(app, plan=plan, max_call_ms=20_000).run()
    interruption = result.turns[2].interruption
    assert interruption is not None
    assert interruption.stop_ms is not None
    assert interruption.stop_ms < 500
    assert len(app.fields_of("/turn")) >= 2


async def test_a_prompt_that_may_not_be_cut_off_is_heard_to_its_end() -> None:
    long = " ".join(["word"] * 12)
    prompts = f'<Pause length="1"/><Say>{long}</Say>'
    async with serving(TextApp()) as app:
        app.twiml("/voice", f'<Gather input="speech" bargeIn="false" action="/turn">{prompts}</Gather>')
        app.twiml("/turn", "<Hangup/>")
        plan = Plan(turns=1, greeting_timeout_ms=0, reply_timeout_ms=6000)
        result = await text_call(app, plan=plan, max_call_ms=10_000).run()
    assert result.turns[1].spoken == long
    assert app.fields_of("/turn") == []


async def test_silence_leads_on_or_is_told() -> None:
    async with serving(TextApp()) as app:
        app.twiml("/voice", '<Gather input="speech" action="/turn" timeout="1"/><Redirect>/after</Redirect>')
        app.twiml("/after", LISTEN.replace('"3"', '"1"') + "</Gather>")
        app.twiml("/turn", "<Hangup/>")
        await text_call(app, plan=Plan(speaks=False), utterances=()).run()
    assert [request.path for request in app.requests] == ["/voice", "/after", "/turn", "/status"]
    assert app.fields_of("/turn")[0]["Digits"] == ""


async def test_a_gather_without_an_address_asks_where_it_came_from() -> None:
    async with serving(TextApp()) as app:
        app.twiml("/voice", lambda fields: "<Hangup/>" if "SpeechResult" in fields else '<Gather input="speech"/>')
        result = await text_call(app, plan=Plan(turns=1, greeting_timeout_ms=0)).run()
    assert len(app.fields_of("/voice")) == 2
    assert result.end_reason == "the app hung up"


async def test_a_deaf_provider_is_told_of() -> None:
    async with serving(TextApp()) as app:
        app.twiml("/voice", f"{LISTEN}<Say>Hello</Say></Gather>")
        app.twiml("/turn", "<Hangup/>")
        call = text_call(app, ToneSpeech(is_broken=True), plan=Plan(turns=1, greeting_timeout_ms=500))
        await call.run()
    assert "provider_trouble" in names_of(call)


async def test_what_is_said_after_the_beep_is_recorded() -> None:
    async with serving(TextApp()) as app:
        record = '<Record action="/kept" timeout="1" recordingStatusCallback="/recording"/>'
        app.twiml("/voice", f"<Say>Speak</Say>{record}")
        app.twiml("/kept", "<Hangup/>")
        call = text_call(app, plan=Plan(turns=2, quiet_ms=300, reply_timeout_ms=30_000))
        result = await call.run()
    assert result.end_reason == "the app hung up"
    kept, told = app.fields_of("/kept")[0], app.fields_of("/recording")[0]
    assert kept["RecordingSid"] == told["RecordingSid"]
    assert told["RecordingStatus"] == "completed"
    assert int(told["RecordingDuration"]) >= 1


async def test_a_sound_is_fetched_and_keys_are_played() -> None:
    from local_stack.phones import wav
    from tests.local_stack.phones.twilio.voice_app import tone

    async with serving(TextApp(media={"/hold.wav": wav.as_bytes(tone(0.4), 8000)})) as app:
        app.twiml("/voice", '<Play>/hold.wav</Play><Play digits="1w2#"/><Play>/missing.wav</Play><Hangup/>')
        call = text_call(app, plan=Plan(speaks=False), utterances=())
        result = await call.run()
    assert result.end_reason == "the app hung up"
    assert result.turns[0].heard_ms >= 600
    assert "keys_sent" in names_of(call)
    assert [event.facts["digits"] for event in call.log.events if event.name == "keys_heard"] == ["12#"]
    assert result.errors[0].startswith("12300: ")


async def test_a_call_is_recorded_with_consent_while_the_verbs_go_on() -> None:
    start = '<Start><Recording recordingStatusCallback="/recording" channels="dual"/></Start>'
    async with serving(TextApp()) as app:
        app.twiml("/voice", f"<Say>This call is recorded</Say>{start}{LISTEN}<Say>Hello</Say></Gather>")
        app.twiml("/turn", "<Hangup/>")
        await text_call(app, plan=Plan(turns=1, quiet_ms=300)).run()
    told = app.fields_of("/recording")[0]
    assert (told["RecordingSource"], told["RecordingChannels"]) == ("StartCallRecordingTwiML", "2")
    assert int(told["RecordingDuration"]) >= 1


async def test_a_turn_that_comes_twice_goes_on_once() -> None:
    ways = frozenset({Misbehaviour.REPEATED_WEBHOOKS})
    async with serving(TextApp()) as app:
        app.twiml("/voice", f"{LISTEN}<Say>Hello</Say></Gather>")
        app.twiml("/turn", "<Hangup/>")
        await text_call(app, misbehaviours=ways, plan=Plan(turns=1, quiet_ms=300)).run()
    asked = [request for request in app.requests if request.path == "/turn"]
    assert len(asked) == 2
    assert asked[0].body == asked[1].body
    assert asked[0].headers["X-Twilio-Signature"] == asked[1].headers["X-Twilio-Signature"]
