from __future__ import annotations

import pytest

from local_stack.phones.frame_clock import FrameClock
from tests.local_stack.phones.clocks import HandClock


async def test_ticks_are_20_ms_apart_from_an_absolute_start() -> None:
    clock = HandClock()
    ticks = FrameClock(clock)
    moments = []
    for _ in range(500):
        await ticks.tick()
        moments.append(clock.now_s)
        clock.pass_time(0.0137)
    assert moments[-1] - moments[0] == pytest.approx(499 * 0.02, abs=1e-6)


async def test_lateness_is_made_good_and_does_not_add_up() -> None:
    clock = HandClock()
    ticks = FrameClock(clock)
    await ticks.tick()
    clock.pass_time(0.1)
    clock.slept.clear()
    for _ in range(5):
        await ticks.tick()
    assert clock.slept == [0.0] * 5
    assert await ticks.tick() == 6
    assert clock.now_s == pytest.approx(1000.12)
    assert max(ticks.lags_ms) == pytest.approx(80)
    assert ticks.lag_p99_ms == pytest.approx(80)
