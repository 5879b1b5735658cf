"""External events: buffered, without case, carried into new executions; and the pitfalls of the SDK."""

from __future__ import annotations

import asyncio

from tests.local_stack.functions_host.host_process import Orchestrations


async def test_an_event_that_comes_before_its_wait_is_kept(orchestrations: Orchestrations) -> None:
    instance_id = await orchestrations.start("wait_two")
    assert await orchestrations.raise_event(instance_id, "second", 2) == 202
    assert await orchestrations.raise_event(instance_id, "first", {"a": 1}) == 202
    assert (await orchestrations.wait_for(instance_id))["output"] == [{"a": 1}, 2]


async def test_names_have_no_case_and_the_log_says_so(orchestrations: Orchestrations) -> None:
    instance_id = await orchestrations.start("wait_two")
    await orchestrations.raise_event(instance_id, "SECOND", 2)
    await orchestrations.raise_event(instance_id, "First", 1)
    assert (await orchestrations.wait_for(instance_id))["output"] == [1, 2]
    assert f"instance {instance_id} waits for event 'first' but got 'First'" in orchestrations.host.log_text


async def test_the_sdks_client_delivers_an_object_as_a_string(orchestrations: Orchestrations) -> None:
    instance_id = await orchestrations.start("wait_two")
    response = await orchestrations.use_client("raise_event", instance_id, event_name="first", event_data={"a": 1})
    assert response.status_code == 200
    await orchestrations.raise_event(instance_id, "second", {"a": 1})
    assert (await orchestrations.wait_for(instance_id))["output"] == ['{"a": 1}', {"a": 1}]


async def test_events_survive_new_executions_in_their_order(orchestrations: Orchestrations) -> None:
    instance_id = await orchestrations.start("eternal", {"collected": [], "wanted": 30})
    for number in range(30):
        assert await orchestrations.raise_event(instance_id, "item", number) == 202
    assert (await orchestrations.wait_for(instance_id))["output"] == list(range(30))


async def test_an_event_is_processed_once_across_executions(orchestrations: Orchestrations) -> None:
    instance_id = await orchestrations.start("racing", {"seen": [], "wanted": 5})
    for number in range(5):
        await orchestrations.raise_event(instance_id, "item", number)
        await asyncio.sleep(0.01 * (number % 3))
    assert (await orchestrations.wait_for(instance_id))["output"] == list(range(5))


async def test_an_event_for_nobody(orchestrations: Orchestrations) -> None:
    assert await orchestrations.raise_event("no-such-instance", "x", 1) == 404
    finished = await orchestrations.start("no_yield")
    await orchestrations.wait_for(finished)
    assert await orchestrations.raise_event(finished, "x", 1) == 410


async def test_an_event_must_be_json(orchestrations: Orchestrations) -> None:
    instance_id = await orchestrations.start("wait_two")
    url = f"{orchestrations.host.webhooks}/instances/{instance_id}/raiseEvent/first"
    plain = await orchestrations.client.post(url, content="1", headers={"Content-Type": "text/plain"})
    assert plain.status_code == 400
    broken = await orchestrations.client.post(url, content="{", headers={"Content-Type": "application/json"})
    assert broken.status_code == 400
    await orchestrations.control(instance_id, "terminate")


async def test_an_activity_may_use_the_durable_client(orchestrations: Orchestrations) -> None:
    waiting = await orchestrations.start("wait_two")
    await orchestrations.run("raising", {"target": waiting})
    await orchestrations.raise_event(waiting, "second", 2)
    assert (await orchestrations.wait_for(waiting))["output"] == ['{"from": "activity"}', 2]
