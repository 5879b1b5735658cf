"""How late an answer may be before something is done about it: a filler, then an end of the silence for good."""

from __future__ import annotations

import math

from shared.domain.manner import Manner

_MOST_FILLERS = 2
"""In one silence; after them only the limit is left."""


class Lateness:
    """Of one answer. `since_ms`: the end of the caller's turn, or of what was said of the answer so far."""

    def __init__(self, manner: Manner, *, fills: bool = True) -> None:
        self.since_ms = 0.0
        self._limit_ms = manner.reply_limit_ms
        self._filler_after_ms = manner.filler_after_ms if fills else 0
        self._fillers = 0

    def begin(self, at_ms: float) -> None:
        """From now on the caller waits."""
        self.since_ms, self._fillers = at_ms, 0

    def filled(self) -> None:
        """A filler was said, or there was none to be said."""
        self._fillers += 1

    def filler_at_ms(self, sounds_until_ms: float) -> float:
        """When a filler is due, on a line that sounds until then; never is infinity."""
        if not self._filler_after_ms or self._fillers >= _MOST_FILLERS:
            return math.inf
        return max(self.since_ms, sounds_until_ms) + self._filler_after_ms

    def limit_at_ms(self, sounds_until_ms: float) -> float:
        """When the answer is given up; a filler is not cut off for that."""
        return max(self.since_ms + self._limit_ms, sounds_until_ms)
