"""An event loop whose clock jumps to the next timer as soon as nothing else is to be done."""

from __future__ import annotations

import asyncio
import selectors
from typing import Any

_STUCK_AFTER_S = 3.0


class Stuck(RuntimeError):
    """Every task waits for something that will never come."""


class _JumpingSelector(selectors.DefaultSelector):
    """Waits for nothing but file descriptors; what the loop would have slept is added to `skipped_s`."""

    def __init__(self) -> None:
        super().__init__()
        self.skipped_s = 0.0

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None:  # no timer is set: only a thread or a socket can go on
            ready = super().select(_STUCK_AFTER_S)
            if not ready:
                raise Stuck("no task can ever go on")
            return ready
        ready = super().select(0)
        if not ready and timeout > 0:
            self.skipped_s += timeout
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """`asyncio.sleep`, timeouts and timers take no real time, and happen in their order."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.skipped_s
