"""What orchestrators can do: activities, children, compounds, timers, retries, new executions."""

from __future__ import annotations

import time
from uuid import uuid4

import pytest

from tests.local_stack.functions_host.host_process import Orchestrations


def key() -> str:
    return uuid4().hex


async def test_a_chain_of_activities(orchestrations: Orchestrations) -> None:
    assert await orchestrations.run("chain", {"steps": 4}) == [0, 2, 4, 6]


async def test_many_activities_at_once(orchestrations: Orchestrations) -> None:
    assert await orchestrations.run("fan_out", {"width": 60}) == [n * 2 for n in range(60)]


async def test_an_orchestrator_that_yields_nothing(orchestrations: Orchestrations) -> None:
    assert "instance" in await orchestrations.run("no_yield")


async def test_children_with_made_and_with_given_ids(orchestrations: Orchestrations) -> None:
    made = await orchestrations.run("parent")
    assert made["child"]["doubled"] == 42
    given = key()
    instance_id = await orchestrations.start("parent", {"child_id": given})
    output = (await orchestrations.wait_for(instance_id))["output"]
    assert output["child"] == {"doubled": 42, "parent": instance_id, "id": given}


async def test_the_failure_of_a_child_comes_to_its_parent(orchestrations: Orchestrations) -> None:
    output = await orchestrations.run("parent", {"child": "failing_child"})
    assert "failing_child" in output["caught"]
    assert "child broke" in output["caught"]


async def test_a_child_cannot_take_the_id_of_a_running_instance(orchestrations: Orchestrations) -> None:
    taken = await orchestrations.start("waits_until_terminated")
    output = await orchestrations.run("parent", {"child_id": taken})
    assert "already exists" in output["caught"]
    await orchestrations.control(taken, "terminate")


async def test_a_child_cannot_have_its_parents_id(orchestrations: Orchestrations) -> None:
    own = key()
    await orchestrations.start("parent", {"child_id": own}, own)
    status = await orchestrations.wait_for(own)
    assert status["runtimeStatus"] == "Failed"
    assert "must be different" in status["output"]


async def test_nested_compounds(orchestrations: Orchestrations) -> None:
    instance_id = await orchestrations.start("nested")
    status = await orchestrations.wait_for(instance_id)
    assert status["output"] == {"pair_won": True, "pair": [2, 4], "after": 20}


async def test_a_timer_fires(orchestrations: Orchestrations) -> None:
    started = time.perf_counter()
    assert await orchestrations.run("event_or_timer", {"seconds": 0.2}) == {"timer": True}
    assert time.perf_counter() - started >= 0.2


async def test_a_canceled_timer_lets_the_instance_complete(orchestrations: Orchestrations) -> None:
    instance_id = await orchestrations.start("event_or_timer", {"seconds": 600})
    await orchestrations.raise_event(instance_id, "answer", "yes")
    assert (await orchestrations.wait_for(instance_id, timeout_s=3))["output"] == {"event": "yes"}


async def test_a_timer_that_is_not_canceled_keeps_the_instance_running(orchestrations: Orchestrations) -> None:
    instance_id = await orchestrations.start("event_or_timer", {"seconds": 0.6, "cancel": False})
    started = time.perf_counter()
    await orchestrations.raise_event(instance_id, "answer", "yes")
    assert (await orchestrations.wait_for(instance_id))["output"] == {"event": "yes"}
    assert time.perf_counter() - started > 0.4


async def test_an_activity_is_tried_again(orchestrations: Orchestrations) -> None:
    output = await orchestrations.run("retrying", {"key": key(), "attempts": 4, "failures": 2})
    assert output == {"result": "done after 3", "after": 8}


async def test_retries_come_to_an_end(orchestrations: Orchestrations) -> None:
    output = await orchestrations.run("retrying", {"key": key(), "attempts": 2, "failures": 9})
    assert "attempt 2" in output["result"]["gave_up"]
    assert output["after"] == 8


async def test_retries_beside_each_other_keep_their_ids_apart(orchestrations: Orchestrations) -> None:
    output = await orchestrations.run("retrying_together", {"key": key()})
    assert output == ["done after 1", "done after 2", "done after 3", 100, 120]


async def test_a_child_is_tried_again(orchestrations: Orchestrations) -> None:
    output = await orchestrations.run("retrying_children", {"key": key(), "failures": 2})
    assert output == {"result": "done after 3"}


async def test_the_failure_of_an_activity(orchestrations: Orchestrations) -> None:
    output = await orchestrations.run("failing_activity")
    assert output.startswith("Activity function 'always_fails' failed: LookupError: never works")


async def test_after_a_failure_the_host_waits_for_the_siblings(orchestrations: Orchestrations) -> None:
    assert await orchestrations.run("fails_fast") >= 0.4


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("broken", "Orchestrator function 'broken' failed: broken from the start"),
        ("unknown_activity", "The function 'does_not_exist' doesn't exist"),
        ("large_status", "must not exceed 16 KB"),
    ],
)
async def test_orchestrators_that_fail(orchestrations: Orchestrations, name: str, words: str) -> None:
    status = await orchestrations.wait_for(await orchestrations.start(name))
    assert status["runtimeStatus"] == "Failed"
    assert words in status["output"]


async def test_new_executions(orchestrations: Orchestrations) -> None:
    instance_id = await orchestrations.start("counting", {"count": 0, "until": 12})
    status = await orchestrations.wait_for(instance_id)
    assert status["output"] == 12
    shown = await orchestrations.status(instance_id, showHistory="true")
    assert [event["EventType"] for event in shown["historyEvents"]] == [
        "ExecutionStarted",
        "TaskCompleted",
        "ExecutionCompleted",
    ]


async def test_code_behind_is_replaying_and_ids_made_in_orchestrators(orchestrations: Orchestrations) -> None:
    output = await orchestrations.run("replay_safe")
    assert output["seen_last_episode"] == []
    assert output["uuid"] != output["guid"]


async def test_durable_http(orchestrations: Orchestrations) -> None:
    request = {"method": "POST", "uri": f"{orchestrations.host.url}/echo/durable", "content": {"a": 1}}
    output = await orchestrations.run("http_caller", {**request, "headers": {"X-Mine": "yes"}})
    assert output["statusCode"] == 200
    assert '"x-mine": "yes"' in output["content"]


async def test_durable_http_polls_while_the_answer_is_202(orchestrations: Orchestrations) -> None:
    request = {"method": "POST", "uri": f"{orchestrations.host.url}/polled"}
    output = await orchestrations.run("http_caller", request)
    assert (output["statusCode"], output["content"]) == (200, "polled to the end")


async def test_entities(orchestrations: Orchestrations) -> None:
    output = await orchestrations.run("with_entity", {"key": key()})
    assert output == {"after_add": 12, "now": 12, "failure": "entity broke", "doubled": 24}
