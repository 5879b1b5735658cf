"""Agents of somebody else's, by script."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from shared.domain.errors import TelephonyError
from shared.domain.manner import Delegate
from shared.ports.delegates import DelegateEvent, Meeting, Over

GONE = TelephonyError("agent_gone", "gone", retryable=True)


class FakeSession:
    """Fills the port `DelegateSession`: does what a test says, and keeps what it hears."""

    def __init__(self) -> None:
        self.heard = b""
        self.has_ended = False
        self._doings: asyncio.Queue[DelegateEvent | TelephonyError] = asyncio.Queue()

    def do(self, *events: DelegateEvent | TelephonyError) -> None:
        for event in events:
            self._doings.put_nowait(event)

    async def hear(self, pcm: bytes) -> None:
        self.heard += pcm

    async def events(self) -> AsyncGenerator[DelegateEvent, None]:
        while True:
            event = await self._doings.get()
            if isinstance(event, TelephonyError):
                raise event
            yield event
            if isinstance(event, Over):
                return

    async def end(self) -> None:
        self.has_ended = True


class FakeDelegates:
    """Fills the port `Delegates`. `absent`: so many times nobody comes."""

    def __init__(self, *sessions: FakeSession, absent: int = 0) -> None:
        self.meetings: list[Meeting] = []
        self.delegates: list[Delegate] = []
        self._sessions = list(sessions)
        self._absent = absent

    async def open(self, delegate: Delegate, meeting: Meeting) -> FakeSession:
        self.delegates.append(delegate)
        self.meetings.append(meeting)
        if self._absent or not self._sessions:
            self._absent -= 1
            raise GONE
        return self._sessions.pop(0)
