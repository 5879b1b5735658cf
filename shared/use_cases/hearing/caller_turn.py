"""One turn of the caller while it is heard: does what turn-taking says, and asks for the words at each pause."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import aclosing
from typing import Any

from shared.domain.call import Agent, EndReason
from shared.domain.completeness import finished
from shared.domain.errors import MediaError, SpeechToTextError
from shared.domain.ledger import Cost
from shared.domain.steps import TurnRequest
from shared.domain.takes import Final
from shared.domain.transcript import with_keys
from shared.domain.turn_events import (
    Backchannel,
    Event,
    FalseInterruption,
    Interrupted,
    NothingSaid,
    PauseBegan,
    SpeechResumed,
    SpeechStarted,
    TurnEnded,
    TurnTaken,
)
from shared.ports.clock import Clock
from shared.ports.pipes import Entry, Pipes
from shared.use_cases.hearing.interrupting import Interrupting
from shared.use_cases.hearing.listening import Listening
from shared.use_cases.hearing.take_writing import TakeWriting

logger = logging.getLogger(__name__)

_LONG_PAUSE_MS = 300
"""What was said before such a pause is transcribed for good: words do not stretch over it."""
_BEHIND_MS = 300
"""Who is so far behind the caller, after a crash, must not hear the next turn before the words of this one."""


class CallerTurn:
    """`words`: what was said, once the turn is over; None: nobody knows. `words_at_ms`: when that was known."""

    def __init__(
        self,
        *,
        pipes: Pipes,
        clock: Clock,
        request: TurnRequest,
        agent: Agent,
        listening: Listening,
        takes: TakeWriting,
        interrupting: Interrupting,
        on_first_frame: Callable[[], Awaitable[None]],
        announce: Callable[[], Coroutine[Any, Any, None]],
        limit_reached: Callable[[], Awaitable[EndReason | None]],
        on_key: Callable[[str], Awaitable[None]],
        is_leaving: Callable[[], Awaitable[bool]],
    ) -> None:
        self.words: str | None = None
        self.words_at_ms = 0.0
        self._pipes = pipes
        self._clock = clock
        self._request = request
        self._agent = agent
        self._listening = listening
        self._takes = takes
        self._interrupting = interrupting
        self._on_first_frame = on_first_frame
        self._announce = announce
        self._limit_reached = limit_reached
        self._on_key = on_key
        self._is_leaving = is_leaving
        self._transcriptions = 0
        self._known: dict[int, tuple[str | None, float]] = {}
        self._paused_at_ms = 0
        self._lock = asyncio.Lock()
        """Frames and words come side by side, and each is acted upon before the next is looked at."""
        self._over: asyncio.Future[EndReason | None] = asyncio.get_running_loop().create_future()
        self._asking: asyncio.Task[None] | None = None
        self._announcing: asyncio.Task[None] | None = None
        self._background: set[asyncio.Task[None]] = set()

    @property
    def costs(self) -> dict[Cost, float]:
        return {Cost.TRANSCRIPTIONS: self._transcriptions, **self._takes.costs}

    async def run(self, frames: str, after: str, *, idle_s: float) -> EndReason | None:
        """Hear frames until the turn ends (None) or the call does."""
        self._spawn(self._interrupting.watch(), "answer before")
        self._spawn(self._read(frames, after, idle_s), "frames")
        try:
            reason = await self._over
            if self._announcing is not None:
                await self._announcing
            return reason
        finally:
            for task in self._background:
                task.cancel()
            await asyncio.gather(*self._background, return_exceptions=True)

    def _spawn(self, deed: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(deed, name=name)
        self._background.add(task)
        task.add_done_callback(self._note_end)
        return task

    def _note_end(self, task: asyncio.Task[None]) -> None:
        self._background.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None and not self._over.done():
            self._over.set_exception(error)

    def _end(self, reason: EndReason | None) -> None:
        if not self._over.done():
            self._over.set_result(reason)

    async def _read(self, frames: str, after: str, idle_s: float) -> None:
        async with aclosing(self._pipes.follow(frames, after, idle_s=idle_s)) as batches:
            async for batch in batches:
                if reason := await self._take(batch):
                    self._end(reason)
                if self._over.done():
                    return

    async def _take(self, batch: list[Entry]) -> EndReason | None:
        """Why the call ends with these frames, if it does."""
        if not batch and await self._is_leaving():
            return None  # the caller hears somebody ring, and may come back
        if not batch:
            return EndReason.CALLER_HUNG_UP if self._listening.heard_ms else EndReason.NO_MEDIA
        if not self._listening.heard_ms and any(b"d" in entry.fields for entry in batch):
            await self._on_first_frame()
        for entry in batch:
            if entry.fields.get(b"event") == b"end":
                return EndReason(entry.fields[b"reason"].decode())
            if b"d" in entry.fields or b"k" in entry.fields or entry.fields.get(b"event") == b"started":
                await self._hear(entry)
            if b"k" in entry.fields:
                await self._on_key(entry.fields[b"k"].decode())
            if self._over.done():
                return None
        return await self._limit_reached()

    async def _hear(self, entry: Entry) -> None:
        if self._asking is not None and self._listening.is_paused and self._is_behind(entry):
            await asyncio.wait({self._asking})
        async with self._lock:
            if self._over.done():
                return
            try:
                events = await self._listening.take(entry, overlaps=self._interrupting.overlaps)
                if events:
                    await self._act(events)
            except MediaError as error:
                logger.warning("call %s turn %d: %s", self._request.call_id, self._request.turn, error)
                self._end(EndReason.ERROR)

    def _is_behind(self, entry: Entry) -> bool:
        """After a crash the frames of a while come at once; at a pause they wait for its words."""
        return entry.at_ms < self._clock.now_ms() - _BEHIND_MS

    async def _act(self, events: list[Event]) -> None:
        for event in sorted(events, key=_urgency):
            match event:
                case Interrupted(at_ms):
                    await self._interrupting.hold(self._listening.moment(at_ms))
                case TurnTaken(at_ms):
                    await self._interrupting.stop(self._listening.moment(at_ms))
                case SpeechStarted():
                    if self._announcing is None:
                        self._announcing = self._spawn(self._announce(), "announcement")
                case PauseBegan(number, at_ms):
                    self._paused_at_ms = at_ms
                    self._ask(number)
                case SpeechResumed(at_ms):
                    await self._go_on(at_ms)
                case FalseInterruption():
                    await self._interrupting.resume()
                    if self._asking is None or self._asking.done():
                        self._forget()  # else the words may still show that it was one
                case Backchannel() | NothingSaid():
                    await self._pass_over(event)
                case TurnEnded():
                    await self._finish(event)

    async def _pass_over(self, event: Backchannel | NothingSaid) -> None:
        """Words like "yes" are a backchannel, unless the agent had nothing more to say: then they are an answer."""
        text = self._known[max(self._known)][0] if self._known else None
        is_over = self._interrupting.was_said if isinstance(event, Backchannel) else not self._interrupting.overlaps
        if is_over and text and any(map(str.isalnum, text)):
            await self._take_as_answer(text)
            return
        await self._takes.go_on()
        await self._interrupting.resume()
        self._forget()

    async def _take_as_answer(self, text: str) -> None:
        self._listening.end()
        await self._close(text, self._clock.now_ms())

    def _ask(self, pause: int) -> None:
        """Ask for the words up to this pause; those of the pause before come too late now."""
        if self._asking is not None:
            self._asking.cancel()
        self._asking = self._spawn(self._ask_words(pause), "words")

    async def _ask_words(self, pause: int) -> None:
        text = await self._transcribe()
        async with self._lock:
            if self._over.done():
                return
            self._known[pause] = text, self._clock.now_ms()
            await self._act(self._listening.read(pause, text, finished(text or "", self._agent.language)))
            if self._over.done():
                return
            if text and self._listening.is_paused:
                await self._takes.pause(text)
            elif self._listening.is_quiet:
                if text and self._interrupting.was_said and self._listening.is_backchannel(text):
                    await self._take_as_answer(text)  # the agent was let go on before the words were known
                else:
                    self._forget()

    async def _transcribe(self) -> str | None:
        standing = self._takes.standing
        if standing is not None:  # the turn has ended before this step was run again, and its words stand
            return standing.text if isinstance(standing, Final) else None
        transcription = self._listening.transcription
        if transcription is None:
            return with_keys("", self._listening.keys)
        self._transcriptions += 1
        try:
            async with asyncio.timeout(self._agent.manner.reply_limit_ms / 2000):
                return with_keys(await transcription.words(), self._listening.keys)
        except (SpeechToTextError, TimeoutError) as error:
            reason = str(error) or "no words in time"
        logger.warning("call %s turn %d: not transcribed: %s", self._request.call_id, self._request.turn, reason)
        return None

    async def _go_on(self, at_ms: int) -> None:
        is_known = self._asking is not None and self._asking.done()
        if is_known and at_ms - self._paused_at_ms >= _LONG_PAUSE_MS and self._listening.transcription is not None:
            self._listening.transcription.cut()
        await self._takes.go_on()

    def _forget(self) -> None:
        """It was nothing: no word of it remains."""
        if self._asking is not None and self._asking is not asyncio.current_task():
            self._asking.cancel()
        gone = self._listening.forget_words()
        if gone is not None:
            self._spawn(gone.close(), "close")

    async def _finish(self, event: TurnEnded) -> None:
        nothing_said = with_keys("", self._listening.keys) or None
        await self._close(*self._known.get(event.pause, (nothing_said, self._clock.now_ms())))

    async def _close(self, words: str | None, known_at_ms: float) -> None:
        """The turn is over, and the caller's."""
        self.words, self.words_at_ms = words, known_at_ms
        await self._takes.end(words)
        await self._interrupting.stop(self._listening.turn_ended_at_ms)
        self._end(None)


def _urgency(event: Event) -> int:
    """The agent is silenced before anything else is done."""
    return 0 if isinstance(event, Interrupted | TurnTaken) else 1
