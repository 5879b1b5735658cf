"""A number is dialled by one activity once; after that it is only found out what became of it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from functions.orchestrators import dial
from shared.domain.steps import CallRequest
from tests.functions.orchestrators.engine import Run

REQUEST = CallRequest("tenant", "call-1")


@pytest.fixture
def run() -> Run:
    return Run(dial.dial, REQUEST.to_json())


@pytest.mark.parametrize("state", ["dialled", "failed"])
def test_what_is_certain_is_the_end_of_it(run: Run, state: str) -> None:
    assert run.open == {"dial_out"}
    assert "dial_out" not in run.context.retries, "the engine must not dial again"
    assert run.context.inputs["dial_out"] == REQUEST.to_json()
    run.complete("dial_out", state)
    assert (run.is_over, run.result) == (True, state)
    assert run.context.timers == []


def test_a_lost_answer_is_asked_after_until_it_is_found(run: Run) -> None:
    run.complete("dial_out", "uncertain")
    run.complete("timer")
    run.complete("find_dialled", "uncertain")
    run.complete("timer")
    run.complete("find_dialled 2", "dialled")
    assert (run.is_over, run.result) == (True, "dialled")
    assert run.context.timers == [timedelta(seconds=2), timedelta(seconds=8)]
    assert [name for name in run.context.tasks if name.startswith("dial_out")] == ["dial_out"]


def test_what_is_never_found_is_given_up_and_not_dialled_again(run: Run) -> None:
    run.complete("dial_out", "uncertain")
    for name in ("find_dialled", "find_dialled 2", "find_dialled 3", "find_dialled 4"):
        run.complete("timer")
        run.complete(name, "uncertain")
    assert run.open == {"give_up_dialling"}
    assert sum(run.context.timers, timedelta()) >= timedelta(minutes=1)
    run.complete("give_up_dialling", "failed")
    assert (run.is_over, run.result) == (True, "failed")
    assert [name for name in run.context.tasks if name.startswith("dial_out")] == ["dial_out"]
