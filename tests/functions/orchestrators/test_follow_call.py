"""A call is listened to a stretch at a time."""

from __future__ import annotations

from functions.orchestrators import follow_call
from shared.domain.steps import ListenAlongRequest
from tests.functions.orchestrators.engine import Run

REQUEST = ListenAlongRequest("tenant", "call-1", "contact-1", "stream", "1", "en")


def test_it_goes_on_while_there_is_more_to_hear() -> None:
    run = Run(follow_call.follow_call, REQUEST.to_json())
    assert run.context.inputs["listen_along"] == REQUEST.to_json()
    run.complete("listen_along", True)
    assert run.is_over
    assert run.context.continued_with == REQUEST.to_json()


def test_it_ends_with_the_call() -> None:
    run = Run(follow_call.follow_call, REQUEST.to_json())
    run.complete("listen_along", False)
    assert (run.is_over, run.result) == (True, "over")
