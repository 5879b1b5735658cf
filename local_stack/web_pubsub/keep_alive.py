"""Pings silent clients and gives up those that vanished without a word."""

from __future__ import annotations

import asyncio

from local_stack.web_pubsub.session import Session


class KeepAlive:
    """Looks at all WebSockets at short intervals.

    A client that was silent for one interval is pinged; one that was silent for two is gone. While one of
    its frames is being handled upstream nothing is read from it, so that time does not count.
    """

    def __init__(self, interval_s: float) -> None:
        self._interval_s = interval_s
        self._sessions: dict[Session, float] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.get_running_loop().create_task(self._watch())

    async def stop(self) -> None:
        """Stop looking."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def add(self, session: Session) -> None:
        """Look after this WebSocket."""
        self._sessions[session] = asyncio.get_running_loop().time()

    def remove(self, session: Session) -> None:
        """Look after it no more."""
        self._sessions.pop(session, None)

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self._interval_s / 4)
            now = loop.time()
            for session in list(self._sessions):
                self._look_at(session, now)

    def _look_at(self, session: Session, now: float) -> None:
        silent_s = 0.0 if session.is_busy else now - session.last_heard
        if silent_s >= 2 * self._interval_s:
            session.lose("The client did not answer keep-alive pings.")
        elif silent_s >= self._interval_s and now - self._sessions[session] >= self._interval_s:
            self._sessions[session] = now
            session.ping()
