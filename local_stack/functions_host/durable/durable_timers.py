"""Wakes instances when their durable timers are due."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

from local_stack.functions_host.durable.history import parse_time

TimerKey = tuple[str, str, int]
"""Instance id, execution id and the timer's id in the history."""

_LONGEST_SLEEP_S = 3600.0


class DurableTimers:
    """Armed timers of all instances; they are on disk too, so a restart arms them again."""

    def __init__(self, fire: Callable[[TimerKey, str], None]) -> None:
        self._fire = fire
        self._handles: dict[TimerKey, asyncio.TimerHandle] = {}

    def arm(self, key: TimerKey, fire_at: str) -> None:
        """Call back with `key` and `fire_at` at that time, or at once if it is past."""
        delay_s = (parse_time(fire_at) - datetime.now(UTC)).total_seconds()
        loop = asyncio.get_running_loop()
        # Long waits are cut up: the loop's clock and the wall clock may drift apart.
        if delay_s > _LONGEST_SLEEP_S:
            self._handles[key] = loop.call_later(_LONGEST_SLEEP_S, self.arm, key, fire_at)
        else:
            self._handles[key] = loop.call_later(max(0.0, delay_s), self._due, key, fire_at)

    def is_armed(self, key: TimerKey) -> bool:
        return key in self._handles

    def disarm(self, key: TimerKey) -> None:
        handle = self._handles.pop(key, None)
        if handle is not None:
            handle.cancel()

    def close(self) -> None:
        for handle in self._handles.values():
            handle.cancel()
        self._handles.clear()

    def _due(self, key: TimerKey, fire_at: str) -> None:
        self._handles.pop(key, None)
        self._fire(key, fire_at)
