"""Keeps a call's connection to its ear from one turn to the next, since connecting takes longer than hearing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from shared.domain.errors import SpeechToTextError
from shared.ports.speech_sockets import SpeechSocket

Key = tuple[str, str]
"""Call and language: words of one call never come near another's."""


@dataclass(slots=True)
class _Idle:
    socket: SpeechSocket
    closing: asyncio.TimerHandle


class IdleSockets:
    """At most one connection a key waits here, for `idle_s` seconds, and is closed then.

    Where connecting fails, nobody tries again for `rest_s` seconds: a turn must not wait for it each time.
    """

    def __init__(self, *, idle_s: float, rest_s: float) -> None:
        self._idle_s = idle_s
        self._rest_s = rest_s
        self._rests_until_s = 0.0
        self._idle: dict[Key, _Idle] = {}
        self._closing: set[asyncio.Task[None]] = set()

    async def take(self, key: Key, connect: Callable[[], Awaitable[SpeechSocket]]) -> SpeechSocket:
        """The one that waits, or a new one. Raises: SpeechToTextError."""
        waiting = self._idle.pop(key, None)
        if waiting is not None:
            waiting.closing.cancel()
            if waiting.socket.usable:
                return waiting.socket
            self.close(waiting.socket)
        loop = asyncio.get_running_loop()
        if loop.time() < self._rests_until_s:
            raise SpeechToTextError("ear_rests", "connecting failed a moment ago", retryable=True)
        try:
            return await connect()
        except SpeechToTextError:
            self._rests_until_s = loop.time() + self._rest_s
            raise

    def give(self, key: Key, socket: SpeechSocket) -> None:
        """Take it back for a later turn."""
        if not socket.usable or key in self._idle:
            self.close(socket)
            return
        closing = asyncio.get_running_loop().call_later(self._idle_s, self._expire, key)
        self._idle[key] = _Idle(socket, closing)

    def close(self, socket: SpeechSocket) -> None:
        """Close one in the background."""
        task = asyncio.create_task(socket.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def close_all(self) -> None:
        for key in list(self._idle):
            self._idle[key].closing.cancel()
            self._expire(key)
        await asyncio.gather(*self._closing)

    def _expire(self, key: Key) -> None:
        self.close(self._idle.pop(key).socket)
