"""Cuts a call into rows of a picture, as a score is cut into lines: where somebody begins, not in mid-word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

LONGEST_S: Final = 12.0
_SHORTEST_S: Final = 5.0
_AHEAD_S: Final = 0.35
"""A row begins so long before the caller does."""
_STRETCH: Final = 1.15
"""A last row may be so much longer, rather than leave a bit over."""


@dataclass(frozen=True)
class Row:
    """One line of the score."""

    begins_s: float
    ends_s: float

    @property
    def seconds(self) -> float:
        return self.ends_s - self.begins_s


def rows_of(seconds: float, beginnings_s: Sequence[float]) -> list[Row]:
    """The whole call in rows of at most `LONGEST_S`. `beginnings_s`: where the caller begins to speak."""
    rows: list[Row] = []
    begins_s = 0.0
    while seconds - begins_s > LONGEST_S * _STRETCH:
        fitting = [
            at_s - _AHEAD_S
            for at_s in beginnings_s
            if begins_s + _SHORTEST_S <= at_s - _AHEAD_S <= begins_s + LONGEST_S
        ]
        ends_s = max(fitting, default=begins_s + LONGEST_S)
        rows.append(Row(begins_s, ends_s))
        begins_s = ends_s
    rows.append(Row(begins_s, max(seconds, begins_s + 0.1)))
    return rows
