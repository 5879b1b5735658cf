"""What our function brings is taken once, for our instances only."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared.adapters.connect.desk import ConnectDesk
from shared.adapters.connect.signature import NONCE, SIGNATURE, TIMESTAMP, signature
from shared.adapters.connect.webhooks import MAX_BODY_BYTES, ConnectWebhooks
from shared.domain.errors import InvalidRequest, Unauthenticated, VoiceAgentError
from tests.fakes.clock import FakeClock
from tests.fakes.memory import FakeOnce
from tests.shared.adapters.connect.events import INSTANCE, contact_event, flow_event, lex_event

PATH = "/api/webhooks/connect/turn"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def desk(clock: FakeClock) -> ConnectDesk:
    once = FakeOnce(clock)
    return ConnectDesk(
        ConnectWebhooks(
            secrets=("current", ""),
            instance_arns=frozenset({INSTANCE}),
            once=once,
            now_s=lambda: clock.now_ms() / 1000,
        )
    )


def signed(clock: FakeClock, body: bytes, nonce: str = "n" * 32) -> dict[str, str]:
    timestamp = f"{clock.now_ms() / 1000:.0f}"
    made = signature("current", timestamp=timestamp, nonce=nonce, method="POST", path=PATH, body=body)
    return {TIMESTAMP: timestamp, NONCE: nonce, SIGNATURE: made}


def brought(event: Any, **more: Any) -> bytes:
    return json.dumps({"request_id": "r1", "remaining_ms": 4900, "event": event} | more).encode()


async def test_a_question(desk: ConnectDesk, clock: FakeClock) -> None:
    body = brought(flow_event({"op": "begin"}))
    asked = await desk.flow(PATH, signed(clock, body), body)
    assert (asked.question.callee, asked.remaining_ms) == ("+15550100016", 4900)
    body = brought(lex_event())
    assert (await desk.lex(PATH, signed(clock, body, "m" * 32), body, 0.0)).question.turn == 1
    body = brought(contact_event("DISCONNECTED"))
    assert len((await desk.contact_event(PATH, signed(clock, body, "o" * 32), body)).news) == 1


async def test_a_request_counts_once(desk: ConnectDesk, clock: FakeClock) -> None:
    body = brought(flow_event({"op": "begin"}))
    headers = signed(clock, body)
    await desk.flow(PATH, headers, body)
    with pytest.raises(Unauthenticated) as error:
        await desk.flow(PATH, headers, body)
    assert error.value.code == "connect_replayed"
    await clock.sleep_ms(299_000)
    with pytest.raises(Unauthenticated):
        await desk.flow(PATH, headers, body)


async def test_a_foreign_instance(desk: ConnectDesk, clock: FakeClock) -> None:
    body = brought(flow_event({"op": "begin"}, InstanceARN=INSTANCE.replace("1111", "9999")))
    with pytest.raises(Unauthenticated) as error:
        await desk.flow(PATH, signed(clock, body), body)
    assert error.value.code == "connect_instance"


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"[" * 3000, b"\xff", b'{"event": 5}'])
async def test_a_body_that_is_none(desk: ConnectDesk, clock: FakeClock, body: bytes) -> None:
    with pytest.raises(InvalidRequest):
        await desk.flow(PATH, signed(clock, body), body)


async def test_a_body_that_is_too_large(desk: ConnectDesk, clock: FakeClock) -> None:
    body = b" " * (MAX_BODY_BYTES + 1)
    with pytest.raises(VoiceAgentError) as error:
        await desk.flow(PATH, signed(clock, body), body)
    assert error.value.code == "body_too_large"


@pytest.mark.parametrize("given", ["x", None, -5, 1e9, 10**9])
async def test_a_time_that_makes_no_sense(desk: ConnectDesk, clock: FakeClock, given: Any) -> None:
    body = brought(flow_event({"op": "begin"}), remaining_ms=given)
    asked = await desk.flow(PATH, signed(clock, body), body)
    assert asked.remaining_ms <= 60_000
