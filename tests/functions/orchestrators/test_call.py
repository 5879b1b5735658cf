"""A call goes from turn to turn, ends for a reason, and keeps its history short."""

from __future__ import annotations

import pytest

from functions.orchestrators import call
from functions.orchestrators.call import TURNS_PER_HISTORY
from shared.domain.errors import InvalidRequest
from shared.domain.steps import CallRequest, TurnRequest, WrapUpRequest
from tests.functions.orchestrators.engine import Run

REQUEST = CallRequest("tenant", "call-9")


def start(request: CallRequest = REQUEST) -> Run:
    return Run(call.call, request.to_json())


def name_of(turn: int) -> str:
    return "turn" if turn == 1 else f"turn {turn}"


def test_a_call_begins_with_a_greeting_turn() -> None:
    run = start()
    assert run.open == {"turn", "heard_1"}
    assert run.context.inputs["turn"] == TurnRequest("tenant", "call-9", 1, greet=True).to_json()
    assert run.context.instances["turn"] == "call-9:turn:1"


def test_the_next_turn_is_armed_as_soon_as_speech_begins() -> None:
    run = start()
    run.complete("heard_1", {"turn": 1})
    assert run.open == {"turn", "turn 2", "heard_2"}, "the first turn still goes on"
    assert run.context.inputs["turn 2"] == TurnRequest("tenant", "call-9", 2).to_json()
    assert run.context.instances["turn 2"] == "call-9:turn:2"


def test_a_turn_that_ends_late_changes_nothing() -> None:
    run = start()
    run.complete("heard_1")
    run.complete("turn", "")
    assert run.open == {"turn 2", "heard_2"}


def test_a_turn_that_ends_without_its_event_leads_on_too() -> None:
    run = start()
    run.complete("turn", "")
    assert {"turn 2", "heard_2"} <= run.open


@pytest.mark.parametrize("reason", ["caller_hung_up", "silent", "no_media", "too_long", "operator_hung_up"])
def test_a_call_ends_with_its_turn(reason: str) -> None:
    run = start()
    run.complete("heard_1")
    run.complete("turn 2", reason)
    assert run.context.inputs["wrap_up"] == WrapUpRequest("tenant", "call-9", 2, reason).to_json()
    assert run.context.instances["wrap_up"] == "call-9:wrap_up"
    assert not run.is_over
    run.complete("wrap_up")
    assert run.is_over
    assert run.context.continued_with is None


def test_a_turn_that_fails_ends_the_call() -> None:
    run = start()
    run.fail("turn")
    assert run.context.inputs["wrap_up"] == WrapUpRequest("tenant", "call-9", 1, "error").to_json()


def test_history_begins_anew_after_so_many_turns() -> None:
    run = start()
    for turn in range(1, TURNS_PER_HISTORY + 1):
        assert run.context.continued_with is None
        run.complete(f"heard_{turn}")
    assert run.is_over
    assert run.context.continued_with == CallRequest("tenant", "call-9", TURNS_PER_HISTORY + 1).to_json()
    assert run.open == {name_of(turn) for turn in range(1, TURNS_PER_HISTORY + 1)}


def test_a_call_goes_on_where_its_history_ended() -> None:
    run = start(CallRequest("tenant", "call-9", 21))
    assert run.open == {"turn", "heard_21"}
    assert run.context.inputs["turn"] == TurnRequest("tenant", "call-9", 21).to_json()
    for turn in range(21, 21 + TURNS_PER_HISTORY):
        run.complete(f"heard_{turn}")
    assert run.context.continued_with == CallRequest("tenant", "call-9", 41).to_json()


def test_an_input_of_another_release_fails_at_once() -> None:
    with pytest.raises(InvalidRequest, match="payload_version"):
        Run(call.call, {"schema_version": 99})
