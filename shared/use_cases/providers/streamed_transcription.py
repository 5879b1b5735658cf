"""Hears one turn over a connection that is fed while the caller speaks; where that fails, by one request."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from shared.domain.audio import BYTES_PER_MS
from shared.domain.errors import SpeechToTextError
from shared.domain.kept_speech import KeptSpeech
from shared.ports.speech_sockets import SpeechSocket, SpeechSockets
from shared.use_cases.providers.idle_sockets import IdleSockets
from shared.use_cases.providers.requested_transcription import WholeRequest

logger = logging.getLogger(__name__)

_PIECE_BYTES = 100 * BYTES_PER_MS
"""Sound is sent in pieces of this length: shorter ones cost more than they hasten."""
_LARGEST_PIECE_BYTES = 1000 * BYTES_PER_MS
_REHEARD_BYTES = 4000 * BYTES_PER_MS
"""A stretch up to this length is heard again with what follows it, since models make little of fragments."""
_SOCKETS_PER_TURN = 2

_T = TypeVar("_T")


class StreamedTranscription:
    """Fills the port `Transcription`.

    `patience_s`: how long the connection may take for an answer before the request is made instead; `deadline_s`:
    how long both together may take. `mulaw_sockets`: give connections to which telephone sound goes as it came.
    """

    def __init__(
        self,
        sockets: SpeechSockets,
        idle: IdleSockets,
        request: WholeRequest,
        *,
        language: str,
        call_id: str,
        patience_s: float,
        deadline_s: float,
        mulaw_sockets: SpeechSockets | None = None,
    ) -> None:
        self._sockets = sockets
        self._mulaw_sockets = mulaw_sockets
        self._is_mulaw = False
        """What the connection is fed with."""
        self._idle = idle
        self._request = request
        self._language = language
        self._call_id = call_id
        self._patience_s = patience_s
        self._deadline_s = deadline_s
        self._kept = KeptSpeech()
        self._socket: SpeechSocket | None = None
        self._language_heard = ""
        self._connected = 0
        self._lock = asyncio.Lock()
        """Pieces and commits go out one after the other."""
        self._tasks: set[asyncio.Task[Any]] = set()
        self._sending = False
        self._stretch_begin = 0
        """Where the stretch begins that the connection is being fed; `_sent` is how far it has come."""
        self._sent = 0
        self._asked_begin = -1
        """Where the stretch began whose words were asked for last."""
        self._closed_off: asyncio.Task[str] | None = None
        """A long stretch, up to `_closed_until`, whose words are on their way: what follows is one of its own."""
        self._closed_until = 0

    def feed(self, pcm: bytes, mulaw: bytes = b"") -> None:
        self._kept.feed(pcm, mulaw)
        is_due = self._kept.end - self._sent >= _PIECE_BYTES and not self._may_be_cut
        if is_due and not self._sending and self._may_stream:
            self._sending = True
            self._spawn(self._send_fed())

    async def words(self) -> str:
        known = self._kept.answered
        if known is not None:
            return known
        try:
            async with asyncio.timeout(self._deadline_s):
                streamed = await self._streamed() if self._may_stream else None
                return await self._requested() if streamed is None else streamed
        except TimeoutError as error:
            raise SpeechToTextError("transcription_late", "no words came in time", retryable=True) from error

    @property
    def language(self) -> str:
        return self._language_heard

    def cut(self) -> None:
        self._kept.cut()

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        socket, self._socket = self._socket, None
        if socket is None:
            return
        try:
            if self._sent > self._stretch_begin and socket.usable:
                await socket.clear()
        except SpeechToTextError as error:
            logger.info("call %s: the ear was gone when the turn ended: %s", self._call_id, error)
        self._idle.give(self._key, socket)

    @property
    def _wants_mulaw(self) -> bool:
        return self._mulaw_sockets is not None and self._kept.has_mulaw

    @property
    def _key(self) -> tuple[str, str]:
        return self._call_id, f"{self._language} mulaw" if self._is_mulaw else self._language

    @property
    def _may_stream(self) -> bool:
        return self._connected < _SOCKETS_PER_TURN or (self._socket is not None and self._socket.usable)

    @property
    def _may_be_cut(self) -> bool:
        """Whether a short stretch has been heard, which is sent again unless it is cut before the next pause."""
        return self._kept.begin == self._asked_begin and self._kept.end - self._kept.begin <= _REHEARD_BYTES

    async def _streamed(self) -> str | None:
        """The words by the connection; None if it fails. Whoever stops waiting stops nothing else."""
        try:
            async with asyncio.timeout(self._patience_s):
                if self._closed_off is not None:
                    await asyncio.shield(self._closed_off)
                return await asyncio.shield(self._spawn(self._ask()))
        except (SpeechToTextError, TimeoutError) as error:
            reason = error if isinstance(error, SpeechToTextError) else "no answer"
            logger.warning("call %s: words are asked for by request: %s", self._call_id, reason)
            self._drop()
            return None

    async def _requested(self) -> str:
        stretch = self._kept.stretch()
        sound = self._kept.sound(stretch.begin, stretch.end)
        return self._kept.learn(stretch, await self._request(sound, self._language, self._call_id))

    async def _ask(self) -> str:
        async with self._lock:
            end = self._kept.end
            socket = await self._send(end)
            stretch = replace(self._kept.stretch(), end=end)
            if stretch.begin == end:
                return self._kept.words
            answer = await socket.commit()
            is_long = end - stretch.begin > _REHEARD_BYTES
            self._asked_begin = stretch.begin
            if is_long:
                self._closed_off, self._closed_until = asyncio.current_task(), end
            self._stretch_begin = self._sent = end if is_long else stretch.begin
        try:
            words = self._kept.learn(stretch, await answer)
            self._language_heard = socket.language
            if is_long:
                self._kept.cut()
            return words
        finally:
            if is_long:
                self._closed_off, self._closed_until = None, 0

    async def _send_fed(self) -> None:
        try:
            async with self._lock:
                await self._send(self._kept.end)
        except SpeechToTextError as error:
            logger.info("call %s: the ear is gone: %s", self._call_id, error)
            self._drop()
        finally:
            self._sending = False

    async def _send(self, end: int) -> SpeechSocket:
        """Bring the connection to where it has been fed all from where hearing begins up to `end`."""
        socket = await self._connection()
        while True:
            begin = max(self._kept.begin, self._closed_until)
            if begin != self._stretch_begin:
                is_stale = self._sent > self._stretch_begin
                self._stretch_begin = self._sent = begin
                if is_stale:
                    await socket.clear()
                    continue
            if self._sent >= end:
                return socket
            until = min(end, self._sent + _LARGEST_PIECE_BYTES)
            piece = (self._kept.mulaw if self._is_mulaw else self._kept.sound)(self._sent, until)
            self._sent = until
            await socket.append(piece)

    async def _connection(self) -> SpeechSocket:
        if self._socket is not None and self._socket.usable and self._is_mulaw == self._wants_mulaw:
            return self._socket
        self._drop()
        if self._connected >= _SOCKETS_PER_TURN:
            raise SpeechToTextError("ear_gone", "the connection failed more than once", retryable=True)
        self._connected += 1
        self._is_mulaw = self._wants_mulaw
        sockets = self._mulaw_sockets if self._is_mulaw and self._mulaw_sockets is not None else self._sockets
        connect = partial(sockets.connect, language=self._language, call_id=self._call_id)
        self._socket = await self._idle.take(self._key, connect)
        self._stretch_begin = self._sent = max(self._kept.begin, self._closed_until)
        return self._socket

    def _drop(self) -> None:
        socket, self._socket = self._socket, None
        self._stretch_begin = self._sent = self._kept.begin
        if socket is not None:
            self._idle.close(socket)

    def _spawn(self, deed: Coroutine[Any, Any, _T]) -> asyncio.Task[_T]:
        task = asyncio.create_task(deed)
        self._tasks.add(task)
        task.add_done_callback(self._note_end)
        return task

    def _note_end(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # told to whoever still waits
