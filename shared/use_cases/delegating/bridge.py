"""Joins a caller's line with an agent of somebody else's, until one of them ends it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field

from shared.domain import pipe_names
from shared.domain.audio import BYTES_PER_MS
from shared.domain.call import EndReason
from shared.domain.errors import MediaError
from shared.domain.limits import CallLimits
from shared.domain.steps import TurnRequest
from shared.ports.clock import Clock
from shared.ports.delegates import DelegateSession, Interrupted, Over, Sound, Uttered
from shared.ports.media_channel import MediaChannel
from shared.ports.pipes import Entry, Pipes
from shared.use_cases.delegating.frame_reading import FrameReading
from shared.use_cases.delegating.minutes import Minutes, SoundKeeping
from shared.use_cases.screens import show

logger = logging.getLogger(__name__)

_PIECE_BYTES = 200 * BYTES_PER_MS
"""Shorter pieces would cost more than they hasten."""
_KEPT_MS = 20_000
_LAST_WORDS_MS = 10_000


@dataclass(slots=True)
class Bridge:
    """`position`: up to which frame the agent has heard. `until_ms`: from when on this run ends at a quiet moment."""

    pipes: Pipes
    clock: Clock
    limits: CallLimits
    request: TurnRequest
    session: DelegateSession
    channel: MediaChannel
    reading: FrameReading
    minutes: Minutes
    keeping: SoundKeeping
    until_ms: float
    position: str = "0-0"
    _pending: bytearray = field(default_factory=bytearray)

    async def run(self) -> EndReason | None:
        """Why the call ends, or None when the time is over. Raises: TelephonyError when the agent is gone."""
        listening = asyncio.create_task(self._bring(), name="bring the caller's sound")
        speaking = asyncio.create_task(self._follow(), name="follow the agent")
        try:
            done, _ = await asyncio.wait({listening, speaking}, return_when=asyncio.FIRST_COMPLETED)
            first = listening if listening in done else speaking
            return first.result()
        finally:
            for task in (listening, speaking):
                task.cancel()
            await asyncio.gather(listening, speaking, return_exceptions=True)
            await self.keeping.keep()

    # from the caller to the agent

    async def _bring(self) -> EndReason | None:
        frames = pipe_names.frames(self.request.call_id)
        follow = self.pipes.follow(frames, self.position, idle_s=self.limits.stalled_s)
        async with aclosing(follow) as batches:
            async for batch in batches:
                reason = await self._take(batch)
                if reason is not None:
                    return reason
                if self._may_pause():
                    return None
        return EndReason.CALLER_HUNG_UP

    async def _take(self, batch: list[Entry]) -> EndReason | None:
        if not batch:
            return EndReason.CALLER_HUNG_UP
        pcm = self.reading.sound_of(batch)
        self.position = batch[-1].position
        if pcm:
            self.keeping.caller_sounded(pcm, self.reading.stream_ms)
            await self.session.hear(pcm)
        ends = [entry for entry in batch if entry.fields.get(b"event") == b"end"]
        if ends:
            return EndReason(ends[0].fields[b"reason"].decode())
        if self.reading.stream_ms > self.limits.longest_call_s * 1000:
            return EndReason.TOO_LONG
        if self.keeping.caller_ms >= _KEPT_MS and not self._is_playing:
            await self.keeping.keep()
            await self.pipes.trim(pipe_names.frames(self.request.call_id), self.position)
        return None

    @property
    def _is_playing(self) -> bool:
        return self.reading.stream_ms < self.keeping.plays_until_ms

    def _may_pause(self) -> bool:
        return self.clock.now_ms() >= self.until_ms and not self._is_playing

    # from the agent to the caller

    async def _follow(self) -> EndReason | None:
        events: AsyncGenerator[object, None] = self.session.events()
        async with aclosing(events):
            async for event in events:
                match event:
                    case Sound(pcm, is_last):
                        self._pending += pcm
                        if is_last or len(self._pending) >= _PIECE_BYTES:
                            await self._play()
                    case Interrupted():
                        await self._silence()
                    case Uttered(is_caller, text):
                        await self._play()
                        await self._note(text, is_caller=is_caller)
                    case Over():
                        await self._play()
                        await self._let_it_be_heard()
                        return EndReason.AGENT_HUNG_UP
        return EndReason.AGENT_HUNG_UP

    async def _play(self) -> None:
        pcm, self._pending = bytes(self._pending), bytearray()
        if not pcm:
            return
        try:
            await self.channel.play(pcm, None)
        except MediaError as error:
            logger.info("call %s: the line does not take sound: %s", self.request.call_id, error.code)
            return
        self.keeping.agent_sounded(pcm, self.reading.stream_ms)

    async def _silence(self) -> None:
        self._pending.clear()
        share = self.keeping.cut(self.reading.stream_ms)
        try:
            await self.channel.clear()
        except MediaError as error:
            logger.info("call %s: the line is not cleared: %s", self.request.call_id, error.code)
        await self.minutes.interrupted(share)

    async def _note(self, text: str, *, is_caller: bool) -> None:
        if is_caller:
            self.keeping.answer_begins()
        turn = await (self.minutes.caller_said(text) if is_caller else self.minutes.agent_said(text))
        message = {"type": "heard" if is_caller else "said", "text": text}
        await show(self.channel, self.request.call_id, turn.number, message)

    async def _let_it_be_heard(self) -> None:
        left_ms = min(self.keeping.plays_until_ms - self.reading.stream_ms, _LAST_WORDS_MS)
        if left_ms > 0:
            await self.clock.sleep_ms(left_ms)
