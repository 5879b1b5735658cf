"""Percentiles are values that were measured."""

from __future__ import annotations

from benchmarks.measuring.distribution import Distribution


def test_percentiles_are_by_nearest_rank() -> None:
    found = Distribution.of(float(value) for value in range(100, 0, -1))
    assert found == Distribution(count=100, p50=50.0, p95=95.0, max=100.0)


def test_one_value_is_all_of_them() -> None:
    assert Distribution.of([7.0]) == Distribution(1, 7.0, 7.0, 7.0)


def test_missing_values_do_not_count() -> None:
    assert Distribution.of([None, 3.0, None]) == Distribution(1, 3.0, 3.0, 3.0)
    assert Distribution.of([None]) is None
