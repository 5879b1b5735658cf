"""The flows that ship: every way leads on, every limit of Connect is kept, and nothing is read that is not told."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from local_stack.phones.connect.flow import Block, Flow, read_flow
from shared.adapters.connect.flow_answers import flow_answer
from shared.adapters.connect.flow_events import Op, read_flow_event
from shared.adapters.connect.lex import lex_answer, read_lex_event
from shared.domain.telephony.commands import Transfer
from shared.domain.telephony.text_turns import Next, TextReply
from tests.shared.adapters.connect.events import flow_event, lex_event

FOLDER = Path(__file__).parents[3] / "infra" / "aws"
FLOWS = sorted(FOLDER.glob("contact-flow*.json"))
MAIN = read_flow(FOLDER / "contact-flow.json")
ERRORS = {
    "InvokeLambdaFunction": {"NoMatchingError"},
    "MessageParticipant": {"NoMatchingError"},
    "ConnectParticipantWithLexBot": {"InputTimeLimitExceeded", "NoMatchingError", "NoMatchingCondition"},
    "TransferParticipantToThirdParty": {"CallFailed", "ConnectionTimeLimitExceeded", "NoMatchingError"},
    "Compare": {"NoMatchingCondition"},
    "UpdateContactTextToSpeechVoice": {"NoMatchingError"},
    "UpdateContactData": {"NoMatchingError"},
    "UpdateContactMediaStreamingBehavior": {"NoMatchingError"},
}
"""Which branches an import insists on. Source: …/connect/latest/APIReference/flow-language-actions.html"""
REPLY = TextReply(2, ("Good.",), 1, Next.TRANSFER, "en", "x", Transfer("+14155550199"))


def texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for child in value.values() for text in texts(child)]
    return [text for child in value for text in texts(child)] if isinstance(value, list) else [str(value)]


def reached(flow: Flow) -> set[str]:
    seen, waiting = set[str](), [flow.start]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += flow.blocks[name].targets
    return seen


@pytest.mark.parametrize("path", FLOWS, ids=lambda path: path.stem)
def test_every_way_leads_on_and_every_block_is_reached(path: Path) -> None:
    flow = read_flow(path)  # which checks every target
    assert reached(flow) == set(flow.blocks)
    for block in flow.blocks.values():
        assert block.targets or block.type == "DisconnectParticipant", block.name
        assert set(block.errors) == ERRORS.get(block.type, set()), block.name


@pytest.mark.parametrize("path", FLOWS, ids=lambda path: path.stem)
def test_a_function_has_eight_seconds_and_answers_with_texts(path: Path) -> None:
    invoked = [block for block in read_flow(path).blocks.values() if block.type == "InvokeLambdaFunction"]
    assert invoked
    for block in invoked:
        given = block.parameters
        assert 0 < int(given["InvocationTimeLimitSeconds"]) <= 8
        assert given["InvocationType"] == "SYNCHRONOUS"
        assert given["ResponseValidation"] == {"ResponseType": "STRING_MAP"}
        assert given["LambdaInvocationAttributes"]["op"] in {*Op, "$.External.op"}


@pytest.mark.parametrize("path", FLOWS, ids=lambda path: path.stem)
def test_what_is_to_be_filled_in(path: Path) -> None:
    filled = {"FUNCTION_ARN", "BOT_ALIAS_ARN", "GATEWAY_NUMBER"}
    assert set(re.findall(r"\{\{(\w+)\}\}", path.read_text())) <= filled
    script = (FOLDER / "deploy-flow.sh").read_text()
    assert all(f"{{{{{name}}}}}" in script for name in filled)
    subprocess.run(["sh", "-n", FOLDER / "deploy-flow.sh"], check=True)


def test_every_path_leads_to_something_that_is_told() -> None:
    question = read_flow_event(flow_event({"op": "turn", "turn": "2", "words": "x"}))
    external = set(flow_answer(REPLY, question))
    session = set(
        lex_answer(REPLY, read_lex_event(lex_event(), 0.0), now_ms=0.0)["sessionState"]["sessionAttributes"]
    )
    session |= {"words", "keys", "next"}  # by the function itself, where the bot only listens
    system = {"$.InitialContactId", "$.InstanceARN", "$.Attributes.voice_agent_call"}
    for block in MAIN.blocks.values():
        for text in texts(block.parameters):
            if text.startswith("$.External."):
                assert text.removeprefix("$.External.") in external, (block.name, text)
            elif text.startswith("$.Lex.SessionAttributes."):
                assert text.removeprefix("$.Lex.SessionAttributes.") in session, (block.name, text)
            elif text.startswith("$"):
                assert text in system, (block.name, text)


@pytest.mark.parametrize("then", Next)
def test_every_action_has_a_branch(then: Next) -> None:
    question = read_flow_event(flow_event({"op": "turn", "turn": "2"}))
    action = flow_answer(replace(REPLY, next=then), question)["action"]
    assert action in MAIN.blocks["What next"].conditions
    after_bot = MAIN.blocks["After bot"]
    assert after_bot.after(then.value) == {
        Next.TRANSFER: "Put through after bot",
        Next.HANG_UP: "Hang up",
    }.get(then, "Ask after bot")


def test_every_question_is_followed_by_what_is_to_be_done() -> None:
    for block in MAIN.blocks.values():
        if block.type == "InvokeLambdaFunction":
            assert way(block) == ["Choose voice", "Choose language", "What next"]


def way(block: Block) -> list[str]:
    names = []
    for _ in range(3):
        block = MAIN.blocks[block.following]
        names.append(block.name)
    return names


def test_what_there_is_of_an_answer_may_be_spoken_into() -> None:
    """Words are brought for the next turn; silence, or a bot that fails, asks for the rest."""
    assert MAIN.blocks["What next"].after("come_again") == "Whether spoken into"
    choice, listen = MAIN.blocks["Whether spoken into"], MAIN.blocks["Say so far and listen"]
    assert (choice.after("true"), choice.after(""), choice.after("false")) == (
        listen.name,
        *["Say what there is"] * 2,
    )
    assert (listen.after("FallbackIntent"), listen.after("Other")) == ("Ask for turn or rest",) * 2
    assert listen.after_error("InputTimeLimitExceeded") == "Ask again"
    assert listen.parameters["LexSessionAttributes"]["turn"] == "$.External.next_turn"
    assert MAIN.blocks["Ask for turn or rest"].parameters["LambdaInvocationAttributes"]["rest"] == "true"
    assert MAIN.blocks["Ask again"].parameters["LambdaInvocationAttributes"]["rest"] == "$.External.rest"


@pytest.mark.parametrize(("then", "interruptible"), [(then, way) for then in Next for way in ("true", "false")])
def test_who_may_speak_into_an_answer(then: Next, interruptible: str) -> None:
    question = read_flow_event(flow_event({"op": "turn", "turn": "2", "interruptible": interruptible}))
    answer = flow_answer(replace(REPLY, next=then), question)
    assert answer["listens"] == ("true" if then is Next.COME_AGAIN and interruptible == "true" else "false")
