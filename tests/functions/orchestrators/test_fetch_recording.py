"""A recording is fetched as soon as its provider has it ready, or is given up after hours."""

from __future__ import annotations

from datetime import timedelta

import pytest

from functions.orchestrators import fetch_recording
from shared.domain.steps import FetchRequest
from tests.functions.orchestrators.engine import Run

REQUEST = FetchRequest("tenant", "call-1", "recording:RE1")


@pytest.fixture
def run() -> Run:
    return Run(fetch_recording.fetch_recording, REQUEST.to_json())


@pytest.mark.parametrize("state", ["kept", "lost"])
def test_what_is_decided_is_the_end_of_it(run: Run, state: str) -> None:
    assert run.context.inputs["fetch_sound"] == REQUEST.to_json()
    run.complete("fetch_sound", state)
    assert (run.is_over, run.result) == (True, state)
    assert run.context.timers == []


def test_what_is_not_ready_is_asked_for_again(run: Run) -> None:
    run.complete("fetch_sound", "")
    run.complete("timer")
    run.complete("fetch_sound 2", "kept")
    assert (run.is_over, run.result) == (True, "kept")
    assert run.context.timers == [timedelta(seconds=2)]


def test_what_is_never_there_is_given_up(run: Run) -> None:
    run.complete("fetch_sound", "")
    for number in range(2, 8):
        run.complete("timer")
        run.complete(f"fetch_sound {number}", "")
    assert run.open == {"give_up_recording"}
    assert sum(run.context.timers, timedelta()) >= timedelta(hours=2)
    run.complete("give_up_recording", "lost")
    assert (run.is_over, run.result) == (True, "lost")
