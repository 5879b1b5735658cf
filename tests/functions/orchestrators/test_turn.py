"""A turn starts its steps together, ends with listening's word, and never hangs."""

from __future__ import annotations

from datetime import timedelta

import pytest

from functions.orchestrators import steps, turn, wrap_up
from shared.domain.steps import CallRequest, TurnRequest, WrapUpRequest
from tests.functions.orchestrators.engine import Run

REQUEST = TurnRequest("tenant", "call-9", 3)


def test_the_steps_start_together() -> None:
    run = Run(turn.turn, REQUEST.to_json())
    assert run.open == {"listen", "think", "speak", "watch", "timer"}
    assert run.context.instances["watch"] == "call-9:turn:3:watch"
    assert all(run.context.inputs[name] == REQUEST.to_json() for name in ("listen", "think", "speak"))
    assert not run.context.retries, "the engine's retries and a cancelled timer do not go together"


def test_in_the_first_turn_the_greeting_is_spoken_too() -> None:
    run = Run(turn.turn, TurnRequest("tenant", "call-9", 1, greet=True).to_json())
    assert run.open == {"listen", "think", "speak", "watch", "speak 2", "watch 2", "timer"}
    assert run.context.inputs["speak 2"] == TurnRequest("tenant", "call-9", 0).to_json()
    assert run.context.instances["watch 2"] == "call-9:turn:0:watch"


@pytest.mark.parametrize("reason", ["", "caller_hung_up"])
@pytest.mark.parametrize("order", [("listen", "think", "speak", "watch"), ("watch", "speak", "think", "listen")])
def test_it_ends_with_what_listening_gave_once_all_have_ended(reason: str, order: tuple[str, ...]) -> None:
    run = Run(turn.turn, REQUEST.to_json())
    for name in order:
        assert "record_turn" not in run.context.tasks
        run.complete(name, reason if name == "listen" else "completed")
    assert run.open == {"record_turn"}, "the timer is cancelled, or it would keep the turn for minutes"
    assert run.context.inputs["record_turn"] == REQUEST.to_json()
    run.complete("record_turn")
    assert (run.is_over, run.result) == (True, reason)


@pytest.mark.parametrize("step", ["listen", "think", "speak"])
def test_a_step_that_fails_for_good_ends_the_call(step: str) -> None:
    run = Run(turn.turn, REQUEST.to_json())
    run.fail(step)
    assert run.context.inputs["end_call"] == CallRequest("tenant", "call-9").to_json()
    assert "timer" not in run.open
    run.complete("end_call")
    assert (run.is_over, run.result) == (True, "error")


def test_a_turn_whose_steps_hang_is_ended() -> None:
    run = Run(turn.turn, REQUEST.to_json())
    assert run.context.timers == [steps.TURN_DEADLINE]
    assert timedelta(minutes=1) < steps.TURN_DEADLINE <= timedelta(minutes=30)
    run.complete("listen", "")
    run.complete("timer")
    assert "end_call" in run.open
    run.complete("end_call")
    assert (run.is_over, run.result) == (True, "error")


def test_a_step_that_ends_after_the_deadline_is_no_error() -> None:
    run = Run(turn.turn, REQUEST.to_json())
    run.complete("timer")
    for name in ("listen", "think", "speak", "watch"):
        run.complete(name, "")
    run.complete("end_call")
    assert run.result == "error"


def test_wrapping_up_lets_go_of_the_line_before_it_writes() -> None:
    request = WrapUpRequest("tenant", "call-9", 3, "silent").to_json()
    run = Run(wrap_up.wrap_up, request)
    assert run.open == {"hang_up"}
    run.complete("hang_up")
    assert run.open == {"record_call"}
    assert run.context.retries["record_call"] >= 10, "a failover of the database takes a minute"
    run.complete("record_call")
    assert run.open == {"close_call"}
    assert run.context.inputs == {"hang_up": request, "record_call": request, "close_call": request}
    run.complete("close_call")
    assert run.open == {"begin_after_call"}
    assert run.context.inputs["begin_after_call"] == CallRequest("tenant", "call-9").to_json()
    run.complete("begin_after_call")
    assert run.is_over


def test_a_call_is_over_even_if_nobody_follows_its_end() -> None:
    run = Run(wrap_up.wrap_up, WrapUpRequest("tenant", "call-9", 3, "silent").to_json())
    for name in ("hang_up", "record_call", "close_call"):
        run.complete(name)
    run.fail("begin_after_call")
    assert run.is_over


def test_the_end_of_a_call_is_followed_even_if_it_could_not_be_closed() -> None:
    run = Run(wrap_up.wrap_up, WrapUpRequest("tenant", "call-9", 3, "silent").to_json())
    for name in ("hang_up", "record_call"):
        run.complete(name)
    run.fail("close_call")
    with pytest.raises(Exception, match="it broke"):
        run.complete("begin_after_call")


def test_a_call_is_closed_even_if_its_records_cannot_be_kept() -> None:
    run = Run(wrap_up.wrap_up, WrapUpRequest("tenant", "call-9", 3, "silent").to_json())
    run.complete("hang_up")
    run.fail("record_call")
    assert run.open == {"close_call"}


def test_records_are_kept_even_if_the_line_cannot_be_let_go() -> None:
    run = Run(wrap_up.wrap_up, WrapUpRequest("tenant", "call-9", 3, "silent").to_json())
    run.fail("hang_up")
    assert run.open == {"record_call"}
