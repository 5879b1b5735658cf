"""Orchestrators of the sample app, one per behaviour."""

# The SDK raises plain exceptions into orchestrators.
# ruff: noqa: BLE001

from __future__ import annotations

from datetime import timedelta

import azure.durable_functions as df

orchestrators = df.Blueprint()


@orchestrators.orchestration_trigger(context_name="context")
def chain(context: df.DurableOrchestrationContext):
    given = context.get_input() or {}
    results = []
    for step in range(int(given.get("steps", 3))):
        results.append((yield context.call_activity("double", step)))
    return results


@orchestrators.orchestration_trigger(context_name="context")
def recorded_chain(context: df.DurableOrchestrationContext):
    """Each step waits for a timer or a child now and then; its activities leave marks in a file."""
    given = context.get_input()
    total = 0
    for step in range(given["steps"]):
        total += yield context.call_activity("record", {**given, "step": step})
        if step % 3 == 1:
            yield context.create_timer(context.current_utc_datetime + timedelta(milliseconds=30))
        if step % 3 == 2:
            total += yield context.call_sub_orchestrator("recorded_child", {**given, "step": step})
    return total


@orchestrators.orchestration_trigger(context_name="context")
def recorded_child(context: df.DurableOrchestrationContext):
    given = context.get_input()
    return (yield context.call_activity("record", {**given, "step": f"child-{given['step']}"}))


@orchestrators.orchestration_trigger(context_name="context")
def fan_out(context: df.DurableOrchestrationContext):
    tasks = [context.call_activity("double", n) for n in range(context.get_input()["width"])]
    return (yield context.task_all(tasks))


@orchestrators.orchestration_trigger(context_name="context")
def parent(context: df.DurableOrchestrationContext):
    given = context.get_input() or {}
    child_id = given.get("child_id")
    try:
        result = yield context.call_sub_orchestrator(given.get("child", "child"), given, child_id)
    except Exception as error:
        return {"caught": str(error)}
    return {"child": result}


@orchestrators.orchestration_trigger(context_name="context")
def child(context: df.DurableOrchestrationContext):
    doubled = yield context.call_activity("double", 21)
    return {"doubled": doubled, "parent": context.parent_instance_id, "id": context.instance_id}


@orchestrators.orchestration_trigger(context_name="context")
def failing_child(context: df.DurableOrchestrationContext):
    yield context.call_activity("double", 1)
    raise ValueError("child broke")


@orchestrators.orchestration_trigger(context_name="context")
def wait_two(context: df.DurableOrchestrationContext):
    first = yield context.wait_for_external_event("first")
    second = yield context.wait_for_external_event("second")
    return [first, second]


@orchestrators.orchestration_trigger(context_name="context")
def event_or_timer(context: df.DurableOrchestrationContext):
    given = context.get_input()
    timer = context.create_timer(context.current_utc_datetime + timedelta(seconds=given["seconds"]))
    event = context.wait_for_external_event("answer")
    winner = yield context.task_any([event, timer])
    if winner == event:
        if given.get("cancel", True):
            timer.cancel()
        return {"event": event.result}
    return {"timer": True}


@orchestrators.orchestration_trigger(context_name="context")
def nested(context: df.DurableOrchestrationContext):
    pair = context.task_all([context.call_activity("double", 1), context.call_activity("double", 2)])
    other = context.task_all([context.wait_for_external_event("never"), context.call_activity("double", 3)])
    winner = yield context.task_any([other, pair])
    after = yield context.call_activity("double", 10)
    return {"pair_won": winner == pair, "pair": pair.result, "after": after}


@orchestrators.orchestration_trigger(context_name="context")
def retrying(context: df.DurableOrchestrationContext):
    given = context.get_input()
    options = df.RetryOptions(given.get("interval_ms", 5), given["attempts"])
    try:
        result = yield context.call_activity_with_retry("flaky", options, given)
    except Exception as error:
        result = {"gave_up": str(error)}
    after = yield context.call_activity("double", 4)
    return {"result": result, "after": after}


@orchestrators.orchestration_trigger(context_name="context")
def retrying_together(context: df.DurableOrchestrationContext):
    """Ids of retries are given between those of the siblings."""
    given = context.get_input()
    options = df.RetryOptions(5, 4)
    tasks = [
        context.call_activity_with_retry("flaky", options, {"key": f"{given['key']}-{n}", "failures": n})
        for n in range(3)
    ]
    together = yield context.task_all([*tasks, context.call_activity("double", 50)])
    after = yield context.call_activity("double", 60)
    return [*together, after]


@orchestrators.orchestration_trigger(context_name="context")
def retrying_children(context: df.DurableOrchestrationContext):
    given = context.get_input()
    options = df.RetryOptions(5, 3)
    result = yield context.call_sub_orchestrator_with_retry("flaky_child", options, given)
    return {"result": result}


@orchestrators.orchestration_trigger(context_name="context")
def flaky_child(context: df.DurableOrchestrationContext):
    return (yield context.call_activity("flaky", context.get_input()))


@orchestrators.orchestration_trigger(context_name="context")
def eternal(context: df.DurableOrchestrationContext):
    given = context.get_input()
    collected = list(given["collected"])
    collected.append((yield context.wait_for_external_event("item")))
    if len(collected) < given["wanted"]:
        context.continue_as_new({"collected": collected, "wanted": given["wanted"]})
        return None
    return collected


@orchestrators.orchestration_trigger(context_name="context")
def counting(context: df.DurableOrchestrationContext):
    given = context.get_input()
    yield context.call_activity("double", given["count"])
    if given["count"] < given["until"]:
        context.continue_as_new({**given, "count": given["count"] + 1})
        return None
    return given["count"]


@orchestrators.orchestration_trigger(context_name="context")
def with_status(context: df.DurableOrchestrationContext):
    context.set_custom_status({"phase": "waiting"})
    yield context.wait_for_external_event("go")
    context.set_custom_status({"phase": "done"})
    return "ended"


@orchestrators.orchestration_trigger(context_name="context")
def large_status(context: df.DurableOrchestrationContext):
    context.set_custom_status("x" * 9000)
    yield context.call_activity("double", 1)
    return "never"


@orchestrators.orchestration_trigger(context_name="context")
def http_caller(context: df.DurableOrchestrationContext):
    return (yield context.call_http(**context.get_input()))


@orchestrators.orchestration_trigger(context_name="context")
def unknown_activity(context: df.DurableOrchestrationContext):
    yield context.call_activity("does_not_exist", 1)


@orchestrators.orchestration_trigger(context_name="context")
def broken(context: df.DurableOrchestrationContext):
    raise RuntimeError("broken from the start")
    yield


@orchestrators.orchestration_trigger(context_name="context")
def failing_activity(context: df.DurableOrchestrationContext):
    try:
        yield context.call_activity("always_fails", None)
    except Exception as error:
        return str(error)


@orchestrators.orchestration_trigger(context_name="context")
def fails_fast(context: df.DurableOrchestrationContext):
    """One of two fails at once; the next action must wait for the slow one on the host's side."""
    started = context.current_utc_datetime
    try:
        yield context.task_all([context.call_activity("always_fails", None), context.call_activity("pause", 0.4)])
    except Exception:
        yield context.call_activity("double", 1)
    return (context.current_utc_datetime - started).total_seconds()


@orchestrators.orchestration_trigger(context_name="context")
def no_yield(context: df.DurableOrchestrationContext):
    return {"instance": context.instance_id}


@orchestrators.orchestration_trigger(context_name="context")
def waits_until_terminated(context: df.DurableOrchestrationContext):
    yield context.wait_for_external_event("never")


@orchestrators.orchestration_trigger(context_name="context")
def with_entity(context: df.DurableOrchestrationContext):
    entity = df.EntityId("counter", context.get_input()["key"])
    context.signal_entity(entity, "add", 5)
    after_add = yield context.call_entity(entity, "add", 7)
    now = yield context.call_entity(entity, "get")
    try:
        yield context.call_entity(entity, "explode")
    except Exception as error:
        failure = str(error)
    doubled = yield context.call_activity("double", now)
    return {"after_add": after_add, "now": now, "failure": failure, "doubled": doubled}


@orchestrators.orchestration_trigger(context_name="context")
def replay_safe(context: df.DurableOrchestrationContext):
    """Counts how often the code behind `not is_replaying` runs."""
    seen = []
    for step in range(3):
        if not context.is_replaying:
            seen.append(step)
        yield context.call_activity("double", step)
    first, second = context.new_uuid(), context.new_guid()
    yield context.call_activity("double", 9)
    return {"seen_last_episode": seen, "uuid": first, "guid": str(second)}


@orchestrators.orchestration_trigger(context_name="context")
def racing(context: df.DurableOrchestrationContext):
    """Races an event against a timer that it cancels, then starts anew: each event must come once."""
    given = context.get_input()
    timer = context.create_timer(context.current_utc_datetime + timedelta(seconds=60))
    item = context.wait_for_external_event("item")
    yield context.task_any([item, timer])
    timer.cancel()
    seen = [*given["seen"], item.result]
    if len(seen) < given["wanted"]:
        context.continue_as_new({"seen": seen, "wanted": given["wanted"]})
        return None
    return seen


@orchestrators.orchestration_trigger(context_name="context")
def raising(context: df.DurableOrchestrationContext):
    yield context.call_activity("raise_from_activity", context.get_input()["target"])
