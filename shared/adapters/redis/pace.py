"""How often to send or to look: at once while there is little, in gathers of milliseconds while there is much."""

from __future__ import annotations

import math

_MEMORY_S = 0.25
"""Over about how long the rate is averaged."""


class Pace:
    """A write or a read costs much the same whether it carries one frame or twenty, so their number is bounded.

    The pause grows with the rate of frames, from none at `quiet_per_s` towards `longest_s`.
    """

    def __init__(self, *, longest_s: float = 0.008, quiet_per_s: float = 200.0) -> None:
        self._longest_s = longest_s
        self._quiet_per_s = quiet_per_s
        self._per_s = 0.0
        self._noted_s = -math.inf

    def pause_s(self, frames: int, now_s: float) -> float:
        """How long to let more frames gather, now that so many have come."""
        faded = math.exp((self._noted_s - now_s) / _MEMORY_S)
        self._per_s = self._per_s * faded + frames / _MEMORY_S
        self._noted_s = now_s
        if self._per_s <= self._quiet_per_s:
            return 0.0
        return self._longest_s * (1 - self._quiet_per_s / self._per_s)
