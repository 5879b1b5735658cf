"""Keeps a call's connections to its voice from one sentence to the next, for connecting takes as long as speaking."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlencode

from shared.adapters.sarvam.voice_socket import PATH, VoiceSocket
from shared.adapters.sarvam.wire import SarvamWire

_CLOSE_S = 2.0
_IDLE_S = 40.0

Key = tuple[str, str, str]
"""Call, language and speaker: the voice is fixed when the connection begins."""


class VoiceSockets:
    """At most one connection a key waits here, also one on which unwanted sound is still to come; who wants to speak
    before that is over gets another.
    """

    def __init__(self, wire: SarvamWire, model: str, *, idle_s: float = _IDLE_S) -> None:
        self._wire = wire
        self._query = urlencode({"model": model, "send_completion_event": "true"})
        self._model = model
        self._idle_s = idle_s
        self._idle: dict[Key, tuple[VoiceSocket, asyncio.TimerHandle]] = {}
        self._closing: set[asyncio.Task[None]] = set()

    async def take(self, key: Key, voice: dict[str, Any]) -> VoiceSocket:
        """The one that waits, or a new one. Raises: what `translated` translates."""
        socket = self._taken(key)
        if socket is not None:
            return socket
        socket = VoiceSocket(await self._wire.connect(f"{PATH}?{self._query}", _CLOSE_S))
        try:
            await socket.configure({"model": self._model, **voice})
        except BaseException:
            self._close(socket)
            raise
        return socket

    def _taken(self, key: Key) -> VoiceSocket | None:
        waiting = self._idle.pop(key, None)
        if waiting is None:
            return None
        socket, closing = waiting
        closing.cancel()
        if socket.usable:
            return socket
        self._close(socket)
        return None

    def give(self, key: Key, socket: VoiceSocket) -> None:
        """Take it back for a later sentence."""
        if not socket.is_open or key in self._idle:
            self._close(socket)
            return
        closing = asyncio.get_running_loop().call_later(self._idle_s, self._expire, key)
        self._idle[key] = socket, closing

    def _expire(self, key: Key) -> None:
        socket, closing = self._idle.pop(key)
        closing.cancel()
        self._close(socket)

    def _close(self, socket: VoiceSocket) -> None:
        task = asyncio.create_task(socket.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def close_all(self) -> None:
        for key in list(self._idle):
            self._expire(key)
        await asyncio.gather(*self._closing)
