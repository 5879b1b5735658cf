"""Circuit breakers in memory, by a clock that the test moves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class _Breaker:
    failed_s: list[float] = field(default_factory=list)
    open_until_s: float | None = None


class FakeCircuitBreakers:
    """Fills the port `CircuitBreakers`. `asked` keeps the names asked for, `noted` what was said of them."""

    def __init__(
        self,
        now_s: Callable[[], float] = lambda: 0.0,
        *,
        failures: int = 3,
        window_s: float = 60.0,
        open_s: float = 20.0,
    ) -> None:
        self.asked: list[str] = []
        self.noted: list[tuple[str, bool]] = []
        self._now_s = now_s
        self._failures = failures
        self._window_s = window_s
        self._open_s = open_s
        self._breakers: dict[str, _Breaker] = {}

    def open(self, name: str) -> None:
        """As if enough had failed just now."""
        self._breakers[name] = _Breaker(open_until_s=self._now_s() + self._open_s)

    async def allows(self, name: str) -> bool:
        self.asked.append(name)
        breaker = self._breakers.get(name)
        if breaker is None or breaker.open_until_s is None:
            return True
        if self._now_s() < breaker.open_until_s:
            return False
        breaker.open_until_s = self._now_s() + self._open_s
        return True

    async def note(self, name: str, *, succeeded: bool) -> None:
        self.noted.append((name, succeeded))
        if succeeded:
            self._breakers.pop(name, None)
            return
        now_s, breaker = self._now_s(), self._breakers.setdefault(name, _Breaker())
        if breaker.open_until_s is None:
            breaker.failed_s = [*breaker.failed_s, now_s][-self._failures :]
            if len(breaker.failed_s) < self._failures or now_s - breaker.failed_s[0] > self._window_s:
                return
        breaker.failed_s.clear()
        breaker.open_until_s = now_s + self._open_s
