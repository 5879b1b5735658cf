"""Many measured values in a few numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Distribution:
    """Nearest-rank percentiles, in the unit of the values."""

    count: int
    p50: float
    p95: float
    max: float

    @classmethod
    def of(cls, values: Iterable[float | None]) -> Distribution | None:
        """What was measured, values that are missing left out; None when nothing was."""
        ordered = sorted(value for value in values if value is not None)
        if not ordered:
            return None
        return cls(len(ordered), percentile(ordered, 50), percentile(ordered, 95), round(ordered[-1], 1))


def percentile(ordered: list[float], percent: float) -> float:
    """The nearest-rank percentile of sorted values, of which there is at least one."""
    rank = max(0, math.ceil(len(ordered) * percent / 100) - 1)
    return round(ordered[rank], 1)
