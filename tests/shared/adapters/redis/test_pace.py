"""Few calls are served at once, many in gathers."""

from __future__ import annotations

import pytest

from shared.adapters.redis.pace import Pace


def pauses(calls: int, seconds: float = 2.0) -> list[float]:
    """Frames of so many calls that come evenly, each read when it comes."""
    pace, step_s = Pace(), 0.02 / calls
    return [pace.pause_s(1, number * step_s) for number in range(int(seconds / step_s))]


@pytest.mark.parametrize("calls", [1, 2, 3])
def test_no_pause_for_few_calls(calls: int) -> None:
    assert max(pauses(calls)) == 0.0


def test_the_pause_grows_with_the_calls_and_stays_short() -> None:
    settled = [pauses(calls)[-1] for calls in (5, 10, 20, 30, 100)]
    assert settled == sorted(settled)
    assert 0.001 < settled[0] < 0.003
    assert 0.0065 < settled[3] <= 0.008
    assert settled[-1] <= 0.008


def test_silence_is_forgotten_quickly() -> None:
    pace = Pace()
    for number in range(2000):
        pace.pause_s(1, number / 1000)
    assert pace.pause_s(1, 2.0) > 0.005
    assert pace.pause_s(1, 3.0) == 0.0
