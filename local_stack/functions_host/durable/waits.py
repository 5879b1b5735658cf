"""What an orchestrator can wait for during a replay: a leaf, a compound of waits, an attempt with retries."""

from __future__ import annotations

from collections.abc import Callable


class Wait:
    """A leaf is done by an event, a compound by its children."""

    __slots__ = ("done", "failed", "parent")

    def __init__(self) -> None:
        self.done = False
        self.failed = False
        self.parent: Wait | None = None

    def finish(self, *, failed: bool = False) -> None:
        if not self.done:
            self.done = True
            self.failed = failed
            if self.parent is not None:
                self.parent.childfinished_wait(self)

    def childfinished_wait(self, child: Wait) -> None:
        """Only compounds have children."""


class CompoundWait(Wait):
    __slots__ = ("missing",)

    def __init__(self, children: list[Wait], *, needs_all: bool) -> None:
        super().__init__()
        pending = [child for child in children if not child.done]
        finished = len(children) - len(pending)
        # An empty compound is never sent by the SDK; .NET would refuse an empty WhenAny.
        self.missing = len(pending) if needs_all else (0 if finished else min(1, len(pending)))
        if self.missing == 0:
            self.done = True
        for child in pending:
            child.parent = self

    def childfinished_wait(self, child: Wait) -> None:
        self.missing -= 1
        if self.missing == 0:
            self.finish()


class RetryWait(Wait):
    """Attempts with a pause after each failure, after the last one too, as DTFx does."""

    __slots__ = ("_attempts_left", "_pause", "_start_attempt", "_timer")

    def __init__(self, attempts: int, start_attempt: Callable[[], Wait], pause: Callable[[], Wait]) -> None:
        super().__init__()
        self._attempts_left = attempts
        self._start_attempt = start_attempt
        self._pause = pause
        self._timer: Wait | None = None
        self._attempt()

    def childfinished_wait(self, child: Wait) -> None:
        if child is self._timer:
            if self._attempts_left > 0:
                self._attempt()
            else:
                self.finish(failed=True)
        elif child.failed:
            self._timer = self._pause()
            self._timer.parent = self
        else:
            self.finish()

    def _attempt(self) -> None:
        self._attempts_left -= 1
        self._start_attempt().parent = self


def finished_wait() -> Wait:
    """A wait that is over before it begins."""
    node = Wait()
    node.done = True
    return node
