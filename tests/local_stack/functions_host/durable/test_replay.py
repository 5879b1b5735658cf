"""Ids of actions: given by replay over the history, as the .NET extension gives them."""

from __future__ import annotations

from typing import Any

import pytest

from local_stack.functions_host.durable.actions import Action
from local_stack.functions_host.durable.history import Event, EventType, make_event
from local_stack.functions_host.durable.replay import (
    InvalidActionError,
    NonDeterminismError,
    ReplayOutcome,
    count_waits,
    replay,
)


def activity(name: str) -> Action:
    return {"actionType": 0, "functionName": name, "input": "null"}


def retried(name: str, attempts: int = 2) -> Action:
    options = {"firstRetryIntervalInMilliseconds": 1000, "maxNumberOfAttempts": attempts}
    return {"actionType": 1, "functionName": name, "input": "null", "retryOptions": options}


def child(name: str, instance_id: str | None = None) -> Action:
    return {"actionType": 2, "functionName": name, "input": "null", "instanceId": instance_id}


def timer(*, canceled: bool = False) -> Action:
    return {"actionType": 5, "fireAt": "2030-01-01T00:00:00.000000Z", "isCanceled": canceled}


def wait(name: str) -> Action:
    return {"actionType": 6, "externalEventName": name, "reason": "ExternalEvent"}


def any_of(*actions: Action) -> Action:
    return {"actionType": 11, "compoundActions": list(actions)}


def all_of(*actions: Action) -> Action:
    return {"actionType": 12, "compoundActions": list(actions)}


START = [make_event(EventType.ORCHESTRATOR_STARTED), make_event(EventType.EXECUTION_STARTED, Name="o")]


def scheduled(task_id: int, name: str) -> Event:
    return make_event(EventType.TASK_SCHEDULED, task_id, Name=name)


def completed(task_id: int) -> Event:
    return make_event(EventType.TASK_COMPLETED, TaskScheduledId=task_id, Result="1")


def failed(task_id: int) -> Event:
    return make_event(EventType.TASK_FAILED, TaskScheduledId=task_id, Reason="r", Details="d")


def timer_created(task_id: int) -> Event:
    return make_event(EventType.TIMER_CREATED, task_id, FireAt="")


def fired(timer_id: int) -> Event:
    return make_event(EventType.TIMER_FIRED, TimerId=timer_id)


def raised(name: str) -> Event:
    return make_event(EventType.EVENT_RAISED, Name=name, Input="1")


def run(actions: list[Action], *events: Event) -> ReplayOutcome:
    return replay(actions, [*START, *events], "execution")


def new(outcome: ReplayOutcome) -> list[tuple[int, str, str]]:
    return [(d.task_id, d.event_type.name, d.name) for d in outcome.new_decisions]


def test_actions_are_started_one_after_another() -> None:
    actions = [activity("a"), activity("b")]
    assert new(run(actions)) == [(0, "TASK_SCHEDULED", "a")]
    outcome = run(actions, scheduled(0, "a"), completed(0))
    assert new(outcome) == [(1, "TASK_SCHEDULED", "b")]
    assert not outcome.settled
    assert run(actions, scheduled(0, "a"), completed(0), scheduled(1, "b"), completed(1)).settled


def test_children_of_compounds_take_ids_in_order_and_waits_take_none() -> None:
    actions = [all_of(activity("a"), wait("e"), any_of(timer(), activity("b"))), activity("c")]
    assert [(i, kind) for i, kind, _ in new(run(actions))] == [
        (0, "TASK_SCHEDULED"),
        (1, "TIMER_CREATED"),
        (2, "TASK_SCHEDULED"),
    ]


def test_the_next_action_waits_for_all_siblings_even_after_a_failure() -> None:
    actions = [all_of(activity("a"), activity("b")), activity("c")]
    history = [scheduled(0, "a"), scheduled(1, "b"), failed(0)]
    assert new(run(actions, *history)) == []
    assert new(run(actions, *history, completed(1))) == [(2, "TASK_SCHEDULED", "c")]


def test_a_race_goes_on_with_the_first() -> None:
    actions = [any_of(activity("a"), wait("stop")), activity("c")]
    assert new(run(actions, scheduled(0, "a"), raised("STOP"))) == [(1, "TASK_SCHEDULED", "c")]


def test_open_tasks_keep_an_execution_from_completing() -> None:
    actions = [any_of(activity("slow"), wait("stop"))]
    assert not run(actions, scheduled(0, "slow"), raised("stop")).settled
    assert run(actions, scheduled(0, "slow"), raised("stop"), completed(0)).settled


def test_a_retry_takes_its_ids_when_it_fails() -> None:
    actions = [all_of(retried("flaky"), activity("b")), activity("c")]
    history = [scheduled(0, "flaky"), scheduled(1, "b"), failed(0)]
    outcome = run(actions, *history)
    assert new(outcome) == [(2, "TIMER_CREATED", "")]
    history += [timer_created(2), completed(1), fired(2)]
    assert new(run(actions, *history)) == [(3, "TASK_SCHEDULED", "flaky")]
    history += [scheduled(3, "flaky"), completed(3)]
    assert new(run(actions, *history)) == [(4, "TASK_SCHEDULED", "c")]


def test_a_retry_pauses_after_the_last_failure_too() -> None:
    actions = [retried("flaky", attempts=1), activity("c")]
    history = [scheduled(0, "flaky"), failed(0)]
    assert new(run(actions, *history)) == [(1, "TIMER_CREATED", "")]
    assert new(run(actions, *history, timer_created(1), fired(1))) == [(2, "TASK_SCHEDULED", "c")]


def test_a_canceled_timer_lets_the_next_action_start() -> None:
    actions = [any_of(timer(canceled=True), wait("e")), activity("c")]
    outcome = run(actions)
    assert [(d.task_id, d.canceled) for d in outcome.new_decisions] == [(0, True), (1, False)]
    assert outcome.canceled_timer_ids == [0]


def test_racing_an_old_task_again_waits_for_the_new_timer() -> None:
    # The SDK leaves the old task out of the second race, so only the timer can end it here.
    actions = [any_of(activity("old"), wait("e")), any_of(timer()), activity("c")]
    history = [scheduled(0, "old"), raised("e"), timer_created(1), completed(0)]
    assert new(run(actions, *history)) == []
    assert new(run(actions, *history, fired(1))) == [(2, "TASK_SCHEDULED", "c")]


def test_an_event_is_kept_for_the_first_wait_only() -> None:
    actions = [activity("a"), wait("e"), wait("e"), activity("b")]
    history = [raised("e"), scheduled(0, "a"), completed(0)]
    assert new(run(actions, *history)) == []
    assert new(run(actions, *history, raised("e"))) == [(1, "TASK_SCHEDULED", "b")]


def test_child_ids_are_given_or_made_of_execution_and_sequence() -> None:
    outcome = run([all_of(child("c", "mine"), child("c"))])
    assert [d.instance_id for d in outcome.new_decisions] == ["mine", "execution:0001"]


def test_entity_calls_wait_for_their_answer_and_signals_do_not() -> None:
    entity = {"instanceId": "@counter@k", "operation": "add", "input": "1"}
    actions: list[Any] = [{"actionType": 9, **entity}, {"actionType": 7, **entity}, activity("a")]
    outcome = run(actions)
    assert [kind for _, kind, _ in new(outcome)] == ["EVENT_SENT", "EVENT_SENT"]
    assert not outcome.settled


@pytest.mark.parametrize(
    "event",
    [scheduled(0, "other"), timer_created(0), scheduled(1, "a"), make_event(EventType.EVENT_SENT, 0, Name="op")],
)
def test_a_history_that_does_not_fit_is_not_deterministic(event: Event) -> None:
    with pytest.raises(NonDeterminismError, match="Non-Deterministic"):
        run([activity("a")], event)


def test_results_that_nobody_waits_for_are_ignored() -> None:
    assert new(run([activity("a")], completed(7), fired(9))) == [(0, "TASK_SCHEDULED", "a")]


def test_the_check_may_refuse_an_action_inside_of_a_compound() -> None:
    def check(action: Action) -> None:
        if action.get("functionName") == "bad":
            raise InvalidActionError("no")

    with pytest.raises(InvalidActionError):
        replay([all_of(activity("good"), activity("bad"))], START, "execution", check)


def test_waits_are_counted_through_compounds() -> None:
    assert count_waits([wait("A"), any_of(wait("a"), all_of(wait("b")))]) == {"a": 2, "b": 1}
