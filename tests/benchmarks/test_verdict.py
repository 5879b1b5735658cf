"""What several loads say together."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.calls.exchange import PARTS
from benchmarks.calls.load import Load
from benchmarks.calls.tables import against_goals, capacity, made, times, used
from benchmarks.calls.verdict import goals, held, memory_per_call_mb, most_held
from benchmarks.measuring.distribution import Distribution
from benchmarks.measuring.usage import slope


def _load(calls: int, p95: float = 600.0, late: int = 0, app_mb: float = 100.0) -> Load:
    wire = Distribution(20, 560.0, p95, p95)
    return Load(
        calls=calls, patience_ms=500, speculates=True, reply="unique", turns=calls * 4, unanswered=0, split=0,
        at_wire=wire, heard=wire, pipeline=None, handing_on=None, parts=dict.fromkeys(PARTS),
        interruption_stop=Distribution(10, 90.0, 120.0, 130.0), first_tokens=1.0, without_request=0,
        costs_per_turn={"takes": 1.5}, requests_per_turn={"stt": 1.5}, underruns=0, late_frames=late, errors=(),
        lag_p99_ms=1.0, call_seconds=100.0, cpu_ms_per_call_s={"app": 20.0, "redis": 2.0},
        peak_mb={"app": app_mb, "redis": 5.0}, kept_mb={"app": app_mb, "redis": 5.0},
    )  # fmt: skip


def test_a_core_holds_what_is_as_quick_as_one_call_and_never_late() -> None:
    loads = [_load(1), _load(10, 700), _load(20, 779), _load(30, 781)]
    assert [each.is_held for each in held(loads)] == [True, True, True, False]
    assert most_held(held(loads)) == 20


def test_a_late_frame_or_a_missing_answer_is_not_held_nor_is_what_lies_beyond_it() -> None:
    loads = [_load(1), _load(5, late=1), replace(_load(10), unanswered=1), _load(20)]
    assert [each.is_held for each in held(loads)] == [True, False, False, True]
    assert most_held(held(loads)) == 1


def test_memory_of_a_further_call_is_the_slope_over_the_loads() -> None:
    assert slope({1: 10.0, 2: 12.0, 3: 14.0}) == pytest.approx(2.0)
    assert slope({1: 10.0}) is None
    loads = [_load(1, app_mb=100), _load(11, app_mb=120), _load(21, app_mb=140)]
    assert memory_per_call_mb(loads) == {"whole stack": 2.0, "app": 2.0, "redis": 0.0}
    assert memory_per_call_mb(loads[:1]) == {}
    shrinking = [_load(1, app_mb=100), _load(11, app_mb=60)]
    assert memory_per_call_mb(shrinking)["whole stack"] == 0


def test_goals_are_met_missed_or_not_measured() -> None:
    by_name = {goal.name: goal.is_met for goal in goals([_load(1), _load(20, p95=900)], None)}
    assert by_name["voice to voice p50, 500 ms of patience"] is True
    assert by_name["calls on one core"] is False
    assert by_name["CPU per call-second, 20 calls, whole stack"] is True
    assert by_name["beyond services and decision, no speculation, p50"] is None
    small = {goal.name: goal.is_met for goal in goals([_load(1), _load(5)], None)}
    assert small["calls on one core"] is None


def test_every_table_shows_every_load() -> None:
    loads = [_load(1), _load(20)]
    assert "560/600/600" in times(loads)
    assert "ledger: takes" in made(loads)
    assert "22.0" in used(loads)
    assert "calls on one core: 20" in capacity(loads)
    assert "≤ 600 ms" in against_goals(loads, None)
