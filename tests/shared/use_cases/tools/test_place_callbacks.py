"""A promised call is placed when it is due, once, within what the tenant may dial; or given up in words."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import timedelta

import pytest

from shared.domain.errors import Conflict, Forbidden, NotFound, StoreError, VoiceAgentError
from shared.ports.callbacks import Callback, CallbackState
from shared.ports.orchestrations import Orchestrations
from shared.use_cases.calls.place_call import Wish
from shared.use_cases.tools.place_callbacks import PlaceCallbacks
from tests.fakes.clock import FakeClock
from tests.fakes.telephony import FakeOrchestrations
from tests.fakes.tools import FakeCallbacks


class Placing:
    def __init__(self) -> None:
        self.clock, self.callbacks = FakeClock(), FakeCallbacks()
        self.placed: list[tuple[str, Wish, str]] = []
        self.error: VoiceAgentError | None = None
        self.place = PlaceCallbacks(self.callbacks, self.call, self.clock)  # type: ignore[arg-type]

    async def call(self, tenant_id: str, wish: Wish, orchestrations: Orchestrations, *, idempotency_key: str) -> str:
        if self.error:
            raise self.error
        self.placed.append((tenant_id, wish, idempotency_key))
        return "call-2"

    def callback(self, number: int, minutes: float) -> Callback:
        return Callback(
            callback_id=f"c{number}",
            tenant_id="acme",
            agent_id="first",
            promised_in="call-1",
            to="+15550100001",
            caller_id="+15550100009",
            due_at=self.clock.now() + timedelta(minutes=minutes),
        )

    async def add(self, callback: Callback) -> None:
        assert await self.callbacks.add(callback, most=9)

    def run(self) -> Awaitable[int]:
        return self.place(FakeOrchestrations())

    async def one(self, number: int = 1) -> Callback:
        found = await self.callbacks.one("acme", f"c{number}")
        assert found is not None
        return found


async def test_what_is_due_is_placed_once() -> None:
    placing = Placing()
    await placing.add(placing.callback(1, -1))
    await placing.add(placing.callback(2, 5))
    assert await placing.run() == 1
    assert await placing.run() == 0
    wish = Wish("+15550100001", "first", "+15550100009")
    assert placing.placed == [("acme", wish, "callback-c1")]
    assert ((await placing.one()).state, (await placing.one()).call_id) == (CallbackState.PLACED, "call-2")
    await placing.clock.sleep_ms(6 * 60_000)
    assert await placing.run() == 1


@pytest.mark.parametrize(
    "error",
    [
        Forbidden("outside_calling_window", "not now"),
        Conflict("too_many_calls", "busy"),
        Conflict("spend_limit", "spent"),
        StoreError("database_unavailable", "away", retryable=True),
    ],
)
async def test_what_cannot_be_now_is_tried_later_for_a_day(error: VoiceAgentError) -> None:
    placing = Placing()
    placing.error = error
    await placing.add(placing.callback(1, -1))
    assert await placing.run() == 0
    assert ((await placing.one()).state, (await placing.one()).trouble) == (CallbackState.PLANNED, error.code)
    placing.error = None
    assert await placing.run() == 0, "it waits a while"
    await placing.clock.sleep_ms(5 * 60_000)
    assert await placing.run() == 1
    placing.error = error
    await placing.add(placing.callback(3, -24 * 60))
    await placing.run()
    assert (await placing.one(3)).state is CallbackState.FAILED


@pytest.mark.parametrize(
    "error",
    [
        Forbidden("destination_not_allowed", "never"),
        NotFound("agent_unknown", "gone"),
        Forbidden("price_unknown", "?"),
    ],
)
async def test_what_can_never_be_is_given_up_and_holds_up_nobody(error: VoiceAgentError) -> None:
    placing = Placing()
    placing.error = error
    await placing.add(placing.callback(1, -1))
    await placing.run()
    assert ((await placing.one()).state, (await placing.one()).trouble) == (CallbackState.FAILED, error.code)


async def test_one_that_was_taken_back_is_not_placed() -> None:
    placing = Placing()
    await placing.add(placing.callback(1, -1))
    await placing.callbacks.move(await placing.one(), CallbackState.CANCELED)
    assert await placing.run() == 0
    assert placing.placed == []
