"""What is expected, held against what was observed."""

from __future__ import annotations

from typing import Any

import pytest

from local_stack.eval.checks import Verdict, check_all
from local_stack.eval.scenario import OfCall, OfTurn, ToolUse, Words
from tests.local_stack.eval.seen import scenario, seen, turn

CALL = (
    turn(0, None, "Hello, this is Otto."),
    turn(1, "Where is A1234?", "It is  On its way.", wait_ms=400) | {"citations": [{"document_id": "shop"}]},
    turn(2, "Thanks.", "You are", outcome="interrupted", wait_ms=900),
)
ORDER = {"name": "look_up_order", "arguments": {"number": "a1234"}}
RULES = {"kind": "llm", "details": {"last_messages": [{"role": "system", "content": "You are Otto."},
                                                       {"role": "user", "content": "Forget it."}]}}  # fmt: skip


def verdicts(of_call: OfCall | None = None, *of_turns: OfTurn, **more: Any) -> list[Verdict]:
    expected = scenario(call=of_call or OfCall(), turns=of_turns)
    return [check.verdict for check in check_all(expected, seen(*CALL, **more))]


@pytest.mark.parametrize(
    ("words", "passes"),
    [
        (Words(contains=("on its WAY",)), True),
        (Words(contains=("delivered",)), False),
        (Words(without=("delivered",)), True),
        (Words(without=("on its way",)), False),
        (Words(matches=("on +its|delivered",)), True),
        (Words(matches=("^on",)), False),
    ],
)
def test_words_of_a_turn(words: Words, passes: bool) -> None:
    assert verdicts(None, OfTurn(1, said=words)) == [Verdict.PASSED if passes else Verdict.FAILED]


@pytest.mark.parametrize(
    ("expected", "passes"),
    [
        (OfTurn(2, outcome="interrupted"), True),
        (OfTurn(1, outcome="interrupted"), False),
        (OfTurn(1, within_ms=400), True),
        (OfTurn(1, within_ms=399), False),
        (OfTurn(0, within_ms=399), False),
        (OfTurn(1, heard=Words(contains=("A1234",))), True),
        (OfTurn(1, cites=("shop",)), True),
        (OfTurn(1, cites=("shop", "clinic")), False),
        (OfTurn(7), False),
    ],
)
def test_a_turn(expected: OfTurn, passes: bool) -> None:
    found = verdicts(None, expected)
    assert (set(found) == {Verdict.PASSED}) is passes


@pytest.mark.parametrize(
    ("expected", "passes"),
    [
        (OfCall(end_reason="caller_hung_up"), True),
        (OfCall(end_reason="silent"), False),
        (OfCall(interrupted_turns=1), True),
        (OfCall(interrupted_turns=0), False),
        (OfCall(language="en"), False),
        (OfCall(first_sound_ms={"p50": 400}), True),
        (OfCall(first_sound_ms={"p95": 899}), False),
        (OfCall(tools=(ToolUse("look_up_order", {"number": "A1234"}, 1),)), True),
        (OfCall(tools=(ToolUse("look_up_order", {"number": "B5678"}),)), False),
        (OfCall(tools=(ToolUse("look_up_order", times=2),)), False),
        (OfCall(tools=(ToolUse("look_up_order", {"name": "Otto"}),)), False),
        (OfCall(no_tools=("cancel_order",)), True),
        (OfCall(no_tools=("look_up_order",)), False),
        (OfCall(instructions=Words(contains=("You are Otto",), without=())), True),
        (OfCall(instructions=Words(without=("Forget it",))), True),
        (OfCall(instructions=Words(without=("You are Otto",))), False),
        (OfCall(extracted={"order": "a1234", "late": True}), True),
        (OfCall(extracted={"order": "B5678"}), False),
        (OfCall(extracted={"late": "True"}), False),
        (OfCall(extracted={"name": None}), False),
        (OfCall(extracted={"order": Words(matches=("A ?1234",))}), True),
        (OfCall(extracted={"order": Words(contains=("B",))}), False),
        (OfCall(result="answered"), True),
        (OfCall(result="cancelled"), False),
        (OfCall(told=Words(contains=("Forget it",), without=("You are Otto",))), True),
        (OfCall(told=Words(contains=("blue kettle",))), False),
        (OfCall(shown=Words(contains=("[number]",), without=("A1234",))), True),
        (OfCall(shown=Words(contains=("A1234",))), False),
        (OfCall(intent="order_status", slots={"order": True, "amount": 5}), True),
        (OfCall(intent="cancel_order"), False),
        (OfCall(slots={"order": "A1234"}), False),
        (OfCall(slots={"street": True}), False),
    ],
)
def test_a_call(expected: OfCall, passes: bool) -> None:
    more = {
        "journal": [ORDER],
        "requests": [RULES],
        "analysis": {"outcome": "answered", "extracted": {"order": "A1234", "late": True, "name": "x"}},
        "shown": {"turns": [turn(1, "Where is [number]?", "It is on its way.")]},
        "understood": {"intent": "order_status", "slots": {"order": {"value": None}, "amount": {"value": 5}}},
    }
    assert (set(verdicts(expected, **more)) == {Verdict.PASSED}) is passes


def test_waits_that_are_not_known_keep_no_budget() -> None:
    expected = scenario(call=OfCall(first_sound_ms={"p50": 1000}))
    (check,) = check_all(expected, seen(CALL[0]))
    assert check.verdict is Verdict.FAILED


def test_what_was_found_is_said_with_the_statement() -> None:
    (check,) = check_all(scenario(call=OfCall(no_tools=("look_up_order",))), seen(*CALL, journal=[ORDER, ORDER]))
    assert (check.what, check.found) == ("look_up_order is not called", "twice")
