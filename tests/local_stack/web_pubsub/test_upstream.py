"""Upstream events: headers, validation, state, retries, faults, and an upstream that comes and goes."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from local_stack.web_pubsub.defaults import LOCAL_ACCESS_KEY, LOCAL_SECONDARY_ACCESS_KEY
from tests.local_stack.web_pubsub.conftest import Stack
from tests.local_stack.web_pubsub.webhook import Answer, Received


def statuses(*given: int) -> Answer:
    left = iter(given)

    async def answer(_: Received) -> web.Response:
        return web.Response(status=next(left))

    return answer


async def test_headers_of_an_event(stack: Stack) -> None:
    socket = await stack.connect(user_id="anna")
    await socket.send_str("x")
    (event,) = await stack.webhook.wait_for("message")
    connection_id = event.connection_id
    headers = event.headers
    assert headers["ce-specversion"] == "1.0"
    assert headers["ce-hub"] == "clients"
    assert headers["ce-source"] == f"/hubs/clients/client/{connection_id}"
    assert headers["webhook-request-origin"] == "localhost"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", headers["ce-time"])
    digests = [
        hmac.new(key.encode(), connection_id.encode(), hashlib.sha256).hexdigest()
        for key in (LOCAL_ACCESS_KEY, LOCAL_SECONDARY_ACCESS_KEY)
    ]
    assert headers["ce-signature"] == ",".join(f"sha256={digest}" for digest in digests)
    assert "ce-connectionstate" not in headers
    assert "authorization" not in headers


async def test_event_ids_increase_over_all_events_of_a_connection(stack: Stack) -> None:
    socket = await stack.connect()
    for _ in range(3):
        await socket.send_str("x")
    await stack.webhook.wait_for("message", 3)
    await socket.close()
    await stack.webhook.wait_for("disconnected")
    ids = {event.name: event.event_id for event in stack.webhook.received}
    assert ids["connect"] == 1
    assert ids["connected"] == 2
    assert sorted(event.event_id for event in stack.webhook.received) == [1, 2, 3, 4, 5, 6]
    assert ids["disconnected"] == 6


@pytest.mark.parametrize("user_id", ["a\r\nce-hub: other", "größe", "tab\tbed"])
async def test_user_ids_cannot_inject_headers(stack: Stack, user_id: str) -> None:
    await stack.connect(user_id=user_id)
    (event,) = await stack.webhook.wait_for("connected")
    assert event.headers["ce-hub"] == "clients"
    assert "\n" not in event.headers["ce-userid"]
    assert event.headers["ce-userid"].isascii()


async def test_every_webhook_is_validated_once_before_use(stack: Stack) -> None:
    for _ in range(2):
        socket = await stack.connect()
        await socket.close()
    await stack.webhook.wait_for("disconnected", 2)
    assert stack.webhook.validations == ["/api/realtime/events/clients/validate localhost"]


@pytest.mark.parametrize("allowed", [None, "elsewhere"])
async def test_webhook_that_does_not_allow_us_gets_no_events(stack: Stack, allowed: str | None) -> None:
    stack.webhook.allowed_origin = allowed
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await stack.connect()
    assert caught.value.status == 500
    assert stack.webhook.received == []
    stack.webhook.allowed_origin = "elsewhere, localhost"
    await stack.connect()


async def test_connection_state_is_echoed_on_later_events(stack: Stack) -> None:
    async def first_state(_: Received) -> web.Response:
        return web.Response(status=204, headers={"ce-connectionState": "one"})

    async def second_state(_: Received) -> web.Response:
        return web.Response(status=204, headers={"ce-connectionState": "dHdv"})

    stack.webhook.answers |= {"connect": first_state, "message": second_state}
    socket = await stack.connect()
    await socket.send_str("x")
    await socket.send_str("y")
    await stack.webhook.wait_for("message", 2)
    await socket.close()
    (disconnected,) = await stack.webhook.wait_for("disconnected")
    assert stack.webhook.named("connected")[0].headers["ce-connectionstate"] == "one"
    states = [event.headers["ce-connectionstate"] for event in stack.webhook.named("message")]
    assert states == ["one", "dHdv"]
    assert disconnected.headers["ce-connectionstate"] == "dHdv"


@pytest.mark.parametrize("status", [408, 500, 503])
async def test_passing_failures_are_retried_with_the_same_id(stack: Stack, status: int) -> None:
    stack.webhook.answers["message"] = statuses(status, status, 204, 204)
    socket = await stack.connect()
    await socket.send_str("first")
    await socket.send_str("second")
    events = await stack.webhook.wait_for("message", 4)
    assert [event.body for event in events] == [b"first"] * 3 + [b"second"]
    assert len({event.event_id for event in events[:3]}) == 1
    assert events[3].event_id > events[0].event_id


async def test_retries_end_after_the_last_delay(stack: Stack) -> None:
    stack.webhook.answers["message"] = statuses(503, 503, 503, 503)
    socket = await stack.connect()
    await socket.send_str("x")
    await socket.receive(timeout=5)
    assert socket.close_code == 1011
    assert len(stack.webhook.named("message")) == 4


@pytest.mark.parametrize("status", [400, 404, 429])
async def test_other_refusals_are_not_retried(stack: Stack, status: int) -> None:
    stack.webhook.answers["message"] = statuses(status)
    socket = await stack.connect()
    await socket.send_str("x")
    await socket.receive(timeout=5)
    assert len(stack.webhook.named("message")) == 1


@pytest.mark.parametrize("limits", [{"upstreamTimeoutSeconds": 0.2}])
async def test_silence_is_not_retried(stack: Stack) -> None:
    async def silent(_: Received) -> web.Response:
        await asyncio.sleep(1)
        return web.Response(status=204)

    socket = await stack.connect()
    stack.webhook.answers["message"] = silent
    await socket.send_str("x")
    await socket.receive(timeout=5)
    assert socket.close_code == 1011
    assert len(stack.webhook.named("message")) == 1


@pytest.mark.slow
@pytest.mark.parametrize("limits", [{"retryDelaysSeconds": [0.25] * 120}])
async def test_no_frame_is_lost_while_upstream_is_down_for_two_seconds(stack: Stack) -> None:
    socket = await stack.connect()
    for number in range(10):
        await socket.send_bytes(bytes([number]))
    await stack.webhook.wait_for("message", 10)
    await stack.webhook.stop()
    for number in range(10, 110):
        await socket.send_bytes(bytes([number]))
        await asyncio.sleep(0.02)
    await stack.webhook.start()
    events = await stack.webhook.wait_for("message", 110)
    assert [event.body[0] for event in events] == list(range(110))
    ids = [event.event_id for event in events]
    assert ids == sorted(set(ids))


@pytest.mark.parametrize("limits", [{"retryDelaysSeconds": [0.3, 0.3, 0.3]}])
async def test_a_stalled_upstream_pushes_back_on_the_socket(stack: Stack) -> None:
    socket = await stack.connect()
    await stack.webhook.wait_for("connected")
    released = asyncio.Event()

    async def hold(_: Received) -> web.Response:
        await released.wait()
        return web.Response(status=204)

    stack.webhook.answers["message"] = hold
    sent = 0

    async def flood() -> None:
        nonlocal sent
        for _ in range(400):
            await socket.send_bytes(bytes(256 * 1024))
            sent += 1

    flooding = asyncio.create_task(flood())
    _, pending = await asyncio.wait([flooding], timeout=0.7)
    assert pending, "100 MB were taken in while nothing was handled"
    released.set()
    flooding.cancel()
    await stack.webhook.wait_for("message", min(sent, 20))


@pytest.mark.parametrize("limits", [{"shutdownGraceSeconds": 2}])
async def test_shutdown_closes_clients_and_tells_the_handler(stack: Stack) -> None:
    sockets = [await stack.connect(), await stack.connect("clients", "json.webpubsub.azure.v1")]
    await stack.webhook.wait_for("connected", 2)
    stopping = asyncio.create_task(stack.server.stop())
    closing = [await sockets[0].receive(timeout=5)]
    assert (closing[0].type, sockets[0].close_code) == (aiohttp.WSMsgType.CLOSE, 1001)
    assert (await sockets[1].receive_json(timeout=5))["event"] == "connected"
    assert (await sockets[1].receive_json(timeout=5))["event"] == "disconnected"
    await sockets[1].receive(timeout=5)
    await stopping
    events = stack.webhook.named("disconnected")
    assert [event.json()["reason"] for event in events] == ["The service is shutting down."] * 2


async def test_disconnected_is_delivered_even_if_upstream_is_away_for_longer_than_all_retries(
    stack: Stack,
) -> None:
    socket = await stack.connect()
    await stack.webhook.wait_for("connected")
    await stack.webhook.stop()
    await socket.close(message=b"bye")
    await asyncio.sleep(0.8)
    await stack.webhook.start()
    (event,) = await stack.webhook.wait_for("disconnected")
    assert event.json() == {"reason": "bye"}


async def test_lost_response_repeats_the_event_with_the_same_id(stack: Stack) -> None:
    socket = await stack.connect()
    await stack.order_fault(effect="lose_response", event="message", times=1)
    await socket.send_str("x")
    first, second = await stack.webhook.wait_for("message", 2)
    assert (first.event_id, first.body) == (second.event_id, second.body)


@pytest.mark.parametrize(
    ("fault", "close_code"),
    [
        ({"effect": "status", "status": 429}, 1011),
        ({"effect": "timeout"}, 1011),
        ({"effect": "reset", "times": 2}, None),
        ({"effect": "delay", "delayMs": 50, "times": 1}, None),
    ],
)
async def test_ordered_faults(stack: Stack, fault: dict[str, Any], close_code: int | None) -> None:
    async def done(_: Received) -> web.Response:
        return web.Response(text="done")

    stack.webhook.answers["message"] = done
    socket = await stack.connect()
    await stack.order_fault(event="message", hub="clients", **fault)
    await socket.send_str("x")
    message = await socket.receive(timeout=5)
    if close_code is None:
        assert message.data == "done"
    else:
        assert socket.close_code == close_code
        assert stack.webhook.named("message") == []
