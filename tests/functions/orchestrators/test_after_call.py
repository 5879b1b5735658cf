"""What follows a call is done in its order, tried again for long enough, and never in the way of anything."""

from __future__ import annotations

import pytest

from functions.orchestrators import after_call, deliver_webhook
from shared.domain.after_call.records import DeliveryRequest
from shared.domain.after_call.webhooks import AGAIN_AFTER_S
from shared.domain.steps import CallRequest
from tests.functions.orchestrators.engine import Run

CALL = CallRequest("tenant", "call-9")
DELIVERY = DeliveryRequest("tenant", "dlv_1")


def name_of(step: str, number: int) -> str:
    return step if number == 1 else f"{step} {number}"


def test_it_is_told_read_and_told_again() -> None:
    run = Run(after_call.after_call, CALL.to_json())
    assert run.open == {"tell_events"}
    run.complete("tell_events")
    assert run.open == {"finish_call"}
    run.complete("finish_call", True)
    assert run.open == {"tell_events 2"}
    run.complete("tell_events 2")
    assert run.is_over
    assert run.context.inputs == dict.fromkeys(("tell_events", "finish_call", "tell_events 2"), CALL.to_json())
    assert run.context.retries["tell_events"] >= 10


@pytest.mark.parametrize("breaks", [False, True])
def test_a_model_that_does_not_answer_is_asked_for_an_hour_then_given_up(breaks: bool) -> None:
    run = Run(after_call.after_call, CALL.to_json())
    run.complete("tell_events")
    number = 0
    while "give_up_analysis" not in run.open:
        number += 1
        assert number < 20
        if breaks:
            run.fail(name_of("finish_call", number))
        else:
            run.complete(name_of("finish_call", number), False)
        if "timer" in run.open:
            run.complete("timer")
    assert sum(each.total_seconds() for each in run.context.timers) > 3_600
    run.complete("give_up_analysis")
    run.complete("tell_events 2")
    assert run.is_over


def test_who_cannot_be_told_keeps_nobody_from_reading() -> None:
    run = Run(after_call.after_call, CALL.to_json())
    run.fail("tell_events")
    assert run.open == {"finish_call"}
    run.complete("finish_call", True)
    run.fail("tell_events 2")
    assert run.is_over


@pytest.mark.parametrize("state", ["delivered", "dead"])
def test_a_delivery_ends_with_its_first_answer(state: str) -> None:
    run = Run(deliver_webhook.deliver_webhook, DELIVERY.to_json())
    assert run.context.inputs["send_webhook"] == DELIVERY.to_json()
    run.complete("send_webhook", state)
    assert (run.is_over, run.result, run.context.timers) == (True, state, [])


def test_a_delivery_is_tried_for_a_day_then_dead() -> None:
    run = Run(deliver_webhook.deliver_webhook, DELIVERY.to_json())
    for number in range(1, len(AGAIN_AFTER_S) + 1):
        run.complete(name_of("send_webhook", number), "pending")
        assert run.open == {"timer"}
        run.complete("timer")
    assert tuple(each.total_seconds() for each in run.context.timers) == AGAIN_AFTER_S
    run.complete(name_of("send_webhook", len(AGAIN_AFTER_S) + 1), "pending")
    assert run.open == {"give_up_webhook"}
    run.complete("give_up_webhook", "dead")
    assert run.result == "dead"


def test_a_delivery_that_succeeds_late() -> None:
    run = Run(deliver_webhook.deliver_webhook, DELIVERY.to_json())
    run.complete("send_webhook", "pending")
    run.complete("timer")
    run.complete("send_webhook 2", "delivered")
    assert run.result == "delivered"
