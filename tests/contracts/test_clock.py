"""What every clock does."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

import pytest

from shared.adapters.system_clock.clock import SystemClock
from shared.ports.clock import Clock
from tests.fakes.clock import FakeClock
from tests.fakes.virtual_time import Stuck, VirtualTimeLoop


@pytest.fixture(params=[SystemClock, FakeClock])
def clock(request: pytest.FixtureRequest) -> Clock:
    made: Clock = request.param()
    return made


async def test_both_times_are_the_same_moment(clock: Clock) -> None:
    before = clock.now_ms()
    now = clock.now()
    after = clock.now_ms()
    assert now.tzinfo is UTC
    assert before - 1 <= now.timestamp() * 1000 <= after + 1
    assert before > 1_600_000_000_000, "Unix epoch milliseconds"


async def test_sleeping_takes_as_long_as_it_says(clock: Clock) -> None:
    before = clock.now_ms()
    await clock.sleep_ms(30)
    assert 29 <= clock.now_ms() - before < 1_000


@pytest.mark.parametrize("duration_ms", [0, -5])
async def test_no_sleep_is_none(clock: Clock, duration_ms: float) -> None:
    before = clock.now_ms()
    await clock.sleep_ms(duration_ms)
    assert clock.now_ms() - before < 500


def test_the_machines_time() -> None:
    assert abs(SystemClock().now_ms() - time.time() * 1000) < 1_000
    assert abs((SystemClock().now() - datetime.now(UTC)).total_seconds()) < 1


def test_virtual_time_takes_none_and_keeps_its_order() -> None:
    happened: list[str] = []

    async def day() -> float:
        clock = FakeClock()
        began_ms = clock.now_ms()

        async def wake(name: str, hours: float) -> None:
            await clock.sleep_ms(hours * 3_600_000)
            happened.append(name)

        with pytest.raises(TimeoutError):
            async with asyncio.timeout(12 * 3600):
                await asyncio.gather(wake("lunch", 6), wake("breakfast", 1), wake("midnight", 18))
        return clock.now_ms() - began_ms

    began = time.monotonic()
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        assert runner.run(day()) == pytest.approx(12 * 3_600_000)
    assert happened == ["breakfast", "lunch"]
    assert time.monotonic() - began < 2


def test_virtual_time_tells_when_nothing_can_ever_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.fakes.virtual_time._STUCK_AFTER_S", 0.05)

    async def wait_for_godot() -> None:
        await asyncio.get_running_loop().create_future()

    loop = VirtualTimeLoop()
    waiting = loop.create_task(wait_for_godot())
    with pytest.raises(Stuck):
        loop.run_until_complete(waiting)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        loop.run_until_complete(waiting)
    loop.close()
