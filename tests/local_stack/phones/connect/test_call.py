"""Contacts run the flow that ships, block by block, as Amazon Connect does."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from local_stack.phones.connect.call import ConnectCall
from local_stack.phones.connect.functions import FunctionError
from local_stack.phones.connect.misbehaviour import Misbehaviour
from local_stack.phones.conversation import Plan
from local_stack.phones.people import CalledPerson, Callee
from local_stack.phones.utterance import from_digits
from tests.local_stack.phones.connect.connecting import ScriptedFunctions, contact, heard, hook, say
from tests.local_stack.phones.spoken_words import ToneSpeech
from tests.local_stack.phones.twilio.voice_app import spoken

HANG_UP = say("Goodbye.", "hang_up")
THIRD = "+14155550199"


def blocks(call: ConnectCall) -> list[str]:
    return [event.facts["block"] for event in call.log.events if event.name == "block_entered"]


async def test_a_conversation_turn_by_turn() -> None:
    functions = ScriptedFunctions(
        answers=[say("Hello?"), say("Which one?", turn="2"), say("Fine.", "hang_up", turn="2")], hooks=[heard]
    )
    speech = ToneSpeech(words=["my folder", "the red one"])
    call = contact(functions, speech=speech)
    result = await call.run()
    assert (result.errors, result.status, result.end_reason) == ((), "completed", "CONTACT_FLOW_DISCONNECT")
    assert speech.said == ["Hello?", "Which one?", "Fine."]
    first, second, third = functions.parameters
    assert (first["op"], second["op"]) == ("begin", "turn")
    assert (second["turn"], second["words"], third["turn"], third["words"]) == ("1", "my folder", "2", "the red one")
    assert [turn.understood for turn in call.turns[1:]] == ["my folder", "the red one"]
    assert functions.kinds == ["INITIATED", "DISCONNECTED"]
    event = functions.flow[0]["Details"]["ContactData"]
    assert event["CustomerEndpoint"]["Address"] == "+14155550100"
    assert event["MediaStreams"]["Customer"]["Audio"]["StartFragmentNumber"].isdecimal()


async def test_keys_are_passed_as_keys() -> None:
    functions = ScriptedFunctions(answers=[say("Press."), HANG_UP], hooks=[heard])
    await contact(functions, utterances=(from_digits("12#"),)).run()
    assert (functions.parameters[1]["words"], functions.parameters[1]["keys"]) == ("", "12")


async def test_an_answer_in_parts() -> None:
    part = say("First.", "come_again", told="1", words="my folder")
    functions = ScriptedFunctions(answers=[say("Hello?"), part, say("Second.", turn="2"), HANG_UP], hooks=[heard])
    speech = ToneSpeech(words=["my folder"])
    await contact(functions, speech=speech).run()
    assert speech.said[:3] == ["Hello?", "First.", "Second."]
    again = functions.parameters[2]
    assert (again["op"], again["turn"], again["told"], again["words"]) == ("turn", "1", "1", "my folder")


async def test_a_caller_speaks_into_what_there_is_of_an_answer() -> None:
    part = say("A very long first part. " * 8, "come_again", turn="1", told="1", listens="true", next_turn="2")
    functions = ScriptedFunctions(answers=[say("Hello?"), part, HANG_UP], hooks=[heard, heard])
    plan = Plan(quiet_ms=400, pattern="b", barge_in_after_ms=600, reply_timeout_ms=15_000)
    call = contact(functions, plan=plan)
    await call.run()
    assert "provider_interrupted" in [event.name for event in call.log.events]
    words = functions.parameters[2]
    assert (words["op"], words["turn"], words["told"], words["rest"]) == ("turn", "2", "1", "true")
    assert words["words"]


async def test_a_caller_who_is_silent_is_given_the_rest_of_an_answer() -> None:
    part = say("First.", "come_again", turn="1", told="1", words="my folder", listens="true", next_turn="2")
    functions = ScriptedFunctions(answers=[say("Hello?"), part, HANG_UP], hooks=[heard, heard])
    speech = ToneSpeech(words=["my folder"])
    await contact(functions, speech=speech).run()
    words = functions.parameters[2]
    assert (words["turn"], words["told"], words["rest"], words["words"]) == ("2", "1", "true", "")


async def test_a_bot_that_asks_by_itself() -> None:
    def first(event: dict[str, Any]) -> dict[str, Any]:
        return hook("Which one?", "ElicitIntent", event, turn="2")

    def last(event: dict[str, Any]) -> dict[str, Any]:
        return hook("Bye.", "Close", event, next="hang_up")

    functions = ScriptedFunctions(answers=[say("Hello?", mode="lex")], hooks=[first, last])
    speech = ToneSpeech(words=["my folder", "the red one"])
    result = await contact(functions, speech=speech).run()
    assert result.errors == ()
    assert speech.said == ["Hello?", "Which one?", "Bye."]
    assert [event["inputTranscript"] for event in functions.lex] == ["my folder", "the red one"]
    assert [event["sessionState"]["sessionAttributes"]["turn"] for event in functions.lex] == ["1", "2"]


@pytest.mark.parametrize(("may", "interrupted"), [("true", True), ("false", False)])
async def test_a_caller_breaks_in_where_the_session_lets_them(may: str, interrupted: bool) -> None:
    long = "a very long answer " * 10
    functions = ScriptedFunctions(
        answers=[say("Hello?", interruptible=may), say(long, turn="2", interruptible=may), HANG_UP], hooks=[heard]
    )
    plan = Plan(quiet_ms=400, pattern="b", barge_in_after_ms=600, reply_timeout_ms=15_000)
    call = contact(functions, plan=plan)
    await call.run()
    names = [event.name for event in call.log.events]
    assert ("provider_interrupted" in names) is interrupted
    if interrupted:
        assert call.turns[2].interruption is not None


async def test_a_transfer_that_is_answered_comes_back_when_the_other_side_hangs_up(tmp_path: Path) -> None:
    functions = ScriptedFunctions(
        answers=[say("Hello?"), say("One moment.", "transfer", dest=THIRD, ring_s="20", dtmf="1,2"), HANG_UP],
        hooks=[heard],
    )
    person = CalledPerson(
        utterances=(spoken(0.4),), plan=Plan(turns=1, greeting_timeout_ms=200, reply_timeout_ms=900)
    )
    plan = Plan(turns=1, quiet_ms=60_000, reply_timeout_ms=60_000)
    call = contact(functions, people={THIRD: person}, plan=plan, state_dir=tmp_path)
    await call.run()
    kept = [json.loads(path.read_text())["events"] for path in tmp_path.glob("calls/*/events.json")]
    (theirs,) = [events for events in kept if events[0]["to"] == THIRD]
    assert [event["digits"] for event in theirs if event["event"] == "keys_heard"] == ["12"]
    assert [event.facts["to"] for event in call.log.events if event.name == "bridged"] == [THIRD]
    assert (functions.parameters[2]["op"], functions.parameters[2]["answered"]) == ("back", "true")


@pytest.mark.parametrize(
    ("callee", "ring_ms", "dest", "kind"),
    [
        (Callee.NO_ANSWER, 300, THIRD, "ConnectionTimeLimitExceeded"),
        (Callee.ANSWERS, 60_000, THIRD, "ConnectionTimeLimitExceeded"),
        (Callee.BUSY, 100, THIRD, "CallFailed"),
        (Callee.ANSWERS, 100, "not a number", "NoMatchingError"),
    ],
)
async def test_a_transfer_that_nobody_takes(callee: Callee, ring_ms: int, dest: str, kind: str) -> None:
    functions = ScriptedFunctions(
        answers=[say("Hello?"), say("Wait.", "transfer", dest=dest, ring_s="1"), HANG_UP], hooks=[heard]
    )
    call = contact(functions, people={THIRD: CalledPerson(callee, ring_ms)})
    await call.run()
    assert kind in [event.facts["kind"] for event in call.log.events if event.name == "block_failed"]
    assert functions.parameters[2]["answered"] == "false"


@pytest.mark.parametrize(
    "answer",
    [
        {"action": 5},
        {"action": "say_and_listen", "ssml": None},
        [],
        None,
        {"action": "x" * 40_000},
        FunctionError("died"),
        FunctionError("no result within 8 s", timed_out=True),
    ],
)
async def test_an_answer_that_connect_does_not_take_leads_to_the_apology(answer: Any) -> None:
    functions = ScriptedFunctions(answers=[answer], hooks=[heard])
    speech = ToneSpeech()
    call = contact(functions, speech=speech)
    result = await call.run()
    assert result.errors
    assert speech.said == ["I am sorry, something went wrong here. Please call again a little later."]
    assert blocks(call)[-2:] == ["Apologise", "Hang up"]


@pytest.mark.parametrize(
    "answer",
    [
        None,
        {},
        {"sessionState": {"dialogAction": {"type": "Dance"}}},
        {"sessionState": {"dialogAction": {"type": "Close"}}},
        {"sessionState": {"dialogAction": {"type": "ElicitIntent"}, "sessionAttributes": {"turn": 2}}},
        {
            "sessionState": {"dialogAction": {"type": "ElicitIntent"}},
            "messages": [{"contentType": "PlainText", "content": "x" * 1025}],
        },
        FunctionError("died"),
    ],
)
async def test_a_hook_that_lex_does_not_take_ends_in_the_apology_and_not_in_a_circle(answer: Any) -> None:
    functions = ScriptedFunctions(answers=[say("Hello?")], hooks=[answer])
    call = contact(functions, plan=Plan(speaks=False), speed=40.0)
    await call.run()
    assert blocks(call).count("Try three times") == 4
    assert blocks(call)[-2:] == ["Apologise", "Hang up"]


async def test_an_outbound_contact_runs_the_flow_once_somebody_answers() -> None:
    functions = ScriptedFunctions(answers=[say("Hello?"), HANG_UP], hooks=[heard])
    call = contact(functions, is_outbound=True, attributes={"voice_agent_call": "call-1"}, ring_ms=200)
    await call.run()
    assert functions.kinds == ["INITIATED", "CONNECTED_TO_SYSTEM", "DISCONNECTED"]
    data = functions.flow[0]["Details"]["ContactData"]
    assert (data["InitiationMethod"], data["Attributes"]) == ("API", {"voice_agent_call": "call-1"})


@pytest.mark.parametrize("callee", [Callee.BUSY, Callee.NO_ANSWER, Callee.FAILED, Callee.REJECTS])
async def test_a_flow_does_not_run_for_a_call_that_nobody_takes(callee: Callee) -> None:
    functions = ScriptedFunctions(answers=[say("Hello?")])
    call = contact(functions, is_outbound=True, callee=callee, ring_ms=50)
    result = await call.run()
    assert (functions.flow, functions.kinds) == ([], ["INITIATED", "DISCONNECTED"])
    assert "connectedToSystemTimestamp" not in functions.events[-1]
    assert result.status == "no-answer"


async def test_a_contact_is_handed_to_a_gateway() -> None:
    functions = ScriptedFunctions(answers=[say("", "transfer", dest=THIRD)])
    attributes = {"account": "42", "reason": "a fault"}
    call = contact(functions, gateway_number=THIRD, attributes=attributes, max_call_ms=4_000)
    await call.run()
    assert blocks(call)[:3] == ["Log", "Announce", "Put through"]
    (asked,) = functions.parameters
    assert (asked["op"], asked["number"], asked["reason"]) == ("gateway", THIRD, "a fault")
    assert functions.flow[0]["Details"]["ContactData"]["Attributes"] == attributes
    assert [event.facts["to"] for event in call.log.events if event.name == "dialled"] == [THIRD]


async def test_stopped_from_outside() -> None:
    functions = ScriptedFunctions(answers=[say("Hello " * 50)], hooks=[heard])
    call = contact(functions)
    running = asyncio.create_task(call.run())
    while not functions.flow:
        await asyncio.sleep(0.01)
    call.stop("API")
    result = await running
    assert (result.end_reason, functions.events[-1]["disconnectReason"]) == ("API", "API")


async def test_misbehaviour_is_what_it_says() -> None:
    functions = ScriptedFunctions(answers=[say("Hello?"), HANG_UP], hooks=[heard])
    ways = frozenset({Misbehaviour.ASKS_TWICE, Misbehaviour.EVENTS_TWICE, Misbehaviour.WITHHELD_NUMBER})
    await contact(functions, misbehaviours=ways).run()
    assert functions.flow[0] == functions.flow[1]
    assert functions.flow[0]["Details"]["ContactData"]["CustomerEndpoint"] is None
    assert functions.kinds == ["INITIATED", "INITIATED", "DISCONNECTED", "DISCONNECTED"]
    late = ScriptedFunctions(answers=[HANG_UP])
    await contact(late, misbehaviours=frozenset({Misbehaviour.EVENTS_REORDERED})).run()
    assert late.kinds == ["DISCONNECTED", "INITIATED"]


async def test_a_bot_that_asks_twice_brings_the_same_utterance() -> None:
    functions = ScriptedFunctions(
        answers=[say("Hello?", mode="lex")], hooks=[lambda event: hook("Bye.", "Close", event, next="hang_up")]
    )
    await contact(functions, misbehaviours=frozenset({Misbehaviour.LEX_ASKS_TWICE})).run()
    first, second = functions.lex
    assert first["sessionState"]["originatingRequestId"] == second["sessionState"]["originatingRequestId"]
    assert [event["invocationSource"] for event in functions.lex] == ["DialogCodeHook", "FulfillmentCodeHook"]


async def test_whoever_forges_is_told_apart_and_complained_of_where_it_is_served() -> None:
    asked: list[tuple[str, str]] = []

    async def refuse(request: web.Request) -> web.Response:
        asked.append((request.match_info["door"], request.headers.get("X-Voice-Nonce", "")))
        is_first = asked[-1][0] == "contact-event" and asked.count(asked[-1]) == 1
        return web.Response(status=204 if is_first else 401)

    app = web.Application()
    app.router.add_post("/api/webhooks/connect/{door}", refuse)
    async with TestServer(app) as server:
        functions = ScriptedFunctions(answers=[say("Hello?"), HANG_UP], hooks=[heard])
        ways = frozenset({Misbehaviour.FORGED_REQUEST})
        call = contact(functions, misbehaviours=ways, app_url=str(server.make_url("")).rstrip("/"))
        result = await call.run()
    tried = {event.facts["what"]: event.facts["status"] for event in call.log.events if event.name == "misbehaved"}
    served = {"of a foreign instance": 204}
    assert tried == {"unsigned": 401, "wrongly signed": 401, "old": 401, "replayed": 401, **served}
    assert list(result.errors) == ["a request that is of a foreign instance was answered with 204"]
