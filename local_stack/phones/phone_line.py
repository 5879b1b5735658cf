"""The telephone line of one call while it is up: every 20 ms something is heard and something is said on it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from local_stack.phones import g711
from local_stack.phones.call_files import LineTracks
from local_stack.phones.conversation import Conversation, Phase
from local_stack.phones.events import EventLog
from local_stack.phones.floor import UNKNOWN
from local_stack.phones.frame_clock import Clock, FrameClock
from local_stack.phones.heard_keys import heard_keys
from local_stack.phones.playback import PlaybackBuffer, PlayedFrame

FRAME_S: Final = g711.FRAME_MS / 1000


@dataclass(frozen=True)
class LineFrame:
    """20 ms of the line. `said` is the caller's side, `heard` what the caller heard; µ-law."""

    at_ms: float
    said: bytes
    heard: PlayedFrame
    digit: str | None


FrameListener = Callable[[LineFrame], None]


class LineOver(Exception):
    """The line cannot go on: the caller has hung up or the call's time is up. Not an error; it says which."""


class LineCut(Exception):
    """Whatever runs on the line is to stop, because something else is wanted of the call from outside."""


class PhoneLine:
    """One caller's line. Whoever waits for something to happen on it, waits tick by tick.

    `is_cut` says that something is wanted of the call from outside, such as an end or new instructions.
    """

    def __init__(
        self,
        clock: Clock,
        log: EventLog,
        conversation: Conversation,
        tracks: LineTracks,
        *,
        max_call_ms: int,
        is_cut: Callable[[], bool] = lambda: False,
    ) -> None:
        self.clock = clock
        self.log = log
        self.conversation = conversation
        self.tracks = tracks
        self.playback = PlaybackBuffer()
        """What the caller is going to hear."""
        self.floor = UNKNOWN
        """Whose turn it is, where the provider knows."""
        self.listeners: list[FrameListener] = []
        self.lag_p99_ms = 0.0
        """How late the frames came at worst."""
        self.most_waiting_ms = 0.0
        """The most audio that ever waited to be heard."""
        self._max_call_ms = max_call_ms
        self._is_cut = is_cut
        self._passed_ms = 0
        self._opened = False
        self._is_handed_over = False
        self._keeper: asyncio.Task[None] | None = None
        self._next: asyncio.Future[LineFrame] | None = None

    def now_ms(self) -> float:
        """Unix epoch milliseconds."""
        return self.clock.wall_ms()

    def pass_frame(self) -> LineFrame:
        """20 ms go by: the next audio is heard, and the caller says what it has to say."""
        now_ms = self.now_ms()
        if not self._opened:
            self._opened = True
            self.log.add("line_opened", now_ms, audio_ms=self.tracks.duration_ms)
        heard = self.playback.play()
        spoken = self.conversation.step(now_ms, heard, self.playback.audible_waiting, self.floor)
        self.tracks.add(spoken.payload, heard.payload)
        self._passed_ms += g711.FRAME_MS
        frame = LineFrame(now_ms, spoken.payload, heard, spoken.digit)
        for listener in list(self.listeners):
            listener(frame)
        waiting, self._next = self._next, None
        if waiting is not None and not waiting.done():
            waiting.set_result(frame)
        return frame

    @property
    def time_is_up(self) -> bool:
        return self._passed_ms >= self._max_call_ms

    def start(self) -> None:
        """From now on time passes on the line by itself, until `stop`."""
        if self._keeper is None and not self._is_handed_over:
            self._keeper = asyncio.create_task(self._keep_time())

    async def stop(self) -> None:
        keeper, self._keeper = self._keeper, None
        self._opened = False
        if keeper is not None:
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)
            if not keeper.cancelled() and (error := keeper.exception()) is not None:
                raise error

    @asynccontextmanager
    async def handed_over(self) -> AsyncIterator[None]:
        """Within it somebody else passes the frames, in its own time."""
        was_running = self._keeper is not None
        await self.stop()
        self._is_handed_over = True
        try:
            yield
        finally:
            self._is_handed_over = self._opened = False
            if was_running:
                self.start()

    async def _keep_time(self) -> None:
        clock = FrameClock(self.clock)
        try:
            while True:
                await clock.tick()
                self.pass_frame()
        except Exception as error:
            if self._next is not None and not self._next.done():
                self._next.set_exception(error)
            raise
        finally:
            self.lag_p99_ms = max(self.lag_p99_ms, clock.lag_p99_ms)

    async def tick(self) -> LineFrame:
        """The next 20 ms. Raises: LineOver, LineCut."""
        self.check()
        self.start()
        if self._next is None or self._next.done():
            self._next = asyncio.get_running_loop().create_future()
        frame = await asyncio.shield(self._next)
        self.check()
        return frame

    def check(self) -> None:
        """Raises: LineOver, LineCut."""
        if self.conversation.phase is Phase.DONE:
            raise LineOver("the caller hung up")
        if self.time_is_up:
            raise LineOver("the call reached its time limit")
        if self._is_cut():
            raise LineCut

    async def until(self, done: Callable[[], bool], within_s: float | None = None) -> bool:
        """Lets time pass until it is done; false when the time was over before. Raises: LineOver, LineCut."""
        ticks = None if within_s is None else round(within_s / FRAME_S)
        while not done():
            if ticks is not None and ticks <= 0:
                return False
            await self.tick()
            ticks = None if ticks is None else ticks - 1
        return True

    async def pause(self, seconds: float) -> None:
        """Raises: LineOver, LineCut."""
        await self.until(lambda: False, seconds)

    def play(self, ulaw_8k: bytes) -> None:
        """Appends sound to what the caller is going to hear."""
        audible = self.playback.add(ulaw_8k)
        self.most_waiting_ms = max(self.most_waiting_ms, self.playback.waiting_ms)
        turn = self.conversation.turn
        known = turn.first_received_ms
        if audible:
            self.conversation.on_audio_received(self.now_ms())
        if known is None and turn.first_received_ms is not None:
            self.log.add("agent_received", turn.first_received_ms, turn=turn.number)

    def note_words(self, words: str) -> None:
        """The provider has made words of what the caller said, and passes them on now."""
        turn = self.conversation.turn
        turn.understood = f"{turn.understood or ''} {words}".strip()
        turn.understood_ms = self.now_ms()
        self.log.add("provider_heard", turn.understood_ms, turn=turn.number, text=words)

    def note_keys(self) -> None:
        """At the end of a call: which keys sounded in what was heard, if there were any."""
        if pressed := heard_keys(self.tracks.agent):
            moments = [one.at_ms for one in pressed]
            self.log.add("keys_heard", digits="".join(one.key for one in pressed), audio_ms=moments)

    def clear(self) -> list[str]:
        """Throws away what is not yet heard; the marks in it are handed back."""
        dropped_ms = self.playback.waiting_ms
        names = self.playback.clear()
        self.log.add("clear_received", dropped_ms=dropped_ms)
        self.conversation.on_clear(self.now_ms())
        return names
