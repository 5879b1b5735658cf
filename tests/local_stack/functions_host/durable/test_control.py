"""Terminate, suspend, resume, restart, purge, status and lists; by webhook and by the SDK's client."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import pytest

from tests.local_stack.functions_host.host_process import HostProcess, Orchestrations


async def test_terminate(orchestrations: Orchestrations) -> None:
    instance_id = await orchestrations.start("waits_until_terminated")
    assert await orchestrations.control(instance_id, "terminate", "enough") == 202
    status = await orchestrations.wait_for(instance_id)
    assert (status["runtimeStatus"], status["output"]) == ("Terminated", "enough")
    assert await orchestrations.control(instance_id, "terminate") == 410
    assert await orchestrations.control("no-such-instance", "terminate") == 404


async def test_a_parent_learns_that_its_child_was_terminated(orchestrations: Orchestrations) -> None:
    child_id = uuid4().hex
    parent_id = await orchestrations.start("parent", {"child": "waits_until_terminated", "child_id": child_id})
    async with asyncio.timeout(5):
        while await orchestrations.control(child_id, "terminate", "enough") == 404:
            await asyncio.sleep(0.01)
    assert "enough" in (await orchestrations.wait_for(parent_id))["output"]["caught"]


async def test_suspend_and_resume(orchestrations: Orchestrations) -> None:
    instance_id = await orchestrations.start("wait_two")
    assert await orchestrations.control(instance_id, "suspend") == 202
    await orchestrations.wait_for(instance_id, {"Suspended"})
    await orchestrations.raise_event(instance_id, "first", 1)
    await orchestrations.raise_event(instance_id, "second", 2)
    await asyncio.sleep(0.05)
    assert (await orchestrations.status(instance_id))["runtimeStatus"] == "Suspended"
    assert await orchestrations.control(instance_id, "resume") == 202
    assert (await orchestrations.wait_for(instance_id))["output"] == [1, 2]


async def test_a_suspended_instance_can_be_terminated(orchestrations: Orchestrations) -> None:
    instance_id = await orchestrations.start("wait_two")
    await orchestrations.control(instance_id, "suspend")
    await orchestrations.control(instance_id, "terminate")
    assert (await orchestrations.wait_for(instance_id))["runtimeStatus"] == "Terminated"


async def test_custom_status(orchestrations: Orchestrations) -> None:
    instance_id = await orchestrations.start("with_status")
    await orchestrations.wait_for_custom_status(instance_id, {"phase": "waiting"})
    await orchestrations.raise_event(instance_id, "go")
    status = await orchestrations.wait_for(instance_id)
    assert (status["customStatus"], status["output"]) == ({"phase": "done"}, "ended")


async def test_the_id_of_a_running_instance_cannot_be_used_again(orchestrations: Orchestrations) -> None:
    instance_id = await orchestrations.start("waits_until_terminated")
    direct = await orchestrations.client.post(f"{orchestrations.host.webhooks}/orchestrators/chain/{instance_id}")
    assert direct.status_code == 409
    by_client = await orchestrations.client.post(f"{orchestrations.host.url}/start/chain?id={instance_id}")
    assert (by_client.status_code, "already exists" in by_client.text) == (409, True)
    await orchestrations.control(instance_id, "terminate")
    await orchestrations.wait_for(instance_id)
    assert await orchestrations.start("chain", {"steps": 1}, instance_id) == instance_id
    assert (await orchestrations.wait_for(instance_id))["output"] == [0]


async def test_what_cannot_be_started(orchestrations: Orchestrations) -> None:
    base = f"{orchestrations.host.webhooks}/orchestrators"
    for path in ("unknown", "chain/%40entity", "chain/a%23b", f"chain/{'x' * 101}"):
        response = await orchestrations.client.post(f"{base}/{path}")
        assert response.status_code == 400, path
        assert response.json()["ExceptionMessage"]
    assert (await orchestrations.client.post(f"{base}/chain", content=b"{")).status_code == 400
    assert (await orchestrations.client.get(f"{base}/chain")).status_code == 404


async def test_the_response_for_a_start_leads_to_the_instance(
    client: httpx.AsyncClient, sample_host: HostProcess
) -> None:
    response = await client.post(f"{sample_host.url}/start/wait_two", json={})
    links = response.json()
    assert response.status_code == 202
    assert response.headers["location"] == links["statusQueryGetUri"]
    assert links["statusQueryGetUri"].startswith(f"{sample_host.url}/runtime/webhooks/durabletask/instances/")
    running = await client.get(links["statusQueryGetUri"])
    assert (running.status_code, running.headers["retry-after"]) == (202, "5")
    for name in ("first", "second"):
        raised = await client.post(links["sendEventPostUri"].replace("{eventName}", name), json=name)
        assert raised.status_code == 202
    async with asyncio.timeout(5):
        while (await client.get(links["statusQueryGetUri"])).status_code == 202:
            await asyncio.sleep(0.01)
    assert (await client.delete(links["purgeHistoryDeleteUri"])).json() == {"instancesDeleted": 1}
    assert (await client.get(links["statusQueryGetUri"])).status_code == 404


async def test_a_start_that_waits_for_the_end(orchestrations: Orchestrations) -> None:
    base = f"{orchestrations.host.webhooks}/orchestrators"
    done = await orchestrations.client.post(f"{base}/chain?timeout=5&pollingInterval=1")
    assert (done.status_code, done.json()) == (200, [0, 2, 4])
    late = await orchestrations.client.post(f"{base}/wait_two?timeout=0.1&pollingInterval=1")
    assert (late.status_code, "statusQueryGetUri" in late.json()) == (202, True)
    failed = await orchestrations.client.post(f"{base}/broken?timeout=5")
    assert failed.json()["runtimeStatus"] == "Failed"
    await orchestrations.control(late.json()["id"], "terminate")


async def test_the_sdks_own_waiting(client: httpx.AsyncClient, sample_host: HostProcess) -> None:
    done = await client.post(f"{sample_host.url}/wait/chain", json={"steps": 2})
    assert (done.status_code, done.json()) == (200, [0, 2])
    failed = await client.post(f"{sample_host.url}/wait/broken", json={})
    assert failed.status_code == 500


async def test_history_with_inputs_and_outputs(orchestrations: Orchestrations) -> None:
    instance_id = await orchestrations.start("chain", {"steps": 2})
    await orchestrations.wait_for(instance_id)
    plain = await orchestrations.status(instance_id, showHistory="true", showInput="false")
    assert plain["input"] is None
    assert all("Result" not in event and "Input" not in event for event in plain["historyEvents"])
    full = await orchestrations.status(instance_id, showHistory="true", showHistoryOutput="true")
    results = [e for e in full["historyEvents"] if e["EventType"] == "TaskCompleted"]
    assert [(e["FunctionName"], e["Result"], e["Input"]) for e in results] == [("double", 0, "0"), ("double", 2, "1")]
    assert all(e["ScheduledTime"] <= e["Timestamp"] for e in results)


async def test_the_clients_status_methods(orchestrations: Orchestrations) -> None:
    instance_id = await orchestrations.start("chain", {"steps": 1})
    await orchestrations.wait_for(instance_id)
    one = (await orchestrations.use_client("get_status", instance_id, show_input=True)).json()
    assert (one["status"], one["output"], one["name"], one["found"]) == ("Completed", [0], "chain", True)
    missing = (await orchestrations.use_client("get_status", "no-such-instance")).json()
    assert missing["found"] is False
    everything = (await orchestrations.use_client("get_status_all", "x")).json()
    assert instance_id in {status["instanceId"] for status in everything}


@pytest.mark.parametrize("operation", ["terminate", "suspend", "resume"])
async def test_the_clients_control_methods(orchestrations: Orchestrations, operation: str) -> None:
    instance_id = await orchestrations.start("wait_two")
    response = await orchestrations.use_client(operation, instance_id, reason="why not")
    assert response.status_code == 200
    missing = await orchestrations.use_client(operation, "no-such-instance", reason="x")
    assert "No instance with ID 'no-such-instance' found" in missing.json()["error"]
    await orchestrations.control(instance_id, "terminate")


async def test_restart(orchestrations: Orchestrations) -> None:
    first = await orchestrations.start("chain", {"steps": 2})
    await orchestrations.wait_for(first)
    again = (await orchestrations.use_client("restart", first)).json()
    assert again["id"] != first
    assert (await orchestrations.wait_for(again["id"]))["output"] == [0, 2]
    assert await orchestrations.control(first, "rewind") == 501


async def test_lists_by_prefix_status_time_and_page(orchestrations: Orchestrations) -> None:
    prefix = uuid4().hex[:8]
    before = datetime.now(UTC) - timedelta(seconds=1)
    for number in range(3):
        await orchestrations.start("chain", {"steps": 1}, f"{prefix}-{number}")
        await orchestrations.wait_for(f"{prefix}-{number}")
    await orchestrations.start("waits_until_terminated", None, f"{prefix}-open")
    await orchestrations.wait_for(f"{prefix}-open", {"Running"})
    url = f"{orchestrations.host.webhooks}/instances"

    async def listed(**query: str) -> list[str]:
        response = await orchestrations.client.get(url, params={"instanceIdPrefix": prefix, **query})
        return [status["instanceId"].removeprefix(prefix) for status in response.json()]

    assert await listed() == ["-0", "-1", "-2", "-open"]
    assert await listed(runtimeStatus="Completed,Failed") == ["-0", "-1", "-2"]
    assert await listed(runtimeStatus="Running") == ["-open"]
    assert await listed(createdTimeFrom=before.isoformat().replace("+00:00", "Z")) != []
    assert await listed(createdTimeTo=before.isoformat().replace("+00:00", "Z")) == []
    page = await orchestrations.client.get(url, params={"instanceIdPrefix": prefix, "top": "3"})
    token = page.headers["x-ms-continuation-token"]
    rest = await orchestrations.client.get(
        url, params={"instanceIdPrefix": prefix, "top": "3"}, headers={"x-ms-continuation-token": token}
    )
    assert [status["instanceId"] for status in rest.json()] == [f"{prefix}-open"]
    await orchestrations.control(f"{prefix}-open", "terminate")


async def test_purge_spares_what_runs(orchestrations: Orchestrations) -> None:
    started = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    url = f"{orchestrations.host.webhooks}/instances"
    running = await orchestrations.start("waits_until_terminated")
    done = await orchestrations.start("no_yield")
    await orchestrations.wait_for(done)
    assert (await orchestrations.client.delete(f"{url}/{running}")).json() == {"instancesDeleted": 0}
    purged = await orchestrations.client.delete(
        url, params={"createdTimeFrom": started, "runtimeStatus": "Completed"}
    )
    assert purged.json()["instancesDeleted"] >= 1
    assert (await orchestrations.client.get(f"{url}/{done}")).status_code == 404
    assert (await orchestrations.client.delete(url)).status_code == 400
    assert (await orchestrations.client.delete(f"{url}/no-such-instance")).status_code == 404
    by_client = await orchestrations.use_client("purge_instance_history", "no-such-instance")
    assert by_client.json() == {"deleted": 0}
    await orchestrations.control(running, "terminate")


async def test_entities_by_client(orchestrations: Orchestrations) -> None:
    key = uuid4().hex
    missing = (await orchestrations.use_client("read_entity_state", key)).json()
    assert missing == {"exists": False, "state": None}
    for amount in (3, 4):
        signaled = await orchestrations.use_client("signal_entity", key, operation_name="add", operation_input=amount)
        assert signaled.status_code == 200
    async with asyncio.timeout(5):
        while (await orchestrations.use_client("read_entity_state", key)).json() != {"exists": True, "state": 7}:
            await asyncio.sleep(0.01)
    base = f"{orchestrations.host.webhooks}/entities"
    listed = (await orchestrations.client.get(f"{base}/Counter")).json()
    assert {"entityId": {"name": "counter", "key": key}, "state": 7} in listed
    assert (await orchestrations.client.delete(f"{base}/Counter/{key}")).status_code == 202
    async with asyncio.timeout(5):
        while (await orchestrations.client.get(f"{base}/Counter/{key}")).status_code != 404:
            await asyncio.sleep(0.01)
