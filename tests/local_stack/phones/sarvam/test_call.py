"""A voice agent in a call: what it asks an app, what it says, and what it tells in the end."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from local_stack.phones.conversation import Plan
from local_stack.phones.people import CalledPerson, Callee
from local_stack.phones.sarvam.misbehaviour import Misbehaviour
from local_stack.phones.sarvam.options import Direction
from tests.local_stack.phones.sarvam.hook_app import ACCOUNT, PLAN, call_of, serving
from tests.local_stack.phones.spoken_words import ToneSpeech
from tests.local_stack.phones.twilio.voice_app import spoken


async def test_a_conversation() -> None:
    speech = ToneSpeech(words=["Where is it?", "Thank you."])
    async with serving(answers=["It is on its way.", "Goodbye."]) as app:
        call = call_of(app, speech=speech, utterances=[spoken(0.6), spoken(0.6)])
        result = await call.run()
    assert (result.status, result.media_opened, result.errors) == ("connected", True, ())
    assert [turn.understood for turn in result.turns] == [None, "Where is it?", "Thank you."]
    assert speech.said == ["Hello, this is Nora.", "It is on its way.", "Goodbye."]
    (start,), turns = app.of("start"), app.of("turn")
    metadata = start["context"]["engagement_metadata"]
    assert (metadata["interaction_id"], metadata["agent_phone_number"]) == (result.call_sid, "15550100018")
    assert start["context"]["user_identifier"] == "+14155550100"
    assert [turn["utterance"] for turn in turns] == ["Where is it?", "Thank you."]
    assert [turn["context"]["internal_variables"] for turn in turns] == [{"n": 0}, {"n": 1}]
    (end,), (told,) = app.of("end"), app.of("result")
    spoken_turns = end["context"]["interaction_transcript"]["interaction_transcript"]
    assert [turn["role"] for turn in spoken_turns] == ["agent", "user", "agent", "user", "agent"]
    assert (told["interaction_id"], told["user_phone_number"]) == (result.call_sid, "+14155550100")
    assert "status" not in told
    assert [door for door, _ in app.told] == ["start", "turn", "turn", "end", "result"]


async def test_who_speaks_into_the_agents_words_silences_it() -> None:
    async with serving(answers=["one two three four five six seven eight nine ten eleven twelve", "Yes."]) as app:
        plan = Plan(turns=2, pattern="b", barge_in_after_ms=600, quiet_ms=400)
        result = await call_of(app, utterances=[spoken(0.6), spoken(0.6)], plan=plan).run()
    interruption = result.turns[2].interruption
    assert interruption is not None
    assert interruption.stop_ms is not None
    assert interruption.stop_ms < 1000
    cut = app.of("end")[0]["context"]["interaction_transcript"]["interaction_transcript"][2]
    assert 1 <= len(cut["en_text"].split()) < 12


async def test_the_agent_ends_the_conversation() -> None:
    async with serving(ends=lambda number: True) as app:
        result = await call_of(app, utterances=[spoken(0.6)]).run()
    assert (result.status, result.end_reason) == ("connected", "the agent ended the conversation")


async def test_the_rest_of_an_answer_is_asked_for() -> None:
    def part(to_user: str | None, to_llm: str | None) -> dict[str, Any]:
        return {"message_to_user": to_user, "message_to_llm": to_llm, "context": context}

    context: dict[str, Any] = {"language": "Hindi", "allowed_languages": ["English", "Hindi"]}
    speech = ToneSpeech()
    answers = [part("One.", "Call again."), part(None, "Call again."), part("Two.", None)]
    async with serving(answers=answers) as app:
        call = call_of(app, speech=speech, utterances=[spoken(0.6)])
        await call.run()
    assert [turn["utterance"] for turn in app.of("turn")] == ["which folder", "", ""]
    assert speech.said[1:] == ["One.", "Two."]
    assert any(event.name == "language_changed" for event in call.log.events)


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"message_to_user": None, "message_to_llm": None, "context": {}},
        {"message_to_user": "Yes."},
        {"message_to_user": "Yes.", "context": {"language": "German"}},
    ],
)
async def test_an_answer_that_the_sdk_would_not_let_pass(answer: Any) -> None:
    speech = ToneSpeech()
    async with serving(answers=[answer]) as app:
        result = await call_of(app, speech=speech, utterances=[spoken(0.6)]).run()
    assert speech.said[-1].startswith("Sorry")
    assert [error.partition(":")[0] for error in result.errors] == ["tool"]


async def test_a_call_that_nobody_begins() -> None:
    async with serving(start_status=404) as app:
        result = await call_of(app, utterances=[spoken(0.6)]).run()
    assert (result.status, result.media_opened) == ("failed", False)
    assert len(app.of("start")) == 2


async def test_the_person_hangs_up() -> None:
    async with serving() as app:
        call = call_of(app, plan=Plan(speaks=False))
        running = asyncio.create_task(call.run())
        async with asyncio.timeout(10):
            while not app.of("start"):
                await asyncio.sleep(0.01)
        call.hang_up()
        async with asyncio.timeout(10):
            result = await running
    assert (result.status, result.end_reason) == ("connected", "the caller hung up")


@pytest.mark.parametrize(
    ("callee", "status"),
    [(Callee.BUSY, "busy"), (Callee.NO_ANSWER, "no_answer"), (Callee.FAILED, "failed"), (Callee.REJECTS, "busy")],
)
async def test_an_attempt_that_nobody_answers(callee: Callee, status: str) -> None:
    async with serving() as app:
        result = await call_of(
            app,
            direction=Direction.OUTBOUND,
            attempt_id="20261122/a",
            callee=callee,
            ring_ms=50,
            plan=Plan(speaks=False),
            metadata={"call": "c-1"},
        ).run()
    assert (result.status, result.call_sid) == (status, "20261122/a")
    (told,) = app.of("result")
    assert (told["status"], told["attempt_id"], told["duration"]) == (status, "20261122/a", 0.0)
    assert told["webhook_config"]["metadata"] == {"call": "c-1"}
    assert not app.of("end")


async def test_an_attempt_that_is_answered_brings_what_was_given_along() -> None:
    async with serving() as app:
        await call_of(
            app,
            direction=Direction.OUTBOUND,
            attempt_id="20261122/a",
            ring_ms=50,
            agent_variables={"voice_agent_call": "c-1"},
            utterances=[spoken(0.6)],
            plan=PLAN,
        ).run()
    context = app.of("start")[0]["context"]
    assert context["agent_variables"] == {"transfer_number": "", "voice_agent_call": "c-1"}
    assert context["engagement_metadata"]["attempt_id"] == "20261122/a"
    assert app.of("result")[0]["status"] == "connected"


@pytest.mark.parametrize(
    ("mood", "expected"),
    [
        (Misbehaviour.REPEATED_TURNS, ["start", "turn", "turn", "end", "result"]),
        (Misbehaviour.EMPTY_END, ["start", "turn", "end", "end", "end", "result"]),
        (Misbehaviour.REPEATED_RESULT, ["start", "turn", "end", "result", "result"]),
        (Misbehaviour.RESULT_FIRST, ["start", "turn", "result", "end"]),
        (Misbehaviour.NO_END, ["start", "turn", "result"]),
        (Misbehaviour.NO_RESULT, ["start", "turn", "end"]),
        (Misbehaviour.FOREIGN_BEARER, []),
        (Misbehaviour.CUT_BEARER, []),
    ],
)
async def test_misbehaviour(mood: Misbehaviour, expected: list[str]) -> None:
    async with serving() as app:
        await call_of(app, utterances=[spoken(0.6)], misbehaviours=frozenset({mood})).run()
    assert [door for door, _ in app.told] == expected


async def test_bodies_that_are_none() -> None:
    moods = frozenset({Misbehaviour.EMPTY_END, Misbehaviour.MALFORMED_RESULT})
    async with serving() as app:
        await call_of(app, utterances=[spoken(0.6)], misbehaviours=moods).run()
        assert app.of("end")[0] == b""
        assert isinstance(app.of("result")[0], bytes)


async def test_an_agent_that_forgets_hands_nothing_of_ours_back() -> None:
    async with serving() as app:
        await call_of(app, utterances=[spoken(0.6)], misbehaviours=frozenset({Misbehaviour.FORGETFUL})).run()
    assert app.of("turn")[0]["context"]["internal_variables"] == {}


async def test_a_campaign_has_a_form_of_its_own() -> None:
    async with serving() as app:
        moods = frozenset({Misbehaviour.CAMPAIGN_RESULT})
        await call_of(app, utterances=[spoken(0.6)], misbehaviours=moods).run()
    told = app.of("result")[0]
    assert (told["completion_status"], told["connectivity_status"]) == ("completed", "connected")


TO = "+14155550199"
SPEAKS_FIRST = Plan(greeting_timeout_ms=200, reply_timeout_ms=2_000, quiet_ms=400)


def told_to_transfer(to: str) -> dict[str, Any]:
    context = {"allowed_languages": ["English"], "language": "English", "agent_variables": {"transfer_number": to}}
    message = f'Say to the caller exactly: "One moment." Then use the tool call_transfer at once, to {to}.'
    return {"message_to_llm": message, "message_to_user": None, "context": context}


async def test_the_caller_is_put_through() -> None:
    speech = ToneSpeech(words=["A person, please."])
    person = CalledPerson(ring_ms=100, utterances=[spoken(0.8)], plan=SPEAKS_FIRST)
    async with serving(answers=[told_to_transfer(TO)]) as app:
        call = call_of(app, speech=speech, utterances=[spoken(0.6)], people={TO: person})
        result = await call.run()
    assert (result.status, result.errors) == ("connected", ())
    assert speech.said == ["Hello, this is Nora.", "One moment."]
    names = [event.name for event in result.events if event.name in ("dialled", "bridged")]
    assert names == ["dialled", "bridged"]
    assert [door for door, _ in app.told] == ["start", "turn", "end", "result"]
    assert app.of("result")[0]["final_agent_variables"]["transfer_number"] == TO


async def test_who_reaches_nobody_is_back_with_the_agent() -> None:
    speech = ToneSpeech(words=["A person, please.", "And now?"])
    async with serving(answers=[told_to_transfer(TO), {**told_to_transfer(""), "message_to_llm": "Hm."}]) as app:
        people = {TO: CalledPerson(Callee.BUSY, ring_ms=100)}
        call = call_of(app, speech=speech, utterances=[spoken(0.6), spoken(0.6)], people=people)
        result = await call.run()
    assert [event.facts["status"] for event in result.events if event.name == "transfer_failed"] == ["busy"]
    assert [turn["utterance"] for turn in app.of("turn")] == ["A person, please.", "And now?"]


async def test_a_destination_that_is_not_set_is_an_error() -> None:
    async with serving(answers=[told_to_transfer("")]) as app:
        result = await call_of(app, utterances=[spoken(0.6)]).run()
    assert [error for error in result.errors if "destination" in error] != []


@pytest.mark.parametrize("signing_secret", ["", "t" * 32])
async def test_what_a_saved_webhook_is_told_is_signed(signing_secret: str) -> None:
    async with serving() as app:
        await call_of(app, account=replace(ACCOUNT, signing_secret=signing_secret), utterances=[spoken(0.6)]).run()
    (headers,) = [headers for door, headers in app.headers if door == "result"]
    assert ("Sarvam-Signature" in headers) == bool(signing_secret)
    assert all("Sarvam-Signature" not in headers for door, headers in app.headers if door != "result")
