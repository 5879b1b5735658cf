"""Asks providers for the same thing until one begins to answer: a failed one is replaced at once, a late one is
raced, and whoever loses is cancelled.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from types import TracebackType
from typing import Generic, Self, TypeVar

from shared.domain.errors import VoiceAgentError
from shared.use_cases.providers.provider_health import ProviderHealth

logger = logging.getLogger(__name__)

T = TypeVar("T")

OVERDUE_MS = 1_500
"""A provider that is given up before it began counts as failed if it had this long, and as long as it was allowed."""
_CLOSED_WITHIN_S = 1.0
EMPTY = "answer_empty"
"""Code of the failure of a provider that ended well and gave nothing."""


@dataclass(frozen=True, slots=True)
class Contender(Generic[T]):
    """One way to the answer. `name` is the name of its circuit breaker; `begin` asks, closing its stream cancels."""

    name: str
    begin: Callable[[], AsyncGenerator[T, None]]


class Runner(Generic[T]):
    """A contender that has been asked. It runs in a task of its own from its first to its last item, since its
    deadlines belong to the task that began it, and reads ahead of whoever takes the items.
    """

    def __init__(self, contender: Contender[T], changed: asyncio.Event) -> None:
        self.name = contender.name
        self.items: deque[T] = deque()
        self.ended = False
        self.error: BaseException | None = None
        self.began_at = asyncio.get_running_loop().time()
        self._begin = contender.begin
        self._changed = changed
        self.task = asyncio.create_task(self._run(), name=f"ask {contender.name}")
        self.task.add_done_callback(self._end)

    async def _run(self) -> None:
        async with aclosing(self._begin()) as stream:
            async for item in stream:
                self.items.append(item)
                self._changed.set()

    def _end(self, task: asyncio.Task[None]) -> None:
        self.error = None if task.cancelled() else task.exception()
        self.ended = True
        self._changed.set()


class Race(Generic[T]):
    """Use it as a context: leaving it cancels whoever still runs. `failures` holds what each provider failed with.

    `late_after_ms`: how long the first may take to begin before the next is asked beside it; 0: for ever. An open
    breaker keeps a provider out unless no other is left. `blameless`: failures of which the breakers are not told.
    `decisive`: those after which nobody else is asked; they are blameless as well.
    """

    def __init__(
        self,
        contenders: Sequence[Contender[T]],
        health: ProviderHealth,
        error_type: type[VoiceAgentError],
        *,
        late_after_ms: int = 0,
        blameless: tuple[type[VoiceAgentError], ...] = (),
        decisive: tuple[type[VoiceAgentError], ...] = (),
    ) -> None:
        self.failures: dict[str, BaseException] = {}
        self.winner: Runner[T] | None = None
        self._names = [contender.name for contender in contenders]
        self._waiting = deque(contenders)
        self._kept_out: deque[Contender[T]] = deque()
        self._health = health
        self._error_type = error_type
        self._late_after_ms = late_after_ms
        self._blameless = (*blameless, *decisive)
        self._decisive = decisive
        self._changed = asyncio.Event()
        self._started: list[Runner[T]] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.winner is None:
            self._give_up(self._started)
        unfinished = {runner.task for runner in self._started if not runner.task.done()}
        for task in unfinished:
            task.cancel()
        if unfinished:
            await asyncio.wait(unfinished, timeout=_CLOSED_WITHIN_S)

    async def first(self) -> T:
        """The first item of whoever gives one first. Raises: `error_type` once all have failed."""
        await self._start_next()
        while True:
            self._changed.clear()
            if winner := next((runner for runner in self._started if runner.items), None):
                self._decide(winner)
                return winner.items.popleft()
            if not self._running():
                self._raise_decisive()
                await self._start_next()
            if not self._running():
                raise self._defeat()
            try:
                async with asyncio.timeout_at(self._late_at()):
                    await self._changed.wait()
            except TimeoutError:
                await self._start_next()

    def others(self) -> list[str]:
        """Who may be asked once the winner has failed: those that have not failed themselves, else all but it."""
        beaten = [name for name in self._names if self.winner is None or name != self.winner.name]
        return [name for name in beaten if name not in self.failures] or beaten

    async def rest(self, *, stalled_after_s: float | None = None) -> AsyncGenerator[T, None]:
        """What follows from the winner. Raises: `error_type` where it breaks off, or is silent for `stalled_after_s`
        while there is somebody else to ask.
        """
        assert self.winner is not None
        if all(name in self.failures for name in self._names if name != self.winner.name):
            stalled_after_s = None
        while True:
            self._changed.clear()
            while self.winner.items:
                yield self.winner.items.popleft()
            if not self._changed.is_set():
                if self.winner.ended:
                    break
                try:
                    async with asyncio.timeout(stalled_after_s):
                        await self._changed.wait()
                except TimeoutError as error:
                    self._blame(self.winner.name, self._error_type("stalled", "no more came in time", retryable=True))
                    raise self._defeat() from error
        if self.winner.error is not None:
            self._blame(self.winner.name, self.winner.error)
            raise self._defeat() from self.winner.error

    async def _start_next(self) -> None:
        """Ask the next provider whose breaker allows it; if nobody runs, one that is kept out is better than none."""
        while self._waiting:
            contender = self._waiting.popleft()
            if await self._health.allows(contender.name):
                self._started.append(Runner(contender, self._changed))
                return
            self._kept_out.append(contender)
        if self._kept_out and not self._running():
            self._started.append(Runner(self._kept_out.popleft(), self._changed))

    def _running(self) -> bool:
        """Whether anybody may still answer; those that have failed are noted."""
        for runner in self._started:
            if runner.ended and not runner.items and runner.name not in self.failures:
                error = runner.error or self._error_type(EMPTY, "the provider gave nothing", retryable=True)
                self._blame(runner.name, error)
        return any(not runner.ended or runner.items for runner in self._started)

    def _raise_decisive(self) -> None:
        for error in self.failures.values():
            if isinstance(error, self._decisive):
                raise error

    def _late_at(self) -> float | None:
        if not self._late_after_ms or not self._waiting:
            return None
        return self._started[-1].began_at + self._late_after_ms / 1000

    def _decide(self, winner: Runner[T]) -> None:
        self.winner = winner
        self._health.note(winner.name, succeeded=True)
        losers = [runner for runner in self._started if runner is not winner and not runner.ended]
        self._give_up(losers)
        for loser in losers:
            loser.task.cancel()

    def _give_up(self, runners: Sequence[Runner[T]]) -> None:
        """Nobody waits for them any more; that is a failure of those who had time enough."""
        now = asyncio.get_running_loop().time()
        allowed_s = max(self._late_after_ms, OVERDUE_MS) / 1000
        for runner in runners:
            overdue = not runner.ended and not runner.items and now - runner.began_at >= allowed_s
            if overdue and runner.name not in self.failures:
                self._blame(runner.name, self._error_type("late", "another one was faster", retryable=True))

    def _blame(self, name: str, error: BaseException) -> None:
        self.failures[name] = error
        if not isinstance(error, self._blameless):
            self._health.note(name, succeeded=False)
            logger.warning("%s failed: %s", name, error if isinstance(error, VoiceAgentError) else _code(error))

    def _defeat(self) -> BaseException:
        """What to raise: the one failure as it is, several as one."""
        errors = list(self.failures.values())
        if len(errors) == 1 and isinstance(errors[0], self._error_type):
            return errors[0]
        causes = ", ".join(f"{name}: {_code(error)}" for name, error in self.failures.items())
        retryable = any(not isinstance(error, VoiceAgentError) or error.retryable for error in errors)
        return self._error_type("providers_failed", causes, retryable=retryable)


def _code(error: BaseException) -> str:
    return error.code if isinstance(error, VoiceAgentError) else type(error).__name__
