"""The routes that only a local endpoint has."""

from __future__ import annotations

from typing import Any

import pytest

from tests.local_stack.web_pubsub.conftest import ADMIN, Stack


async def call(stack: Stack, method: str, path: str, **options: Any) -> tuple[int, Any]:
    async with stack.http.request(method, f"{stack.url}{path}", **options) as response:
        return response.status, await response.json() if response.content_length else None


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/_local/connections"),
        ("POST", "/_local/connections/:drop"),
        ("GET", "/_local/faults"),
        ("POST", "/_local/faults"),
        ("GET", "/_local/usage"),
    ],
)
async def test_every_call_needs_an_access_key(stack: Stack, method: str, path: str) -> None:
    assert (await call(stack, method, path))[0] == 401
    assert (await call(stack, method, path, headers={"X-Access-Key": "wrong"}))[0] == 401


async def test_connections_are_counted_by_hub(stack: Stack) -> None:
    socket = await stack.connect()
    await stack.connect("other")
    assert (await stack.open_connections())["count"] == 2
    _, of_hub = await call(stack, "GET", "/_local/connections?hub=Clients", headers=ADMIN)
    assert of_hub["count"] == 1
    await socket.close()
    await stack.webhook.wait_for("disconnected")
    assert (await stack.open_connections())["count"] == 1


async def test_dropped_clients_are_reported_upstream(stack: Stack) -> None:
    socket = await stack.connect()
    await stack.webhook.wait_for("connected")
    assert await call(stack, "POST", "/_local/connections/:drop", headers=ADMIN) == (200, {"dropped": 1})
    await socket.receive(timeout=5)
    assert socket.closed
    (event,) = await stack.webhook.wait_for("disconnected")
    assert event.json() == {"reason": "The client's connection broke without a closing handshake."}
    assert (await call(stack, "POST", "/_local/connections/nobody/:drop", headers=ADMIN))[0] == 404


async def test_faults_are_listed_and_cleared(stack: Stack) -> None:
    await stack.order_fault(effect="delay", delayMs=5, event="message", times=2)
    _, listed = await call(stack, "GET", "/_local/faults", headers=ADMIN)
    (fault,) = listed["faults"]
    assert (fault["effect"], fault["delay_ms"], fault["times_left"]) == ("delay", 5, 2)
    assert (await call(stack, "DELETE", "/_local/faults", headers=ADMIN))[0] == 204
    assert (await call(stack, "GET", "/_local/faults", headers=ADMIN))[1] == {"faults": []}


@pytest.mark.parametrize("fault", [{}, [], {"effect": "melt"}, {"effect": "delay", "delayMs": "x"}, {"colour": 1}])
async def test_senseless_faults_are_refused(stack: Stack, fault: Any) -> None:
    status, body = await call(stack, "POST", "/_local/faults", headers=ADMIN, json=fault)
    assert status == 400
    assert body["error"]
