"""Who waits for an answer hears something in time, whatever has become of those who should make it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from functions.orchestrators import steps, watch
from shared.domain.steps import TurnRequest
from tests.functions.orchestrators.engine import Run

REQUEST = TurnRequest("tenant", "call-9", 3)
LIMIT = "8000"
"""As the SDK delivers the number 8000."""


@pytest.fixture
def run() -> Run:
    return Run(watch.watch, REQUEST.to_json())


def test_nobody_waits_while_the_caller_speaks(run: Run) -> None:
    assert run.open == {"over", "timer"}
    assert run.context.timers == [steps.WATCH_DEADLINE]
    assert steps.WATCH_DEADLINE < steps.TURN_DEADLINE, "a watch that is never told must not end a call that goes on"


def test_an_answer_in_time_is_all_that_is_wanted(run: Run) -> None:
    run.complete("over", LIMIT)
    assert run.open == {"answered", "timer"}
    assert run.context.timers[-1] == timedelta(seconds=8)
    run.complete("answered", 3)
    assert (run.is_over, run.result) == (True, "")
    assert not run.open, "a timer left behind would keep the turn"


def test_without_an_answer_the_caller_is_told(run: Run) -> None:
    run.complete("over", LIMIT)
    run.complete("timer")
    assert "rescue" in run.open
    assert run.context.inputs["rescue"] == REQUEST.to_json()
    run.complete("rescue", "failed")
    assert (run.is_over, run.result) == (True, "rescued")


def test_a_rescue_that_fails_ends_the_watch_all_the_same(run: Run) -> None:
    run.complete("over", LIMIT)
    run.complete("timer")
    run.fail("rescue")
    assert run.is_over


def test_when_the_call_has_ended_nobody_waits(run: Run) -> None:
    run.complete("over", 0)
    assert (run.is_over, run.result) == (True, "")
    assert not run.open


def test_who_speaks_without_end_is_left_to_the_turns_own_deadline(run: Run) -> None:
    run.complete("timer")
    assert (run.is_over, run.result) == (True, "")
