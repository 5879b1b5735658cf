"""Circuit breakers that all workers share, with a copy of a second so that asking them costs nothing."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from shared.adapters.redis.connection import RedisConnection
from shared.adapters.redis.wire import pack
from shared.domain.errors import StoreError

logger = logging.getLogger(__name__)

_ANSWER_WITHIN_S = 0.1
"""Of Redis: longer than it takes where it is well, shorter than a caller notices."""
_KEPT_OPEN_S = 3600.0
"""An open breaker that nobody probes is forgotten."""

# Both scripts reply {state, milliseconds}: 0 closed without failures, 1 closed with some, 2 open for so long, and
# 3 where whoever asks is the one to probe. KEYS: since when (ms) each failure of the row, until when it is open.

# ARGV: for how long one probe has the word (ms).
_ALLOWS = """
local till = redis.call('GET', KEYS[2])
if not till then return {redis.call('EXISTS', KEYS[1]), 0} end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if now < tonumber(till) then return {2, tonumber(till) - now} end
redis.call('SET', KEYS[2], now + ARGV[1], 'KEEPTTL')
return {3, 0}
"""
# ARGV: failures that open it, window, how long it is open, how long that is remembered (ms).
_FAILED = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if redis.call('EXISTS', KEYS[2]) == 0 then
    redis.call('RPUSH', KEYS[1], now)
    redis.call('LTRIM', KEYS[1], -ARGV[1], -1)
    redis.call('PEXPIRE', KEYS[1], ARGV[2])
    local first = tonumber(redis.call('LINDEX', KEYS[1], 0))
    if redis.call('LLEN', KEYS[1]) < tonumber(ARGV[1]) or now - first > tonumber(ARGV[2]) then return {1, 0} end
end
redis.call('DEL', KEYS[1])
redis.call('SET', KEYS[2], now + ARGV[3], 'PX', ARGV[4])
return {2, tonumber(ARGV[3])}
"""
_CLOSED, _FAILING, _OPEN, _PROBE = range(4)


@dataclass(frozen=True, slots=True)
class _Copy:
    """What was known at `at_s`; `opens_s`: from when on an open one may be probed."""

    state: int
    at_s: float
    opens_s: float = 0.0


class RedisCircuitBreakers:
    """Fills the port `CircuitBreakers`.

    Opens after `failures` in a row, of which the first is at most `window_s` old; after `open_s` one request may
    probe. If that never says how it went, the next may probe after another `open_s`. Closed breakers are looked up
    once in `copy_s`; a success is told to the others only where there have been failures.
    """

    def __init__(
        self,
        commands: RedisConnection,
        *,
        failures: int = 3,
        window_s: float = 60.0,
        open_s: float = 20.0,
        copy_s: float = 1.0,
        answer_within_s: float = _ANSWER_WITHIN_S,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._commands = commands
        self._failures = failures
        self._window_ms = round(window_s * 1000)
        self._open_ms = round(open_s * 1000)
        self._copy_s = copy_s
        self._answer_within_s = answer_within_s
        self._now_s = now_s
        self._copies: dict[str, _Copy] = {}
        self._away = False

    async def allows(self, name: str) -> bool:
        now_s, copy = self._now_s(), self._copies.get(name)
        if copy is not None and now_s - copy.at_s < self._copy_s:
            if copy.state in (_CLOSED, _FAILING):
                return True
            if now_s < copy.opens_s:
                return False
        copy = await self._ask(name, _ALLOWS, self._open_ms)
        return copy is None or copy.state != _OPEN

    async def note(self, name: str, *, succeeded: bool) -> None:
        if not succeeded:
            await self._ask(name, _FAILED, self._failures, self._window_ms, self._open_ms, round(_KEPT_OPEN_S * 1000))
            return
        copy = self._copies.get(name)
        if copy is None or copy.state != _CLOSED or self._now_s() - copy.at_s >= self._copy_s:
            await self._reply(pack(("UNLINK", *_keys(name))))
            self._copies[name] = _Copy(_CLOSED, self._now_s())

    async def _ask(self, name: str, script: str, *arguments: int) -> _Copy | None:
        """Run a script and keep what it says; None if Redis did not answer."""
        reply = await self._reply(pack(("EVAL", script, 2, *_keys(name), *arguments)))
        now_s = self._now_s()
        if reply is None:
            self._copies[name] = _Copy(_CLOSED, now_s)  # not asked again for as long as a copy lasts
            return None
        state, wait_ms = reply
        if state == _PROBE:  # for everybody else it stays open until the probe has said how it went
            self._copies[name] = _Copy(_OPEN, now_s, now_s + self._open_ms / 1000)
            return _Copy(_PROBE, now_s)
        self._copies[name] = copy = _Copy(state, now_s, now_s + wait_ms / 1000)
        return copy

    async def _reply(self, command: bytes) -> Any:
        """None if Redis did not answer, which is told in the log once."""
        try:
            async with asyncio.timeout(self._answer_within_s):
                reply = await self._commands.ask("circuit breaker", command, again=False)
        except (StoreError, TimeoutError) as error:
            if not self._away:
                logger.warning("circuit breakers are not known: %s", error or "no answer in time")
            self._away = True
            return None
        self._away = False
        return reply


def _keys(name: str) -> tuple[str, str]:
    return f"breaker:{{{name}}}:failures", f"breaker:{{{name}}}:open"
